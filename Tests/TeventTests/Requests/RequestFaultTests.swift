import CLinux
import XCTest

@testable import Talloc
@testable import Tevent

/// Runs out of memory at every allocation of a cascade of requests in turn: each failure reaches the top.
final class RequestFaultTests: EngineTestCase {
    /// Raises a memory limit step by step until the cascade succeeds, and returns what was seen on the way.
    private func underEveryLimit(_ backend: String, step: Int) throws -> (failures: Set<String>, limit: Int) {
        var failures: Set<String> = []
        for limit in stride(from: step, through: 100_000, by: step) {
            let tokens = Tokens()
            let memory = try TallocContext()
            let clock = ManualClock()
            let events = try EventContext(under: memory, backend: backend, clock: clock)
            let blocks = memory.totalBlocks
            try memory.setMemoryLimit(bytes: limit)
            let outcome = run(on: events, clock, under: memory, tokens)
            XCTAssertEqual(tokens.alive, 0, "under a limit of \(limit) bytes")
            XCTAssertFalse(events.hasEvents, "under a limit of \(limit) bytes")
            // The heap of timers may have grown once.
            XCTAssertLessThanOrEqual(memory.totalBlocks, blocks + 1, "under a limit of \(limit) bytes")
            memory.free()
            guard let failed = outcome else { return (failures, limit) }
            failures.insert(failed)
        }
        XCTFail("no limit sufficed")
        return (failures, 0)
    }

    /// Runs the cascade once; returns nil if it succeeded, otherwise where it failed and what could not be allocated.
    private func run(
        on events: EventContext, _ clock: ManualClock, under memory: TallocContext, _ tokens: Tokens
    ) -> String? {
        let request: Request<Run>
        do { request = try Run.send(on: events, under: memory, tokens) } catch {
            return "never made: \(missing(error))"
        }
        defer { request.free() }
        var ended = false
        request.setCallback { _ in ended = true }
        for _ in 0..<10 where !ended {
            _ = sure { try events.loopWait() }
            clock.advance(by: .milliseconds(1))
        }
        XCTAssertTrue(ended, "no callback was called for the end")
        if request.status == .done {
            XCTAssertEqual(try request.receive(), ["run", "foo", "bar", "test", "test"])
            return nil
        }
        XCTAssertEqual(request.status, .noMemory)
        let reached = request.state.reached
        do {
            _ = try request.receive()
            return nil
        } catch { return "\(reached): \(missing(error))" }
    }

    /// What could not be allocated.
    private func missing(_ error: any Error) -> String {
        guard case TeventError.outOfMemory(let name) = error else { return "\(error)" }
        return name
    }

    func testEveryFailureReachesTheTopAsNoMemoryAndLeavesNothing() throws {
        try onEachBackend { backend in
            // Once without a limit, so that there are enough handles for everything that follows.
            let memory = try TallocContext()
            let clock = ManualClock()
            let events = try EventContext(under: memory, backend: backend, clock: clock)
            XCTAssertNil(run(on: events, clock, under: memory, Tokens()))
            memory.free()

            let slots = freeSlots()
            let (failures, limit) = try underEveryLimit(backend, step: 8)
            XCTAssertEqual(freeSlots(), slots, "handles were lost")
            XCTAssertGreaterThan(limit, 1_000)
            let all = ["foo", "bar", "test"].flatMap { ["\($0): struct tevent_req", "\($0): struct tevent_timer"] }
            XCTAssertEqual(failures, Set(all + ["never made: struct tevent_req", "run: struct tevent_timer"]))
        }
    }

    /// How many handles this thread could give to new objects without requesting more slots.
    private func freeSlots() -> Int {
        let free = clinux_free_slots_here()!.pointee
        return free.count + (free.set_aside == nil ? 0 : SlotDepot.longestList)
    }
}

// The cascade: Run asks Foo, which asks Bar, which runs two Tests side by side. Each has a deadline, and its own timer
// that the work waits for.

/// What all of them remember.
private protocol Step {
    var words: [String] { get set }
}

extension Request where State: Step {
    /// Waits a moment within the deadline, and then takes the next step; or ends the request and posts it.
    fileprivate func begin(on events: EventContext, _ next: @escaping () throws -> Void) -> Self {
        setCleanup { _, _ in }
        let begun: Void? = attempt {
            try setEndTime(after: .seconds(1), on: events)
            try events.addTimer(after: .milliseconds(1), under: self) { _, _ in attempt(next) }
        }
        if begun == nil { post(on: events) }
        return self
    }
}

private struct Run: Step {
    var words = ["run"]
    let token: Tokens.Token
    var reached = "run"

    static func send(
        on events: EventContext, under parent: some TallocObject, _ tokens: Tokens
    ) throws -> Request<Run> {
        let request = try Request(Run(token: .init(tokens)), under: parent)
        return request.begin(on: events) {
            request.state.reached = "foo"
            try Foo.send(on: events, under: request, tokens) { request.state.reached = $0 }.setCallback { foo in
                guard let words = request.attempt({ try foo.receive { $0.words } }) else { return }
                foo.free()
                request.state.words += words
                request.finish()
            }
        }
    }
}

extension Request<Run> {
    fileprivate func receive() throws -> [String] { try receive { $0.words } }
}

private struct Foo: Step {
    var words = ["foo"]
    let token: Tokens.Token

    static func send(
        on events: EventContext, under parent: some TallocObject, _ tokens: Tokens, _ reach: @escaping (String) -> Void
    ) throws -> Request<Foo> {
        let request = try Request(Foo(token: .init(tokens)), under: parent)
        return request.begin(on: events) {
            reach("bar")
            try Bar.send(on: events, under: request, tokens, reach).setCallback { bar in
                guard let words = request.attempt({ try bar.receive { $0.words } }) else { return }
                bar.free()
                request.state.words += words
                request.deferCallback(on: events)
                request.finish()
            }
        }
    }
}

private struct Bar: Step {
    var words = ["bar"]
    let token: Tokens.Token
    var underWay = 0

    static func send(
        on events: EventContext, under parent: some TallocObject, _ tokens: Tokens, _ reach: @escaping (String) -> Void
    ) throws -> Request<Bar> {
        let request = try Request(Bar(token: .init(tokens)), under: parent)
        return request.begin(on: events) {
            reach("test")
            for _ in 0..<2 {
                let test = try Test.send(on: events, under: request, tokens)
                test.setCallback { testDone($0, request) }
                request.state.underWay += 1
            }
        }
    }

    private static func testDone(_ test: Request<Test>, _ request: Request<Bar>) {
        guard let words = request.attempt({ try test.receive { $0.words } }) else { return }
        test.free()
        request.state.words += words
        request.state.underWay -= 1
        if request.state.underWay == 0 { request.finish() }
    }
}

private struct Test: Step {
    var words = ["test"]
    let token: Tokens.Token

    static func send(on events: EventContext, under parent: some TallocObject, _ tokens: Tokens) throws -> Request<Test>
    {
        let request = try Request(Test(token: .init(tokens)), under: parent)
        return request.begin(on: events) { request.finish() }
    }
}
