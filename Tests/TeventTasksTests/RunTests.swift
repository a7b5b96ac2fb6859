import Glibc
import TestSupport
import TeventTasks
import XCTest

/// What `run` promises: order, results, refusal.
final class RunTests: TaskTestCase {
    func testRunReturnsWhatItsFunctionReturns() throws {
        try onBothBackends { events, _, _ in XCTAssertEqual(try events.run { 42 }, 42) }
    }

    func testRunThrowsWhatItsFunctionThrows() throws {
        try onBothBackends { events, _, _ in
            XCTAssertThrowsError(try events.run { throw RequestError.code(7) }) {
                XCTAssertEqual($0 as? RequestError, .code(7))
            }
        }
    }

    func testTasksImmediatesAndTimersHaveTheSameOrderInEachRun() throws {
        try onBothBackends { events, memory, clock in
            let first = try order(on: events, under: memory, clock)
            XCTAssertEqual(
                first,
                [
                    "0: root begins", "0: root waits", "0: one begins", "0: immediate", "0: two begins", "1: timer",
                    "1: two wakes", "1: two ends", "2: timer", "2: one wakes", "2: root ends",
                ])
            for _ in 0..<500 where try order(on: events, under: memory, clock) != first {
                return XCTFail("another order")
            }
        }
    }

    private func order(on events: EventContext, under memory: TallocContext, _ clock: ManualClock) throws -> [String] {
        let notes = Notes()
        let start = clock.now
        func note(_ text: String) { notes.add("\(start.duration(to: clock.now).components.seconds): \(text)") }
        try events.run {
            note("root begins")
            let one = try events.task(under: memory) {
                note("one begins")
                try await events.sleep(for: .seconds(2))
                note("one wakes")
            }
            let immediate = try ImmediateEvent(under: memory)
            immediate.schedule(on: events) { immediate, _ in
                note("immediate")
                immediate.free()
            }
            let two = try events.task(under: memory) {
                note("two begins")
                try await events.sleep(for: .seconds(1))
                note("two wakes")
                await Task.yield()
                note("two ends")
            }
            try events.addTimer(after: .seconds(1)) { _, _ in note("timer") }
            try events.addTimer(after: .seconds(2)) { _, _ in note("timer") }
            note("root waits")
            try await one.value
            try await two.value
            note("root ends")
        }
        return notes.lines
    }

    func testRunInAHandlerIsRefusedAndItsFunctionNeverCalled() throws {
        try onBothBackends { events, _, _ in
            try events.run {
                XCTAssertThrowsError(try self.runAgain(events)) { XCTAssertEqual($0 as? TeventError, .nestedLoop) }
            }
        }
    }

    private func runAgain(_ events: EventContext) throws -> Int { try events.run { 5 } }

    func testRunInRunIsAllowedWithNesting() throws {
        try onBothBackends { events, memory, _ in
            events.allowNesting()
            let notes = Notes()
            try events.run {
                let other = try events.task(under: memory) { notes.add("another task") }
                notes.add("inner \(try self.runAgain(events))")
                try await other.value
            }
            XCTAssertEqual(notes.lines, ["another task", "inner 5"])
        }
    }

    func testALoopInsideRunDoesNotSleepWithAManualClock() throws {
        try onBothBackends { events, _, _ in
            events.allowNesting()
            // Otherwise it would sleep without end.
            alarm(60)
            defer { alarm(0) }
            try events.run { XCTAssertEqual(try events.loopOnce(), .timedOut) }
        }
    }

    func testAHookThatRefusesTheLoopKeepsTheFunctionFromBeingCalled() throws {
        try onBothBackends { events, _, _ in
            events.setNestingHook { _, _, _ in false }
            var isCalled = false
            XCTAssertThrowsError(try events.run { isCalled = true }) {
                XCTAssertEqual($0 as? TeventError, .loopRefused(level: 1))
            }
            events.setNestingHook(nil)
            try events.run {}
            XCTAssertFalse(isCalled)
        }
    }

    func testStoppingTheLoopCancelsTheFunction() throws {
        try onBothBackends { events, _, _ in
            try events.addTimer(after: .seconds(1)) { _, _ in events.stop() }
            XCTAssertThrowsError(try events.run { try await events.sleep(for: .seconds(100)) }) {
                XCTAssertEqual($0 as? RequestError, .cancelled)
            }
        }
    }

    func testALoopThatWaitsTooLongCancelsTheFunction() throws {
        let events = try EventContext()
        defer { events.free() }
        events.maximumWait = .milliseconds(1)
        XCTAssertThrowsError(try events.run { try await events.sleep(for: .seconds(100)) }) {
            XCTAssertEqual($0 as? RequestError, .cancelled)
        }
    }

    func testAnErrorOfTheLoopCancelsTheFunction() throws {
        try onBothBackends { events, memory, _ in
            let (one, other) = try SystemIO.socketPair()
            SystemIO.close(other)
            let event = try events.addFD(one, .write, under: memory) { _, _ in XCTFail("a closed descriptor is ready") }
            XCTAssertThrowsError(
                try events.run {
                    SystemIO.close(one)
                    try await events.sleep(for: .seconds(100))
                }
            ) { XCTAssertEqual($0 as? TeventError, .badDescriptor(one)) }
            event.free()
        }
    }

    func testTimePassesByItselfWithAManualClock() throws {
        try onBothBackends { events, _, clock in
            let start = clock.now
            try events.run { try await events.sleep(for: .seconds(3600)) }
            XCTAssertEqual(start.duration(to: clock.now), .seconds(3600))
        }
    }

    func testNothingIsLeftWhenRunReturns() throws {
        try onBothBackends { events, memory, _ in
            try events.run { try await events.sleep(for: .seconds(1)) }
            let blocks = memory.totalBlocks
            var isReleased = false
            let token = Token { isReleased = true }
            try run(events, keeping: token)
            XCTAssertEqual(memory.totalBlocks, blocks)
            XCTAssertFalse(isReleased)
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    private func run(_ events: EventContext, keeping token: Token) throws {
        try events.run {
            try await events.sleep(for: .seconds(1))
            withExtendedLifetime(token) {}
        }
    }
}
