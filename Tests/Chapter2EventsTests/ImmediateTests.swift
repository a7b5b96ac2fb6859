import Talloc
import Tevent
import XCTest

final class ImmediateTests: XCTestCase {
    func testImmediatesRunBeforeTimersAndDescriptorsInTheOrderScheduled() throws {
        try onEachBackend { bench in
            try bench.addReadyDescriptor()
            try bench.events.addTimer(at: .zero) { _, _ in bench.log.add("timer", "runs") }
            for name in ["a", "b", "c"] {
                try ImmediateEvent(under: bench.events).schedule(on: bench.events) { _, _ in bench.log.add(name, "runs")
                }
            }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["a", "b", "c", "timer", "descriptor"])
        }
    }

    func testAnImmediateRunsOnceAndStaysUntilItIsFreed() throws {
        try onEachBackend { bench in
            let immediate = try ImmediateEvent(under: bench.events)
            XCTAssertFalse(immediate.isScheduled)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            immediate.schedule(on: bench.events) { _, events in
                XCTAssertEqual(events, bench.events)
                bench.log.add("immediate", "runs")
            }
            XCTAssert(immediate.isScheduled)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["immediate"])
            XCTAssertFalse(immediate.isScheduled)
            XCTAssertFalse(immediate.isFreed)
        }
    }

    func testAnImmediateRescheduledInItsHandlerComesAfterTheOthers() throws {
        try onEachBackend { bench in
            let again = try ImmediateEvent(under: bench.events)
            again.schedule(on: bench.events) { immediate, events in
                bench.log.add("again", "first run")
                immediate.schedule(on: events) { _, _ in bench.log.add("again", "second run") }
            }
            try ImmediateEvent(under: bench.events).schedule(on: bench.events) { _, _ in bench.log.add("other", "runs")
            }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["again", "other", "again"])
        }
    }

    func testSchedulingAgainReplacesWhatWasScheduledAndTakesANewPlace() throws {
        try onEachBackend { bench in
            let twice = try ImmediateEvent(under: bench.events)
            twice.schedule(on: bench.events) { _, _ in XCTFail("was scheduled again") }
            try ImmediateEvent(under: bench.events).schedule(on: bench.events) { _, _ in bench.log.add("other", "runs")
            }
            twice.schedule(on: bench.events) { _, _ in bench.log.add("twice", "runs") }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["other", "twice"])
        }
    }

    func testACancelledImmediateDoesNotRunAndReleasesItsHandler() throws {
        try onEachBackend { bench in
            weak var seen: Witness?
            let immediate = try ImmediateEvent(under: bench.events)
            do {
                let witness = Witness()
                seen = witness
                immediate.schedule(on: bench.events) { _, _ in
                    withExtendedLifetime(witness) { XCTFail("was cancelled") }
                }
            }
            XCTAssertNotNil(seen)
            immediate.cancel()
            XCTAssertNil(seen)
            XCTAssertFalse(immediate.isScheduled)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            immediate.cancel()
        }
    }

    func testAHandlerMayCancelAndFreeOthersThatAreScheduled() throws {
        try onEachBackend { bench in
            let first = try ImmediateEvent(under: bench.events)
            let cancelled = try ImmediateEvent(under: bench.events)
            let freed = try ImmediateEvent(under: bench.events)
            first.schedule(on: bench.events) { immediate, _ in
                cancelled.cancel()
                freed.free()
                immediate.free()
                bench.log.add("first", "runs")
            }
            for other in [cancelled, freed] { other.schedule(on: bench.events) { _, _ in XCTFail("was taken back") } }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["first"])
            XCTAssert(first.isFreed)
        }
    }

    func testAnImmediateMovesToAnotherContextWhenItIsScheduledThere() throws {
        try onEachBackend { bench in
            let other = try EventContext(under: bench.memory, backend: bench.backend)
            let immediate = try ImmediateEvent(under: bench.memory)
            immediate.schedule(on: bench.events) { _, _ in XCTFail("has moved") }
            immediate.schedule(on: other) { _, _ in bench.log.add("other", "runs") }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(try other.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["other"])
        }
    }

    func testAnImmediateThatReschedulesItselfStarvesTimersAndDescriptors() throws {
        try onEachBackend { bench in
            try bench.addReadyDescriptor()
            try bench.events.addTimer(at: .zero) { _, _ in bench.log.add("timer", "runs") }
            var runs = 0
            func runAgain(_ immediate: ImmediateEvent, on events: EventContext) {
                runs += 1
                if runs < 1000 {
                    immediate.schedule(on: events, runAgain)
                } else {
                    bench.log.add("immediate", "gives up")
                }
            }
            try ImmediateEvent(under: bench.events).schedule(on: bench.events, runAgain)
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["immediate", "timer", "descriptor"])
        }
    }
}
