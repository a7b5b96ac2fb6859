import XCTest

@testable import Tevent

final class ClockTests: XCTestCase {
    func testInstantsStopAtTheEndsOfTheClock() {
        let late = EventInstant(nanoseconds: .max - 1)
        XCTAssertEqual(late.advanced(by: .seconds(1)).nanoseconds, .max)
        XCTAssertEqual(EventInstant(nanoseconds: .min + 1).advanced(by: .seconds(-1)).nanoseconds, .min)
        XCTAssertEqual(EventInstant.zero.advanced(by: .seconds(Int64.max)).nanoseconds, .max)
        XCTAssertEqual(EventInstant.zero.advanced(by: .seconds(Int64.min)).nanoseconds, .min)
    }

    func testDurationsOfAnyLengthStopThereToo() {
        for length in [1e19, 1e20] {
            XCTAssertEqual(EventInstant.zero.advanced(by: .seconds(length)).nanoseconds, .max)
            XCTAssertEqual(EventInstant(nanoseconds: 7).advanced(by: .seconds(-length)).nanoseconds, .min)
        }
        XCTAssertEqual(Int64.min.distanceClamped(to: .max), .max)
        XCTAssertEqual(Int64.max.distanceClamped(to: .min), .min)
        XCTAssertEqual(Int64(5).distanceClamped(to: 3), -2)
    }

    func testTimesAtTheEndsOfTheClockHaveAMeaningForEverything() throws {
        let longest = Duration.seconds(1e19)
        for backend in EventContext.backends {
            let clock = ManualClock()
            let events = try EventContext(backend: backend, clock: clock)
            defer { events.free() }
            var runs = 0
            try events.addTimer(after: longest) { _, _ in runs += 100 }
            try events.addTimer(after: .zero - longest) { timer, _ in
                runs += 1
                if clock.now.nanoseconds < .max { timer.update(after: longest) }
            }
            try events.addTimer(at: EventInstant(nanoseconds: .min)) { _, _ in runs += 1 }
            _ = try Wakeup.send(after: longest, on: events, under: events)
            let request = try Request(Work(), under: events)
            try request.setEndTime(after: longest, on: events)
            for wait in [longest, .zero - longest, .seconds(Int64.max), .seconds(Int64.min)] {
                events.maximumWait = wait
                XCTAssertEqual(try events.loopWait(), .timedOut)
            }
            XCTAssertEqual(runs, 2)
            clock.advance(by: longest)
            XCTAssertEqual(clock.now.nanoseconds, .max)
            clock.advance(by: longest)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 103)
            XCTAssertEqual(request.status, .timedOut)
        }
    }

    func testALongestWaitInThePastIsOverAtOnce() throws {
        for backend in EventContext.backends {
            let events = try EventContext(backend: backend)
            defer { events.free() }
            try events.addTimer(after: .seconds(3600)) { _, _ in }
            for wait in [Duration.seconds(Int64.min), .nanoseconds(-1), .zero] {
                events.maximumWait = wait
                XCTAssertEqual(try events.loopOnce(), .timedOut)
            }
        }
    }

    func testDurationsAndInstantsAddUp() {
        let start = EventInstant(nanoseconds: 5)
        let end = start.advanced(by: .milliseconds(3))
        XCTAssertEqual(end.nanoseconds, 3_000_005)
        XCTAssertEqual(start.duration(to: end), .milliseconds(3))
        XCTAssertEqual(end.duration(to: start), .milliseconds(-3))
        XCTAssertLessThan(start, end)
        XCTAssertEqual(
            EventInstant(nanoseconds: .min).duration(to: EventInstant(nanoseconds: .max)).components.seconds,
            18_446_744_073)
    }

    func testAnInstantIsShownInSeconds() {
        XCTAssertEqual("\(EventInstant(nanoseconds: 2_500_000_000))", "2.5 s")
    }

    func testAManualClockMovesOnlyByHand() {
        let clock = ManualClock(now: EventInstant(nanoseconds: 10))
        XCTAssertEqual(clock.now.nanoseconds, 10)
        clock.advance(by: .nanoseconds(5))
        clock.advance(by: .zero)
        XCTAssertEqual(clock.now.nanoseconds, 15)
    }

    func testWaitingTimesAreRoundedUpSoThatNoTimerIsEarly() {
        XCTAssertEqual(systemTimeout(nil), -1)
        XCTAssertEqual(systemTimeout(0), 0)
        XCTAssertEqual(systemTimeout(1), 1)
        XCTAssertEqual(systemTimeout(1_000_000), 1)
        XCTAssertEqual(systemTimeout(1_000_001), 2)
        XCTAssertEqual(systemTimeout(.max), .max)
    }
}
