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
