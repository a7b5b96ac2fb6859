import CTestSupport
import Glibc
import Talloc
import TestSupport
import Tevent
import XCTest

/// What the engine's suites share: contexts with both backends, descriptors that are closed at the end, and failures
/// that name the backend.
class EngineTestCase: XCTestCase {
    private var backend: String?
    private var opened: Set<Int32> = []

    /// Runs a test with a context of each backend whose clock moves only by hand; it fails if the test leaves anything
    /// open.
    func onBothBackends(
        line: UInt = #line, _ body: (_ events: EventContext, _ clock: ManualClock) throws -> Void
    ) throws {
        try onEachBackend(line: line) { backend in
            let clock = ManualClock()
            let events = try EventContext(backend: backend, clock: clock)
            defer { if !events.isFreed { events.free() } }
            try body(events, clock)
        }
    }

    /// Runs a test with a context of each backend that really waits, but only for a limited time.
    func onBothBackendsInRealTime(line: UInt = #line, _ body: (_ events: EventContext) throws -> Void) throws {
        try onEachBackend(line: line) { backend in
            let events = try EventContext(backend: backend)
            defer { if !events.isFreed { events.free() } }
            events.maximumWait = .seconds(30)
            try body(events)
        }
    }

    /// Runs a test once for each backend.
    func onEachBackend(line: UInt = #line, _ body: (_ backend: String) throws -> Void) throws {
        for backend in EventContext.backends {
            self.backend = backend
            let before = openDescriptors()
            defer {
                closeAll()
                XCTAssertEqual(openDescriptors(), before, "descriptors were left open", line: line)
                self.backend = nil
            }
            try body(backend)
        }
    }

    override class func setUp() { prepareDispatch() }

    /// A pipe that is closed when the test ends.
    func pipe() throws -> (reader: Int32, writer: Int32) {
        let pipe = try SystemIO.pipe()
        return (moved(pipe.reader), moved(pipe.writer))
    }

    /// Two connected sockets that are closed when the test ends.
    func sockets() throws -> (Int32, Int32) {
        let sockets = try SystemIO.socketPair()
        return (moved(sockets.0), moved(sockets.1))
    }

    /// A copy of a descriptor with the lowest free number above those that other threads may take.
    ///
    /// Therefore a number that a test closes stays closed until the test opens its next descriptor.
    func copy(_ descriptor: Int32) -> Int32 { opened(fcntl(descriptor, F_DUPFD_CLOEXEC, 100)) }

    private func moved(_ descriptor: Int32) -> Int32 {
        defer { SystemIO.close(descriptor) }
        return copy(descriptor)
    }

    /// The reader of a pipe with a byte in it.
    func readyDescriptor() throws -> Int32 {
        let pipe = try pipe()
        write(pipe.writer)
        return pipe.reader
    }

    /// A descriptor that a system call has just returned; it is closed when the test ends.
    func opened(_ descriptor: Int32) -> Int32 {
        XCTAssertGreaterThanOrEqual(descriptor, 0, "open failed")
        opened.insert(descriptor)
        return descriptor
    }

    func close(_ descriptor: Int32) {
        opened.remove(descriptor)
        SystemIO.close(descriptor)
    }

    private func closeAll() {
        for descriptor in opened { SystemIO.close(descriptor) }
        opened = []
    }

    func write(_ descriptor: Int32, _ text: String = "x") {
        XCTAssertEqual(try SystemIO.write(descriptor, Array(text.utf8)), text.utf8.count)
    }

    func read(_ descriptor: Int32) throws -> String {
        switch try SystemIO.read(descriptor) {
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .endOfFile: return "end of file"
        case .wouldBlock: return "would block"
        }
    }

    func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

    override func recordFailure(
        withDescription description: String, inFile filePath: String, atLine lineNumber: Int, expected: Bool
    ) {
        let prefix = backend.map { "[\($0)] " } ?? ""
        super.recordFailure(
            withDescription: prefix + description, inFile: filePath, atLine: lineNumber, expected: expected)
    }
}

/// Checks that an expression throws exactly this error.
func assertThrows<Value>(
    _ expected: TeventError, _ expression: @autoclosure () throws -> Value, file: StaticString = #filePath,
    line: UInt = #line
) {
    XCTAssertThrowsError(try expression(), file: file, line: line) {
        XCTAssertEqual($0 as? TeventError, expected, file: file, line: line)
    }
}

/// Checks that a child process ended by a trap that gives the reason.
func assertTrapped(
    _ result: ProgramResult, saying message: String, file: StaticString = #filePath, line: UInt = #line
) {
    XCTAssertNotNil(result.signal, "exit code \(result.exitCode ?? -1)", file: file, line: line)
    XCTAssertTrue(result.stderr.contains(message), "standard error was: \(result.stderr)", file: file, line: line)
}

/// The error of a function in a handler, which cannot throw; nil if it succeeds.
func failure<Value>(of body: () throws -> Value) -> TeventError? {
    do {
        _ = try body()
        return nil
    } catch { return error as? TeventError }
}

/// Calls, in a handler, which cannot throw, a function that cannot fail there.
@discardableResult
func sure<Value>(_ body: () throws -> Value) -> Value {
    do { return try body() } catch { fatalError("unexpected: \(error)") }
}

/// Adds an immediate that is freed after it has run.
func schedule(on events: EventContext, _ body: @escaping () -> Void) {
    sure { try ImmediateEvent(under: events) }.schedule(on: events) { immediate, _ in
        body()
        if !immediate.isFreed { immediate.free() }
    }
}

/// Counts the living objects among many that closures or states hold.
final class Tokens {
    var alive = 0

    final class Token {
        let tokens: Tokens
        init(_ tokens: Tokens) {
            self.tokens = tokens
            tokens.alive += 1
        }
        deinit { tokens.alive -= 1 }
    }
}

/// An object that a closure can hold, to see that it is released.
final class Token {
    var onEnd: () -> Void
    init(_ onEnd: @escaping () -> Void = {}) { self.onEnd = onEnd }
    deinit { onEnd() }
}

/// Numbers that look random, and are the same in every run with the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// Generates bytes eight at a time, so that millions of them take little time.
    mutating func bytes(count: Int) -> [UInt8] {
        let words = (0..<(count + 7) / 8).map { _ in next() }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }
}
