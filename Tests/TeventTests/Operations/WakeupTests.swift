import Talloc
import Tevent
import XCTest

final class WakeupTests: EngineTestCase {
    func testAWakeupEndsAtItsTimeAndNotBefore() throws {
        try onBothBackends { events, clock in
            let request = try Wakeup.send(at: clock.now.advanced(by: .seconds(2)), on: events, under: events)
            var ended: [EventInstant] = []
            request.setCallback { _ in ended.append(clock.now) }
            clock.advance(by: .milliseconds(1999))
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertTrue(request.isInProgress)
            clock.advance(by: .milliseconds(1))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(ended, [clock.now])
            XCTAssertEqual(request.status, .done)
            XCTAssertNoThrow(try request.receive())
        }
    }

    func testADelayCountsFromNow() throws {
        try onBothBackends { events, clock in
            clock.advance(by: .seconds(10))
            _ = try Wakeup.send(after: .seconds(3), on: events, under: events)
            XCTAssertEqual(events.nextDeadline, clock.now.advanced(by: .seconds(3)))
            _ = try Wakeup.send(after: .seconds(-5), on: events, under: events)
            XCTAssertEqual(events.nextDeadline, clock.now, "a negative one counts as zero")
        }
    }

    func testATimeThatHasPassedEndsOnTheNextTurnNotInTheCall() throws {
        try onBothBackends { events, clock in
            for deadline in [EventInstant.zero, clock.now] {
                let request = try Wakeup.send(at: deadline, on: events, under: events)
                XCTAssertTrue(request.isInProgress)
                XCTAssertEqual(try events.loopOnce(), .handled)
                XCTAssertEqual(request.status, .done)
            }
        }
    }

    func testACancelledWakeupFailsAtOnceAndLeavesNoTimer() throws {
        try onBothBackends { events, _ in
            let request = try Wakeup.send(after: .seconds(1), on: events, under: events)
            var told = 0
            request.setCallback { _ in told += 1 }
            XCTAssertTrue(request.cancel())
            XCTAssertEqual(told, 1)
            XCTAssertFalse(events.hasEvents)
            XCTAssertThrowsError(try request.receive()) { XCTAssertEqual($0 as? RequestError, .cancelled) }
            XCTAssertFalse(request.cancel(), "it has ended")
        }
    }

    func testAnEndTimeBeforeTheTimeWins() throws {
        try onBothBackends { events, clock in
            let request = try Wakeup.send(after: .seconds(5), on: events, under: events)
            try request.setEndTime(after: .seconds(1), on: events)
            clock.advance(by: .seconds(9))
            XCTAssertEqual(try events.loopWait(), .noEvents, "the other timer is freed")
            XCTAssertEqual(request.status, .timedOut)
        }
    }

    func testFreeingAWakeupInProgressTakesItsTimerAlong() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            let request = try Wakeup.send(after: .seconds(1), on: events, under: events)
            do {
                let token = Token()
                held = token
                request.setCallback { _ in withExtendedLifetime(token) {} }
            }
            XCTAssertNotNil(held)
            request.free()
            XCTAssertNil(held)
            XCTAssertFalse(events.hasEvents)
        }
    }

    func testACallbackMayFreeTheRequestOrItsParent() throws {
        try onBothBackends { events, _ in
            for freesParent in [false, true] {
                let parent = try TallocContext(under: events)
                let request = try Wakeup.send(after: .zero, on: events, under: parent)
                request.setCallback { request in if freesParent { parent.free() } else { request.free() } }
                XCTAssertEqual(try events.loopWait(), .noEvents)
                XCTAssertTrue(request.isFreed)
            }
        }
    }

    func testARequestCanWakeUpAgainAndAgain() throws {
        try onBothBackends { events, clock in
            let start = clock.now
            var times: [EventInstant] = []
            func waitAgain() throws {
                try Wakeup.send(after: .seconds(1), on: events, under: events).setCallback { request in
                    request.free()
                    times.append(clock.now)
                    if times.count < 3 { sure { try waitAgain() } }
                }
            }
            try waitAgain()
            for _ in 1...3 {
                clock.advance(by: .seconds(1))
                _ = try events.loopWait()
            }
            XCTAssertEqual(times.map { start.duration(to: $0) }, [.seconds(1), .seconds(2), .seconds(3)])
            XCTAssertFalse(events.hasEvents)
        }
    }

    func testNoMemoryAtAnyAllocation() throws {
        try onEachBackend { backend in
            try failingEachAllocation { memory, token in
                let events = try EventContext(under: memory, backend: backend)
                let request = try Wakeup.send(after: .zero, on: events, under: memory)
                request.setCallback { _ in withExtendedLifetime(token) {} }
                try request.poll(on: events)
                try request.receive()
            }
        }
    }
}
