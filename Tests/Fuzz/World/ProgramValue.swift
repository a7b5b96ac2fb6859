import Talloc
import Tevent

/// A value in a chunk, or in a request as its state.
protocol ProgramValue: SendableMetatype {
    static func make(_ foreign: Foreign) -> Self
    /// Changes the value, and runs a function meanwhile.
    mutating func change(_ meanwhile: () -> Void)
    /// Whether the value is intact.
    var isSound: Bool { get }
}

extension World {
    static let valueTypes: [any ProgramValue.Type] = [
        PlainNumber.self, Nothing.self, Holder.self, Wide.self, Large.self, Shared.self, Words.self, Work.self,
        Holder?.self,
    ]
}

/// Plain bytes, which need no release.
struct PlainNumber: ProgramValue {
    private var number = 7
    private var copy = 7

    static func make(_ foreign: Foreign) -> PlainNumber { PlainNumber() }

    mutating func change(_ meanwhile: () -> Void) {
        number += 1
        meanwhile()
        copy += 1
    }

    var isSound: Bool { number == copy }
}

/// A value without a size.
struct Nothing: ProgramValue {
    static func make(_ foreign: Foreign) -> Nothing { Nothing() }
    mutating func change(_ meanwhile: () -> Void) { meanwhile() }
    var isSound: Bool { true }
}

/// A value with something to release.
struct Holder: ProgramValue {
    private var foreign: Foreign
    private var count = 0

    static func make(_ foreign: Foreign) -> Holder { Holder(foreign: foreign) }

    mutating func change(_ meanwhile: () -> Void) {
        count += 1
        meanwhile()
    }

    var isSound: Bool { foreign.model.calls >= 0 && count >= 0 }
}

/// A value with a stricter alignment than talloc provides.
struct Wide: ProgramValue {
    private var lanes = SIMD8<Double>(repeating: 3)
    private var foreign: Foreign

    static func make(_ foreign: Foreign) -> Wide { Wide(foreign: foreign) }

    mutating func change(_ meanwhile: () -> Void) {
        meanwhile()
        lanes += 1
    }

    var isSound: Bool { lanes == SIMD8(repeating: lanes[0]) && foreign.model.calls >= 0 }
}

/// A value of half a kilobyte.
struct Large: ProgramValue {
    private var rows = InlineArray<8, SIMD8<UInt64>>(repeating: SIMD8(repeating: 5))
    private let foreign: Foreign

    static func make(_ foreign: Foreign) -> Large { Large(foreign: foreign) }

    mutating func change(_ meanwhile: () -> Void) {
        rows[7] &+= 1
        meanwhile()
        for row in 0..<7 { rows[row] &+= 1 }
    }

    var isSound: Bool { rows.indices.allSatisfy { rows[$0] == rows[0] } }
}

/// A class.
final class Shared: ProgramValue {
    private let foreign: Foreign
    private var count = 0

    init(_ foreign: Foreign) { self.foreign = foreign }

    static func make(_ foreign: Foreign) -> Shared { Shared(foreign) }
    func change(_ meanwhile: () -> Void) {
        count += 1
        meanwhile()
    }
    var isSound: Bool { count >= 0 }
}

/// A value with memory of Swift's own.
struct Words: ProgramValue {
    private var words: [String]
    private let foreign: Foreign

    static func make(_ foreign: Foreign) -> Words { Words(words: ["some words of a program's"], foreign: foreign) }

    mutating func change(_ meanwhile: () -> Void) {
        words.append("and some more of them, too long for a small string")
        meanwhile()
        if words.count > 8 { words.removeFirst(7) }
    }

    var isSound: Bool { words.allSatisfy { !$0.isEmpty } }
}

/// An enumeration with closures.
enum Work: ProgramValue {
    case none
    case some(() -> Bool)

    static func make(_ foreign: Foreign) -> Work { .some { foreign.model.calls >= 0 } }

    mutating func change(_ meanwhile: () -> Void) {
        let old = self
        self = .none
        meanwhile()
        self = old
    }

    var isSound: Bool {
        switch self {
        case .none: true
        case .some(let work): work()
        }
    }
}

extension Optional<Holder>: ProgramValue {
    static func make(_ foreign: Foreign) -> Holder? { .some(.make(foreign)) }

    mutating func change(_ meanwhile: () -> Void) {
        let old = take()
        meanwhile()
        self = old
    }

    var isSound: Bool { self?.isSound ?? true }
}
