import Tevent

/// A pipe with a reader who empties it once a second, so that who writes more than it can hold has to wait.
///
/// How much a pipe can hold differs from machine to machine, so messages are measured in pipefuls: each is a letter.
public final class SlowReader {
    /// Where to write; it does not block.
    public let writer: Int32
    /// How many bytes the empty pipe can hold.
    public let pipeful: Int

    private let reader: Int32
    private let clock: ManualClock
    private var isOpen = (reader: true, writer: true)
    private var runs: [(letter: Character, count: Int)] = []

    /// Makes the pipe, and tries how much it can hold.
    ///
    /// - Parameter clock: What the reader lives by; the context whose loop writes must have the same.
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

    /// Closes the pipe; to be called when nobody waits for it any more.
    public func close() {
        stopReading()
        closeWriter()
    }

    /// Goes away: who writes from now on meets `EPIPE`.
    public func stopReading() {
        if isOpen.reader { SystemIO.close(reader) }
        isOpen.reader = false
    }

    /// Closes the end that is written to.
    public func closeWriter() {
        if isOpen.writer { SystemIO.close(writer) }
        isOpen.writer = false
    }

    /// A message that fills the pipe a number of times with a letter, which must be of ASCII.
    public func message(_ letter: Character, pipefuls: Int) -> [UInt8] {
        [UInt8](repeating: letter.asciiValue ?? UInt8(ascii: "?"), count: pipefuls * pipeful)
    }

    // snippet: run
    /// Runs a loop until nothing is left to wait for, and reads each time it can do nothing but wait: once a second.
    ///
    /// - Throws: What the loop throws, and `TeventError.systemCall`.
    public func run(_ events: EventContext) throws(TeventError) {
        while try events.loopWait() == .timedOut {
            clock.advance(by: .seconds(1))
            try read()
        }
        try read()
    }
    // snippet-end: run

    /// Takes all that is in the pipe; without effect once the reader has gone away.
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
        // Compared as text, because that is quick in a build that is not optimised, too.
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

    /// What was read, a letter for each pipeful that was begun, such as "AAAB".
    public var letters: String {
        runs.map { String(repeating: $0.letter, count: ($0.count + pipeful - 1) / pipeful) }.joined()
    }
}

@available(*, unavailable)
extension SlowReader: Sendable {}
