import Talloc
import Tevent
import XCTest

final class ImmediateTests: EngineTestCase {
    func testAnImmediateRunsOnceWhenTheLoopComesToIt() throws {
        try onBothBackends { events, _ in
            var runs = 0
            let immediate = try ImmediateEvent(under: events)
            XCTAssertFalse(immediate.isScheduled)
            XCTAssertEqual(try events.loopOnce(), .noEvents, "made is not scheduled")
            immediate.schedule(on: events) { same, context in
                XCTAssertEqual(same, immediate)
                XCTAssertEqual(context, events)
                XCTAssertFalse(same.isScheduled, "it is free to be scheduled again")
                runs += 1
            }
            XCTAssertTrue(immediate.isScheduled)
            XCTAssertEqual(runs, 0, "scheduling runs nothing")
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 1)
            XCTAssertFalse(immediate.isFreed)
        }
    }

    func testAnImmediateMayBeScheduledAgainInItsOwnHandler() throws {
        try onBothBackends { events, _ in
            var runs = 0
            func handler(_ immediate: ImmediateEvent, _ events: EventContext) {
                runs += 1
                if runs < 10 { immediate.schedule(on: events, handler) }
            }
            try ImmediateEvent(under: events).schedule(on: events, handler)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 10)
        }
    }

    func testSchedulingAgainReplacesWhatWasScheduledAndGoesToTheEnd() throws {
        try onBothBackends { events, _ in
            var order: [String] = []
            let first = try ImmediateEvent(under: events)
            first.schedule(on: events) { _, _ in order.append("replaced") }
            schedule(on: events) { order.append("second") }
            first.schedule(on: events) { _, _ in order.append("first") }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(order, ["second", "first"])
        }
    }

    func testAnImmediateMovesFromOneContextToAnother() throws {
        try onBothBackends { events, _ in
            let other = try EventContext(under: events)
            let immediate = try ImmediateEvent(under: events)
            immediate.schedule(on: other) { _, _ in XCTFail("it was moved away") }
            var runs = 0
            immediate.schedule(on: events) { _, _ in runs += 1 }
            XCTAssertFalse(other.hasEvents)
            XCTAssertEqual(immediate.context, events)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 1)
        }
    }

    func testCancellingUndoesTheSchedulingAndReleasesTheHandler() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            let immediate = try ImmediateEvent(under: events)
            immediate.cancel()
            do {
                let token = Token()
                held = token
                immediate.schedule(on: events) { _, _ in XCTFail("\(token)") }
            }
            XCTAssertNotNil(held)
            immediate.cancel()
            XCTAssertNil(held)
            XCTAssertFalse(immediate.isScheduled)
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    func testTheHandlerIsReleasedAfterItHasRun() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            let immediate = try ImmediateEvent(under: events)
            do {
                let token = Token()
                held = token
                immediate.schedule(on: events) { _, _ in withExtendedLifetime(token) {} }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertNil(held)
        }
    }

    func testFreeingAnImmediateCancelsItAndReleasesTheHandler() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            let immediate = try ImmediateEvent(under: events)
            do {
                let token = Token()
                held = token
                immediate.schedule(on: events) { _, _ in XCTFail("\(token)") }
            }
            immediate.free()
            XCTAssertNil(held)
            XCTAssertFalse(events.hasEvents)
        }
    }

    func testAHandlerMayFreeItsOwnImmediateOthersAndTheContext() throws {
        try onBothBackends { events, _ in
            let own = try ImmediateEvent(under: events)
            let other = try ImmediateEvent(under: events)
            own.schedule(on: events) { own, _ in
                own.free()
                other.free()
            }
            other.schedule(on: events) { _, _ in XCTFail("freed") }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertTrue(own.isFreed && other.isFreed)
            schedule(on: events) { events.free() }
            XCTAssertEqual(try events.loopOnce(), .contextFreed)
        }
    }

    func testAHandlersDeinitMayScheduleTheSameImmediate() throws {
        try onBothBackends { events, _ in
            let immediate = try ImmediateEvent(under: events)
            var log: [String] = []
            do {
                let token = Token { immediate.schedule(on: events) { _, _ in log.append("from deinit") } }
                immediate.schedule(on: events) { _, _ in XCTFail("\(token)") }
            }
            immediate.schedule(on: events) { _, _ in log.append("replaced by deinit") }
            XCTAssertEqual(events.immediates, [immediate], "it is in the list once")
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(log, ["from deinit"], "the last to schedule wins")
        }
    }

    func testAHandlersDeinitMayFreeTheImmediateAndTheContext() throws {
        for freesContext in [false, true] {
            try onBothBackends { events, _ in
                let immediate = try ImmediateEvent(under: events)
                do {
                    let token = Token { if freesContext { events.free() } else { immediate.free() } }
                    immediate.schedule(on: events) { _, _ in XCTFail("\(token)") }
                }
                immediate.schedule(on: events) { _, _ in XCTFail("freed") }
                XCTAssertTrue(immediate.isFreed)
                XCTAssertEqual(events.isFreed, freesContext)
            }
        }
    }

    func testAHandlersDeinitMayScheduleAnotherWhileTheContextIsFreed() throws {
        try onBothBackends { events, _ in
            let memory = try TallocContext()
            defer { memory.free() }
            let elsewhere = try EventContext(under: memory)
            let immediate = try ImmediateEvent(under: memory)
            do {
                let token = Token { immediate.schedule(on: elsewhere) { _, _ in } }
                immediate.schedule(on: events) { _, _ in XCTFail("\(token)") }
            }
            events.free()
            XCTAssertEqual(immediate.context, elsewhere)
        }
    }
}
