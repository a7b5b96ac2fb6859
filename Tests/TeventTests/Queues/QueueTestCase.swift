import Talloc
import Tevent
import XCTest

/// What the suites of queues share: a queue, a context that runs it, memory that outlives both, and notes of what
/// happens.
class QueueTestCase: EngineTestCase {
    /// What has happened since the last check, as text.
    private var notes: [String] = []

    /// Runs a test with a queue and a context of each backend; the queue and the requests are freed with the memory.
    func onBothBackendsWithQueue(
        line: UInt = #line,
        _ body: (_ queue: RequestQueue, _ events: EventContext, _ memory: TallocContext) throws -> Void
    ) throws {
        try onBothBackends(line: line) { events, _ in
            notes = []
            try withTallocContext { memory in
                events.maximumWait = .zero
                try body(try RequestQueue(label: "writes", under: memory), events, memory)
            }
            notes = []
        }
    }

    func note(_ note: String) { notes.append(note) }

    func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    /// Checks what has happened since the last check.
    func assertNoted(_ expected: [String], file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(takeNotes(), expected, file: file, line: line)
    }

    /// Adds a new request that notes its name when its turn comes, and then runs `work`.
    @discardableResult
    func add(
        _ name: String, to queue: RequestQueue, on events: EventContext, under parent: some TallocObject,
        trigger: @escaping (Request<Work>) -> Void = { _ in }
    ) throws -> Request<Work> {
        let request = try Request(Work(), under: parent)
        try add(name, request, to: queue, on: events, trigger: trigger)
        return request
    }

    /// Adds a request that notes a name when its turn comes, and then runs `work`.
    @discardableResult
    func add(
        _ name: String, _ request: Request<Work>, to queue: RequestQueue, on events: EventContext,
        trigger: @escaping (Request<Work>) -> Void = { _ in }
    ) throws -> RequestQueue.Entry {
        try queue.add(request, on: events) { [unowned self] request in
            note(name)
            trigger(request)
        }
    }

    /// Adds new requests, one for each name; each notes its name when its turn comes.
    @discardableResult
    func add(
        _ names: [String], to queue: RequestQueue, on events: EventContext, under parent: some TallocObject
    ) throws -> [Request<Work>] {
        try names.map { try add($0, to: queue, on: events, under: parent) }
    }

    /// Runs a loop until there is nothing left to do, and checks what happened meanwhile.
    func assertLoop(
        _ events: EventContext, notes expected: [String], file: StaticString = #filePath, line: UInt = #line
    ) throws {
        XCTAssertEqual(try events.loopWait(), .noEvents, file: file, line: line)
        assertNoted(expected, file: file, line: line)
    }
}
