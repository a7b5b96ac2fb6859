import Tevent

/// A pipe whose reader empties it once a second, so that a writer that fills it has to wait.
///
/// The capacity of a pipe differs between machines, so messages are measured in pipefuls, each of which repeats one
/// letter.
public final class SlowReader {
    /// The end to write to; it does not block.
    public let writer: Int32
    /// How many bytes the empty pipe can hold.
    public let pipeful: Int

    private let reader: Int32
    private let clock: ManualClock
    private var isOpen = (reader: true, writer: true)
    private var runs: [(letter: Character, count: Int)] = []

    /// Creates the pipe, and measures how much it can hold.
    ///
    /// - Parameter clock: The reader's clock; the context whose loop writes must have the same one.
    /// - Throws: `TeventError.systemCall` when descriptors are exhausted.
    public init(clock: ManualClock) throws(TeventError) {
        self.clock = clock
        (reader, writer) = try SystemIO.pipe()
        do throws(TeventError) {
            pipeful = try SystemIO.write(writer, [UInt8](repeating: 0, count: 1 << 20))
            _ = try SystemIO.read(reader, upTo: pipeful)
        } catch {
            SystemIO.close(reader)
            SystemIO.close(writer)
            throw error
        }
    }

    /// Closes the pipe; call it when no request waits for it any more.
    public func close() {
        stopReading()
        closeWriter()
    }

    /// Closes the reading end; whatever writes from now on gets `EPIPE`.
    public func stopReading() {
        if isOpen.reader { SystemIO.close(reader) }
        isOpen.reader = false
    }

    /// Closes the end that is written to.
    public func closeWriter() {
        if isOpen.writer { SystemIO.close(writer) }
        isOpen.writer = false
    }

    /// A message that fills the pipe several times with a letter, which must be ASCII.
    public func message(_ letter: Character, pipefuls: Int) -> [UInt8] {
        [UInt8](repeating: letter.asciiValue ?? UInt8(ascii: "?"), count: pipefuls * pipeful)
    }

    // snippet: run
    /// Runs a loop until there is nothing left to wait for, and reads once a second, when the loop can only wait.
    ///
    /// - Throws: The errors of the loop, and `TeventError.systemCall`.
    public func run(_ events: EventContext) throws(TeventError) {
        while try events.loopWait() == .timedOut {
            clock.advance(by: .seconds(1))
            try read()
        }
        try read()
    }
    // snippet-end: run

    /// Reads everything in the pipe; does nothing if the reading end was closed.
    ///
    /// - Returns: Whether more may come.
    /// - Throws: `TeventError.systemCall`.
    @discardableResult
    public func read() throws(TeventError) -> Bool {
        while isOpen.reader {
            switch try SystemIO.read(reader, upTo: pipeful) {
            case .bytes(let bytes): note(bytes)
            case .wouldBlock: return true
            case .endOfFile: return false
            }
        }
        return false
    }

    private func note(_ bytes: [UInt8]) {
        // Compared as text, which is also fast in an unoptimised build.
        let text = String(decoding: bytes, as: UTF8.self)
        if let letter = text.first, text == String(repeating: letter, count: bytes.count) {
            note(letter, count: bytes.count)
        } else {
            for letter in text { note(letter, count: 1) }
        }
    }

    private func note(_ letter: Character, count: Int) {
        if let last = runs.indices.last, runs[last].letter == letter {
            runs[last].count += count
        } else {
            runs.append((letter, count))
        }
    }

    /// What was read, one letter for each pipeful that was begun, such as "AAAB".
    public var letters: String {
        runs.map { String(repeating: $0.letter, count: ($0.count + pipeful - 1) / pipeful) }.joined()
    }
}

@available(*, unavailable)
extension SlowReader: Sendable {}
