import Glibc
import Talloc
import TestSupport
import TeventTasks
import XCTest

/// What the suites of tasks share: contexts with both backends whose clock moves by hand, and notes of what happened.
class TaskTestCase: XCTestCase {
    private var backend: String?

    /// Runs a test once with each backend; it fails if the test leaves descriptors open.
    func onBothBackends(
        line: UInt = #line,
        _ body: (_ events: EventContext, _ memory: TallocContext, _ clock: ManualClock) throws -> Void
    ) throws {
        for backend in EventContext.backends {
            self.backend = backend
            let before = openDescriptors()
            let memory = try TallocContext()
            let clock = ManualClock()
            let events = try EventContext(under: memory, backend: backend, clock: clock)
            defer {
                if !memory.isFreed { memory.free() }
                XCTAssertEqual(openDescriptors(), before, "descriptors were left open", line: line)
                self.backend = nil
            }
            try body(events, memory, clock)
        }
    }

    override class func setUp() { prepareDispatch() }

    override func recordFailure(
        withDescription description: String, inFile filePath: String, atLine lineNumber: Int, expected: Bool
    ) {
        let prefix = backend.map { "[\($0)] " } ?? ""
        super.recordFailure(
            withDescription: prefix + description, inFile: filePath, atLine: lineNumber, expected: expected)
    }
}

/// What happened, in order.
final class Notes {
    var lines: [String] = []

    func add(_ line: String) { lines.append(line) }

    /// Notes the error of a function, or that there was none.
    func addError(of body: () async throws -> Void) async {
        do {
            try await body()
            add("no error")
        } catch { add("\(name(of: error))") }
    }
}

/// An error in a word or two.
func name(of error: any Error) -> String {
    switch error {
    case TaskError.freed: "freed"
    case TaskError.loopEnded: "loopEnded"
    case TaskError.unanswered: "unanswered"
    case RequestError.cancelled: "cancelled"
    case RequestError.timedOut: "timedOut"
    case RequestError.code(let code): "code \(code)"
    default: "\(error)"
    }
}

/// An object that says when it is released.
final class Token {
    let onEnd: () -> Void
    init(_ onEnd: @escaping () -> Void) { self.onEnd = onEnd }
    deinit { onEnd() }
}

/// The calling thread, as a number.
func thisThread() -> UInt { UInt(pthread_self()) }

/// Checks that a child process ended by a trap that gives the reason.
func assertTrapped(
    _ result: ProgramResult, saying message: String, file: StaticString = #filePath, line: UInt = #line
) {
    XCTAssertNotNil(result.signal, "exit code \(result.exitCode ?? -1)", file: file, line: line)
    XCTAssertTrue(result.stderr.contains(message), "standard error was: \(result.stderr)", file: file, line: line)
}
