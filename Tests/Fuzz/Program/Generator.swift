/// Generates the program that belongs to a seed.
struct Generator {
    private let programClass: ProgramClass
    private let table: [(kind: Kind, bound: Int)]
    /// The kinds that wait, each as often as its share.
    private let waits: [Kind]
    /// The kinds that create something.
    private let makers: [Kind]
    private var random: SeededGenerator
    private var count = 0

    /// The maximum depth of scripts inside each other.
    private static let deepestScript = 4

    init(_ programClass: ProgramClass, seed: Int) {
        self.programClass = programClass
        table = programClass.table
        makers = table.map(\.kind).filter { $0.words.contains("} = ") && $0.wait == nil }
        waits = table.map(\.kind).filter { $0.wait != nil }.flatMap { Array(repeating: $0, count: $0.share) }
        random = SeededGenerator(seed: UInt64(truncatingIfNeeded: seed))
        // The classes have different programs for the same seed.
        for byte in programClass.name.utf8 { random.mix(UInt64(byte)) }
    }

    /// The steps of the program: some that fill the registers, and then all kinds.
    mutating func program() -> [Operation] {
        var steps = programClass.prelude.map { operation(.named($0.kind), a: $0.a, b: $0.b, depth: 1) }
        let length = programClass.length / 2 + below(programClass.length)
        for index in 1...length {
            steps.append(operation(pick(), depth: 0))
            if index % 12 == 0 { steps.append(operation(.check, depth: Self.deepestScript)) }
        }
        return steps
    }

    private mutating func operation(_ kind: Kind, a: Int? = nil, b: Int? = nil, depth: Int) -> Operation {
        count += 1
        let number = count
        let (a, b) = (a ?? below(64), b ?? below(64))
        let (c, d) = (below(64), below(64))
        let isCareless = programClass.allowsTraps && below(24) == 0
        let script =
            switch kind.foreign {
            case .none: [Operation]()
            case .inside, .kept: self.script(depth: depth)
            case .task: scriptOfTask(depth: depth)
            }
        let farewell = kind.foreign == .kept && below(4) == 0 ? self.script(depth: depth) : []
        return Operation(
            number: number, kind: kind, a: a, b: b, c: c, d: d, isCareless: isCareless, script: script,
            farewell: farewell)
    }

    private mutating func script(depth: Int) -> [Operation] {
        guard depth < Self.deepestScript else { return [] }
        return (0..<below(4 - min(depth, 2))).map { _ in operation(pick(), depth: depth + 1) }
    }

    /// Steps of which most wait.
    private mutating func scriptOfTask(depth: Int) -> [Operation] {
        guard depth < Self.deepestScript else { return [] }
        return (0...below(6 - depth)).map { _ in
            operation(below(3) < 2 ? waits[below(waits.count)] : pick(), depth: depth + 1)
        }
    }

    private mutating func pick() -> Kind {
        let kind = pickAny()
        return kind.wait == nil ? kind : pick()
    }

    private mutating func pickAny() -> Kind {
        // Otherwise most steps would find their registers empty.
        if !makers.isEmpty, below(4) == 0 { return makers[below(makers.count)] }
        let number = below(table.last?.bound ?? 1)
        return (table.first { number < $0.bound } ?? table[0]).kind
    }

    private mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
}

/// Random numbers that depend only on the seed: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// Makes further numbers depend on one more value.
    mutating func mix(_ value: UInt64) { state = (next() ^ value) &* 0x0000_0100_0000_01B3 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
