import Chapter1ContextAndLoops
import Talloc
import Tevent
import XCTest

/// Solutions to the chapter's exercises that ask for new code.
final class ExerciseTests: XCTestCase {
    func testExercise5AnImmediateThatSchedulesItselfKeepsATimerWaiting() throws {
        try onEachBackend { bench in
            let (events, log) = (bench.events, bench.log)
            try events.addTimer(after: .zero) { _, _ in log.add("timer", "") }
            var left = 100
            func work(_ immediate: ImmediateEvent, _ events: EventContext) {
                log.add("work", "")
                left -= 1
                if left > 0 { immediate.schedule(on: events, work) }
            }
            try ImmediateEvent(under: events).schedule(on: events, work)
            try events.loopWait()
            XCTAssertEqual(log.who, Array(repeating: "work", count: 100) + ["timer"])
        }
    }

    func testExercise5ATimerThatUpdatesItselfLetsTheOtherIn() throws {
        try onEachBackend { bench in
            let (events, log) = (bench.events, bench.log)
            try events.addTimer(after: .zero) { _, _ in log.add("timer", "") }
            var left = 100
            try events.addTimer(after: .zero) { work, _ in
                log.add("work", "")
                left -= 1
                if left > 0 { work.update(after: .zero) }
            }
            try events.loopWait()
            XCTAssertEqual(log.who, ["timer"] + Array(repeating: "work", count: 100))
        }
    }

    func testExercise6AClockMovedByHandMakesALongWaitShort() throws {
        try onEachBackend { bench in
            let clock = ManualClock()
            let events = try bench.anotherContext(clock: clock)
            let log = EventLog(clock: clock)
            for day in 1...3 {
                try events.addTimer(after: .seconds(86_400 * day)) { _, _ in log.add("day", "\(day)") }
            }
            while try events.loopWait() == .timedOut { clock.advance(by: .seconds(86_400)) }
            XCTAssertEqual("\(log)", "86400 s   day  1\n172800 s  day  2\n259200 s  day  3")
        }
    }

    func testExercise7TwoContextsTakeTurns() throws {
        try onEachBackend { bench in
            let log = bench.log
            let left = bench.events
            let right = try bench.anotherContext()
            for (name, events) in [("left", left), ("right", right)] {
                for _ in 1...3 { try bench.addReady(.immediate, to: events, as: name) }
                events.maximumWait = .zero
            }
            while left.hasEvents || right.hasEvents {
                try left.loopOnce()
                try right.loopOnce()
            }
            XCTAssertEqual(log.who, ["left", "right", "left", "right", "left", "right"])
        }
    }
}
