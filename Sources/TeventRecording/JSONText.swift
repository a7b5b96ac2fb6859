/// JSON that grows piece by piece, without a tree of values in between: a recording may have millions of them.
struct JSONText {
    /// Whether it stands in a page, where no `<` may be.
    let isInPage: Bool
    private(set) var bytes: [UInt8] = []

    init(inPage: Bool = false) { isInPage = inPage }

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func raw(_ byte: UInt8) { bytes.append(byte) }

    mutating func number(_ number: some BinaryInteger) {
        var text = String(number)
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    /// Nanoseconds as microseconds with three digits after the point.
    mutating func microseconds(_ nanoseconds: Int64) {
        number(nanoseconds / 1000)
        let rest = nanoseconds % 1000
        guard rest > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        for digit in [rest / 100, rest / 10 % 10, rest % 10] { bytes.append(UInt8(48 + digit)) }
    }

    /// A string between quotation marks.
    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): raw("\\\"")
            case UInt8(ascii: "\\"): raw("\\\\")
            case UInt8(ascii: "\n"): raw("\\n")
            case UInt8(ascii: "<") where isInPage: escape(byte)
            case 0..<32, 127: escape(byte)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        raw("\\u00")
        for digit in [byte >> 4, byte & 15] {
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// The elements of a sequence in brackets, one line each.
    mutating func array<Elements: Sequence>(
        _ elements: Elements, _ add: (_ json: inout JSONText, _ element: Elements.Element) -> Void
    ) {
        raw("[")
        var isFirst = true
        for element in elements {
            raw(isFirst ? "\n" : ",\n")
            isFirst = false
            add(&self, element)
        }
        raw("]")
    }
}
