/// Splits bytes into lines, however they arrive: parts of lines, several at once, none.
///
/// It knows nothing about descriptors and loops, so tests need neither.
///
/// ```swift
/// var splitter = LineSplitter(limit: 80)
/// print(splitter.append("one\ntw".utf8).map(\.text))  // ["one"]
/// print(splitter.append("o\n".utf8).map(\.text))  // ["two"]
/// ```
public struct LineSplitter {
    /// A line without its line break.
    public struct Line: Equatable, Sendable {
        /// The text; bytes that are not UTF-8 appear as "\u{FFFD}".
        public let text: String
        /// Whether the line was longer than the limit, and its end was dropped.
        public let isCut: Bool

        /// Creates a line.
        public init(text: String, isCut: Bool = false) {
            self.text = text
            self.isCut = isCut
        }
    }

    /// The maximum number of bytes kept of a line.
    public let limit: Int

    private var pending: [UInt8] = []
    private var hasBegun = false
    private var isCut = false

    /// Creates a splitter that keeps at most `limit` bytes of a line, at least one.
    public init(limit: Int) {
        guard limit > 0 else { fatalError("a line must be allowed at least one byte") }
        self.limit = limit
    }

    // snippet: append
    /// Takes more bytes, and returns the lines that they complete.
    public mutating func append(_ bytes: some Collection<UInt8>) -> [Line] {
        var lines: [Line] = []
        var rest = bytes[...]
        while let lineBreak = rest.firstIndex(of: UInt8(ascii: "\n")) {
            keep(rest[..<lineBreak])
            lines.append(takeLine())
            rest = rest[rest.index(after: lineBreak)...]
        }
        if !rest.isEmpty { keep(rest) }
        return lines
    }
    // snippet-end: append

    /// The last line, if no line break followed it; call it at the end of the data.
    public mutating func finish() -> Line? { hasBegun ? takeLine() : nil }

    private mutating func keep(_ part: some Collection<UInt8>) {
        hasBegun = true
        let room = limit - pending.count
        if part.count > room { isCut = true }
        pending.append(contentsOf: part.prefix(room))
    }

    private mutating func takeLine() -> Line {
        defer { (pending, hasBegun, isCut) = ([], false, false) }
        return Line(text: String(decoding: pending, as: UTF8.self), isCut: isCut)
    }
}
