import Talloc
import Tevent
import XCTest

/// Requests with a deadline.
final class RequestEndTimeTests: EngineTestCase {
    /// A request whose end is noted.
    private func request(under parent: some TallocObject, _ note: @escaping (String) -> Void) throws -> Request<Work> {
        let request = try Request(Work(), under: parent)
        request.setCallback { note("\($0.status)") }
        return request
    }

    func testARequestTimesOutWhenItsTimeHasComeAndNotBefore() throws {
        try onBothBackends { events, clock in
            var notes: [String] = []
            let request = try request(under: events) { notes.append($0) }
            XCTAssertNil(request.endTime)
            let deadline = events.now.advanced(by: .seconds(1))
            try request.setEndTime(at: deadline, on: events)
            XCTAssertEqual(request.endTime, deadline)
            clock.advance(by: .nanoseconds(999_999_999))
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            XCTAssertEqual(request.status, .inProgress)
            clock.advance(by: .nanoseconds(1))
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(notes, ["timed out"])
            XCTAssertNil(request.endTime)
            XCTAssertEqual(request.error as? RequestError, .timedOut)
            XCTAssertEqual(request.outcome(), "the request did not end in time")
        }
    }

    func testAnEndTimeCanBeExtended() throws {
        try onBothBackends { events, clock in
            var notes: [String] = []
            let request = try request(under: events) { notes.append($0) }
            try request.setEndTime(after: .seconds(1), on: events)
            try request.setEndTime(after: .seconds(3), on: events)
            XCTAssertEqual(events.timers.count, 1)
            clock.advance(by: .seconds(2))
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(notes, [])
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["timed out"])
        }
    }

    func testAnEndTimeCanBeShortened() throws {
        try onBothBackends { events, clock in
            var notes: [String] = []
            let request = try request(under: events) { notes.append($0) }
            try request.setEndTime(after: .seconds(3), on: events)
            try request.setEndTime(after: .seconds(1), on: events)
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["timed out"])
        }
    }

    func testAnEndTimeCanBeTakenAway() throws {
        try onBothBackends { events, clock in
            let request = try request(under: events) { XCTFail("it \($0)") }
            request.resetEndTime()
            try request.setEndTime(after: .seconds(1), on: events)
            request.resetEndTime()
            request.resetEndTime()
            XCTAssertNil(request.endTime)
            XCTAssertFalse(events.hasEvents)
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(request.status, .inProgress)
            XCTAssertEqual(request.totalBlocks, 1)
        }
    }

    func testAnEndTimeSetOnAnotherContextLeavesTheFirst() throws {
        try onBothBackends { events, clock in
            let other = try EventContext(backend: events.backend, clock: clock)
            defer { other.free() }
            var notes: [String] = []
            let request = try request(under: events) { notes.append($0) }
            try request.setEndTime(after: .seconds(1), on: events)
            try request.setEndTime(after: .seconds(2), on: other)
            XCTAssertFalse(events.hasEvents)
            XCTAssertEqual(request.endTime, other.now.advanced(by: .seconds(2)))
            clock.advance(by: .seconds(2))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, [])
            XCTAssertEqual(try other.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["timed out"])
        }
    }

    func testAnEndTimeInThePastEndsTheRequestOnTheNextTurn() throws {
        try onBothBackends { events, _ in
            for set in [
                { try $0.setEndTime(at: .zero, on: events) }, { try $0.setEndTime(after: .seconds(-5), on: events) },
            ] as [(Request<Work>) throws -> Void] {
                var notes: [String] = []
                let request = try request(under: events) { notes.append($0) }
                try set(request)
                XCTAssertEqual(notes, [])
                XCTAssertEqual(try events.loopOnce(), .handled)
                XCTAssertEqual(notes, ["timed out"])
            }
        }
    }

    func testANegativeDelayCountsAsNone() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            try request.setEndTime(after: .seconds(-5), on: events)
            XCTAssertEqual(request.endTime, events.now)
        }
    }

    func testAFreedRequestTakesItsEndTimeAlong() throws {
        try onBothBackends { events, clock in
            try withTallocContext { root in
                let request = try request(under: root) { XCTFail("it \($0)") }
                try request.setEndTime(after: .seconds(1), on: events)
                request.free()
                XCTAssertFalse(events.hasEvents)
                clock.advance(by: .seconds(1))
                XCTAssertEqual(try events.loopWait(), .noEvents)
            }
        }
    }

    func testAReceivedRequestTakesItsEndTimeAlong() throws {
        try onBothBackends { events, _ in
            let request = try request(under: events) { XCTFail("it \($0)") }
            try request.setEndTime(after: .seconds(1), on: events)
            request.discard()
            XCTAssertFalse(events.hasEvents)
            XCTAssertNil(request.endTime)
        }
    }

    func testARequestThatFinishedInTimeNeverTimesOut() throws {
        try onBothBackends { events, clock in
            var notes: [String] = []
            let request = try request(under: events) {
                notes.append($0)
                XCTAssertFalse(events.hasEvents, "the timer is freed before the callback")
            }
            try request.setEndTime(after: .seconds(1), on: events)
            request.finish()
            XCTAssertNil(request.endTime)
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["done"])
            XCTAssertEqual(request.status, .done)
        }
    }

    func testOfTheWorkAndTheEndTimeThatAreDueTogetherTheFirstCounts() throws {
        for workIsFirst in [true, false] {
            try onBothBackends { events, clock in
                var notes: [String] = []
                let request = try Request(Work(), under: events)
                request.setCallback { request in
                    notes.append("\(request.status)")
                    request.discard()
                }
                if !workIsFirst { try request.setEndTime(after: .seconds(1), on: events) }
                try events.addTimer(after: .seconds(1), under: request) { _, _ in request.finish() }
                if workIsFirst { try request.setEndTime(after: .seconds(1), on: events) }
                clock.advance(by: .seconds(1))
                XCTAssertEqual(try events.loopWait(), .noEvents)
                XCTAssertEqual(notes, [workIsFirst ? "done" : "timed out"])
            }
        }
    }

    func testAnEndedRequestTakesNoEndTime() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            request.finish()
            events.setTimerTrace { _, _ in XCTFail("there is nothing to wait for") }
            try request.setEndTime(after: .seconds(1), on: events)
            XCTAssertNil(request.endTime)
            XCTAssertFalse(events.hasEvents)
        }
    }

    func testAFreedContextTakesTheEndTimeAlongAndAnotherCanHaveItThen() throws {
        try onBothBackends { events, clock in
            let other = try EventContext(backend: events.backend, clock: clock)
            var notes: [String] = []
            let request = try request(under: events) { notes.append($0) }
            try request.setEndTime(after: .seconds(1), on: other)
            other.free()
            XCTAssertNil(request.endTime)
            XCTAssertEqual(request.status, .inProgress)
            try request.setEndTime(after: .zero, on: events)
            XCTAssertEqual(request.totalBlocks, 2, "the old timer is freed")
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["timed out"])
        }
    }

    func testWithoutMemoryTheEndTimeStaysAsItWas() throws {
        try onBothBackends { events, clock in
            try withTallocContext { root in
                let other = try EventContext(under: root, backend: events.backend, clock: clock)
                let request = try Request(Work(), under: root)
                try root.setMemoryLimit(bytes: 1)
                assertThrows(
                    .outOfMemory(name: "struct tevent_timer"), try request.setEndTime(after: .zero, on: events))
                XCTAssertNil(request.endTime)
                try root.setMemoryLimit(bytes: nil)
                try request.setEndTime(after: .seconds(1), on: events)
                try root.setMemoryLimit(bytes: 1)
                assertThrows(
                    .outOfMemory(name: "struct tevent_timer"), try request.setEndTime(after: .zero, on: other))
                XCTAssertEqual(request.endTime, events.now.advanced(by: .seconds(1)))
                try request.setEndTime(after: .seconds(2), on: events)
                XCTAssertEqual(request.endTime, events.now.advanced(by: .seconds(2)), "a move needs no memory")
                XCTAssertEqual(request.status, .inProgress)
            }
        }
    }

    func testATraceMayEndTheRequestWhoseTimeHasCome() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            let request = try request(under: events) { notes.append($0) }
            try request.setEndTime(after: .zero, on: events)
            events.setTimerTrace { _, point in if point == .beforeHandler { request.finish() } }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["done"])
        }
    }

    func testATraceMayFreeTheRequestWhoseEndTimeGoesWithItsEnd() throws {
        try onBothBackends { events, _ in
            let request = try request(under: events) { XCTFail("it is \($0)") }
            try request.setEndTime(after: .zero, on: events)
            events.setTimerTrace { _, point in
                guard point == .detach, !request.isFreed else { return }
                request.free()
                // Another request may get the memory.
                sure { try Request(Work(), under: events) }.setCleanup { _, status in XCTAssertEqual(status, .received)
                }
            }
            request.finish()
            XCTAssertTrue(request.isFreed)
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    func testATraceMayEndOrFreeTheRequestThatGetsAnotherEndTime() throws {
        for isFreed in [true, false] {
            try onBothBackends { events, clock in
                let other = try EventContext(under: events, backend: events.backend, clock: clock)
                let request = try Request(Work(), under: events)
                try request.setEndTime(after: .seconds(1), on: other)
                events.setTimerTrace { _, point in
                    guard point == .attach else { return }
                    if isFreed { request.free() } else { request.finish() }
                }
                try request.setEndTime(after: .zero, on: events)
                XCTAssertEqual(request.isFreed, isFreed)
                XCTAssertFalse(events.hasEvents, "a timer is left")
                XCTAssertFalse(other.hasEvents, "a timer is left")
                XCTAssertEqual(try events.loopWait(), .noEvents)
            }
        }
    }

    func testAnEndTimeThatWasMovedAwayDoesNotReachForAFreedOrReceivedRequest() throws {
        for isFreed in [true, false] {
            try onBothBackends { events, _ in
                let request = try request(under: events) { XCTFail("it \($0)") }
                try request.setEndTime(after: .zero, on: events)
                events.timers[0].move(under: events)
                if isFreed { request.free() } else { request.discard() }
                XCTAssertEqual(try events.loopWait(), .noEvents)
            }
        }
    }

    func testAnEndTimeWhoseTimerWasFreedIsNone() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            try request.setEndTime(after: .zero, on: events)
            events.timers[0].free()
            XCTAssertNil(request.endTime)
            request.resetEndTime()
            try request.setEndTime(after: .zero, on: events)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(request.status, .timedOut)
        }
    }
}
