import Talloc
import TestSupport
import TeventTasks
import XCTest

/// What the chapter's tests share: a loop whose clock moves by hand, with each backend, and notes of what happened when.
class AsyncTestCase: XCTestCase {
    private(set) var backend = ""
    private(set) var memory: TallocContext!
    private(set) var events: EventContext!
    private(set) var clock: ManualClock!
    /// What happened, in order: the second and a text.
    private(set) var notes: [String] = []
    private var start = EventInstant.zero

    override class func setUp() { prepareDispatch() }

    /// Runs a test with each backend; it fails if the test leaves memory or descriptors behind.
    func onEachBackend(
        file: StaticString = #filePath, line: UInt = #line, _ test: () throws -> Void
    ) throws {
        for backend in EventContext.backends {
            let before = Set(openDescriptors().keys)
            self.backend = backend
            memory = try TallocContext(named: "test")
            clock = ManualClock()
            start = clock.now
            events = try EventContext(under: memory, backend: backend, clock: clock)
            notes = []
            do { try test() } catch { XCTFail("with \(backend): \(error)", file: file, line: line) }
            memory.free()
            let left = Set(openDescriptors().keys).subtracting(before)
            XCTAssertEqual(left, [], "with \(backend), descriptors were left open", file: file, line: line)
        }
    }

    /// Notes what happened, with the second at which it did.
    func note(_ text: String) { notes.append("\(start.duration(to: clock.now) / .seconds(1)) \(text)") }

    /// Notes what a function returned or threw.
    func noteResult(of body: () async throws -> some Any) async {
        do { note("\(try await body())") } catch { note("\(error)") }
    }

    func assertNotes(_ expected: [String], file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(notes, expected, "with \(backend)", file: file, line: line)
    }
}

struct Oops: Error, Equatable {}
