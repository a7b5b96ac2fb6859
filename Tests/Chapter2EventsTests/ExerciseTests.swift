import Chapter2Events
import Talloc
import Tevent
import TeventExtras
import XCTest

/// Solutions to exercises of the chapter; each needs only what the chapter teaches.
final class ExerciseTests: XCTestCase {
    /// Exercise 3: the end comes after five seconds without a line.
    func testAProgramCanEndWhenNoLineHasComeForFiveSeconds() throws {
        try onEachBackend { bench in
            let pipe = try bench.pipe()
            let silence = try bench.events.addTimer(after: .seconds(5)) { _, _ in bench.events.stop() }
            try LineReader(of: pipe.reader, on: bench.events) { _, _ in silence.update(after: .seconds(5)) }
            for _ in 1...3 {
                bench.clock.advance(by: .seconds(4))
                _ = try SystemIO.write(pipe.writer, "still here\n".utf8)
                XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            }
            bench.clock.advance(by: .seconds(5))
            XCTAssertEqual(try bench.events.loopWait(), .stopped)
        }
    }

    /// Exercise 4: one timer, created again if the last has run.
    func testManyCallsCanBecomeOneOnceTheyCease() throws {
        try onEachBackend { bench in
            var timer: TimerEvent?
            var calls = 0
            func whenQuiet() throws {
                if let timer, !timer.isFreed { return timer.update(after: .milliseconds(100)) }
                timer = try bench.events.addTimer(after: .milliseconds(100)) { _, _ in calls += 1 }
            }
            for burst in 1...2 {
                for _ in 1...5 {
                    try whenQuiet()
                    bench.clock.advance(by: .milliseconds(99))
                    XCTAssertEqual(try bench.events.loopWait(), .timedOut)
                }
                XCTAssertEqual(calls, burst - 1)
                bench.clock.advance(by: .milliseconds(1))
                XCTAssertEqual(try bench.events.loopWait(), .noEvents)
                XCTAssertEqual(calls, burst)
            }
        }
    }

    /// Exercise 5: the signal event owns the countdown.
    func testAFirstInterruptCanBeginACountdownThatASecondEnds() throws {
        for interrupts in [1, 2] {
            try onEachBackend { bench in
                var countdown: Ticker?
                try bench.events.addSignal(.interrupt) { event, _ in
                    guard countdown == nil else {
                        event.free()
                        return
                    }
                    do {
                        countdown = try Ticker(on: bench.events, every: .seconds(1), for: .seconds(3), under: event) {
                            _, tick in
                            bench.log.add("countdown", "\(4 - tick.number)")
                            if tick.isLast { event.free() }
                        }
                    } catch { XCTFail("\(error)") }
                }
                Signal.interrupt.raise()
                XCTAssertEqual(try bench.events.loopWait(), .timedOut)
                bench.clock.advance(by: .seconds(1))
                XCTAssertEqual(try bench.events.loopWait(), .timedOut)
                if interrupts == 2 { Signal.interrupt.raise() }
                try bench.run(advancing: .seconds(1))
                XCTAssertEqual(bench.log.what, interrupts == 2 ? ["3"] : ["3", "2", "1"])
                XCTAssertEqual(bench.events.signals, [])
                XCTAssertEqual(countdown?.isFreed, true)
            }
        }
    }
}
