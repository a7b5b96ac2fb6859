import Talloc
import TestSupport
import Tevent
import XCTest

final class TimerTests: XCTestCase {
    func testATimerRunsNotBeforeItsTimeAndThenOnce() throws {
        try onEachBackend { bench in
            try bench.events.addTimer(after: .seconds(2)) { _, now in
                XCTAssertEqual(now, bench.clock.now)
                bench.log.add("timer", "runs")
            }
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            bench.clock.advance(by: .milliseconds(1999))
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            XCTAssertEqual(bench.log.who, [])
            bench.clock.advance(by: .milliseconds(1))
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["timer"])
        }
    }

    func testTimersRunByDeadlineNotInTheOrderTheyWereAdded() throws {
        try onEachBackend { bench in
            for delay in [30, 10, 40, 20] {
                try bench.events.addTimer(after: .milliseconds(delay)) { _, _ in bench.log.add("\(delay)", "runs") }
            }
            bench.clock.advance(by: .seconds(1))
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["10", "20", "30", "40"])
        }
    }

    func testTimersWithTheSameDeadlineRunInTheOrderTheyWereAdded() throws {
        try onEachBackend { bench in
            let deadline = bench.clock.now.advanced(by: .milliseconds(5))
            for number in 0..<100 {
                try bench.events.addTimer(at: deadline) { _, _ in bench.log.add("\(number)", "runs") }
            }
            bench.clock.advance(by: .milliseconds(5))
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, (0..<100).map(String.init))
        }
    }

    func testAnUpdatedTimerComesAfterThoseThatAreDueThen() throws {
        try onEachBackend { bench in
            let deadline = bench.clock.now.advanced(by: .milliseconds(5))
            let moved = try bench.events.addTimer(after: .milliseconds(1)) { _, _ in bench.log.add("moved", "runs") }
            try bench.events.addTimer(at: deadline) { _, _ in bench.log.add("other", "runs") }
            moved.update(at: deadline)
            XCTAssertEqual(moved.deadline, deadline)
            bench.clock.advance(by: .milliseconds(4))
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            bench.clock.advance(by: .milliseconds(1))
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["other", "moved"])
        }
    }

    func testATimerOfZeroRunsOnTheNextTurnWithoutTheClockMoving() throws {
        try onEachBackend { bench in
            try bench.events.addTimer(after: .zero) { _, _ in bench.log.add("after zero", "runs") }
            try bench.events.addTimer(at: .zero) { _, _ in bench.log.add("at zero", "runs") }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["at zero", "after zero"])
        }
    }

    func testANegativeDelayCountsAsZero() throws {
        try onEachBackend { bench in
            try bench.events.addTimer(after: .zero) { _, _ in bench.log.add("zero", "runs") }
            let timer = try bench.events.addTimer(after: .seconds(-5)) { _, _ in bench.log.add("negative", "runs") }
            XCTAssertEqual(timer.deadline, bench.clock.now)
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["zero", "negative"])
        }
    }

    func testFreeingATimerCancelsIt() throws {
        try onEachBackend { bench in
            let timer = try bench.events.addTimer(after: .zero) { _, _ in XCTFail("was freed") }
            timer.free()
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
        }
    }

    func testFreeingTheParentCancelsItsTimers() throws {
        try onEachBackend { bench in
            let parent = try TallocContext(under: bench.memory)
            let timer = try bench.events.addTimer(after: .zero, under: parent) { _, _ in XCTFail("was freed") }
            parent.free()
            XCTAssert(timer.isFreed)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
        }
    }

    func testATimerIsFreedAfterItsHandlerAndReleasesWhatThatHolds() throws {
        try onEachBackend { bench in
            weak var seen: Witness?
            let timer = try {
                let witness = Witness()
                seen = witness
                return try bench.events.addTimer(after: .zero) { timer, _ in
                    XCTAssertFalse(timer.isFreed)
                    XCTAssertNil(timer.deadline)
                    withExtendedLifetime(witness) {}
                }
            }()
            XCTAssertNotNil(seen)
            try bench.events.loopOnce()
            XCTAssert(timer.isFreed)
            XCTAssertNil(seen)
        }
    }

    func testATimerUpdatedInItsHandlerRunsAgain() throws {
        try onEachBackend { bench in
            var runs = 0
            let timer = try bench.events.addTimer(after: .milliseconds(10)) { timer, _ in
                runs += 1
                if runs < 3 { timer.update(after: .milliseconds(10)) }
            }
            bench.clock.advance(by: .milliseconds(10))
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            XCTAssertEqual(runs, 1)
            XCTAssertFalse(timer.isFreed)
            try bench.run()
            XCTAssertEqual(runs, 3)
            XCTAssert(timer.isFreed)
        }
    }

    func testAHandlerMayFreeItsOwnTimerAndOthers() throws {
        try onEachBackend { bench in
            var other: TimerEvent?
            try bench.events.addTimer(after: .zero) { timer, _ in
                timer.free()
                other?.free()
                bench.log.add("first", "runs")
            }
            other = try bench.events.addTimer(after: .zero) { _, _ in XCTFail("was freed by its neighbour") }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["first"])
        }
    }

    func testATimerAddedInAHandlerRunsLaterInTheSameLoop() throws {
        try onEachBackend { bench in
            try bench.events.addTimer(after: .zero) { _, _ in
                bench.log.add("first", "runs")
                do {
                    try bench.events.addTimer(after: .zero) { _, _ in bench.log.add("second", "runs") }
                } catch { XCTFail("\(error)") }
            }
            XCTAssertEqual(try bench.events.loopOnce(), .handled)
            XCTAssertEqual(bench.log.who, ["first"])
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["first", "second"])
        }
    }

    func testADueTimerRunsBeforeAReadyDescriptor() throws {
        try onEachBackend { bench in
            try bench.addReadyDescriptor()
            try bench.events.addTimer(after: .zero) { _, _ in bench.log.add("timer", "runs") }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["timer", "descriptor"])
        }
    }

    func testAZeroTimerThatUpdatesItselfStarvesADescriptorAndOneOfAMillisecondDoesNot() throws {
        for (delay, order) in [
            (Duration.zero, ["timer", "timer", "timer", "descriptor"]),
            (.milliseconds(1), ["timer", "descriptor", "timer", "timer"]),
        ] {
            try onEachBackend { bench in
                try bench.addReadyDescriptor()
                var runs = 0
                try bench.events.addTimer(after: .zero) { timer, _ in
                    bench.log.add("timer", "runs")
                    runs += 1
                    if runs < 3 { timer.update(after: delay) }
                }
                try bench.run()
                XCTAssertEqual(bench.log.who, order)
            }
        }
    }

    func testAHundredThousandTimersRunInOrder() throws {
        try onEachBackend { bench in
            var last = EventInstant.zero
            var runs = 0
            // All numbers below 100,000 in scattered order: 7919 has no divisor in common with 100,000.
            for number in 0..<100_000 {
                let deadline = bench.clock.now.advanced(by: .microseconds(number * 7919 % 100_000))
                try bench.events.addTimer(at: deadline) { _, _ in
                    XCTAssertLessThan(last, deadline)
                    last = deadline
                    runs += 1
                }
            }
            bench.clock.advance(by: .seconds(1))
            try bench.events.loopWait()
            XCTAssertEqual(runs, 100_000)
        }
    }

    func testAFreedTimerTrapsWithItsNameAndTheCall() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            let timer = try events.addTimer(after: .zero) { _, _ in }
            try events.loopWait()
            timer.update(after: .seconds(1))
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(result.stderr.contains("TimerEvent.update(after:) was called on a freed TimerEvent"), result.stderr)
    }
}
