import Chapter1ContextAndLoops
import Talloc
import Tevent
import XCTest

/// The three loops: once, wait and until, and how they end.
final class LoopTests: XCTestCase {
    func testLoopOnceRunsExactlyOneHandlerHoweverManyAreReady() throws {
        try onEachBackend { bench in
            for kind in EventLists.Kind.allCases {
                for _ in 1...2 { try bench.addReady(kind) }
            }
            for turn in 1...8 {
                XCTAssertEqual(try bench.events.loopOnce(), .handled)
                XCTAssertEqual(bench.log.entries.count, turn)
            }
            XCTAssertEqual(try bench.events.loopOnce(), .noEvents)
        }
    }

    func testLoopOnceWaitsUntilSomethingHappens() throws {
        try onEachBackend { bench in
            let start = bench.events.now
            try bench.events.addTimer(after: .milliseconds(2)) { _, _ in bench.log.add("timer", "fires") }
            XCTAssertEqual(try bench.events.loopOnce(), .handled)
            XCTAssertEqual(bench.log.who, ["timer"])
            XCTAssertGreaterThanOrEqual(start.duration(to: bench.events.now), .milliseconds(2))
        }
    }

    func testLoopWaitRunsAllHandlersAndEndsWhenNothingIsLeft() throws {
        try onEachBackend { bench in
            for kind in EventLists.Kind.allCases { try bench.addReady(kind) }
            try bench.events.addTimer(after: .milliseconds(1)) { _, _ in bench.log.add("later", "fires") }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.entries.count, 5)
            XCTAssertFalse(bench.events.hasEvents)
        }
    }

    func testLoopWaitGoesOnWithEventsThatHandlersAdd() throws {
        try onEachBackend { bench in
            var left = 3
            func again(_ immediate: ImmediateEvent, _ events: EventContext) {
                left -= 1
                if left > 0 { immediate.schedule(on: events, again) }
            }
            try ImmediateEvent(under: bench.events).schedule(on: bench.events, again)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(left, 0)
        }
    }

    func testEveryLoopReturnsAtOnceWhenThereIsNothingToWaitFor() throws {
        try onEachBackend { bench in
            XCTAssertEqual(try bench.events.loopOnce(), .noEvents)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(try bench.events.loop { false }, .noEvents)
        }
    }

    func testLoopUntilEndsAsSoonAsTheConditionHolds() throws {
        try onEachBackend { bench in
            for _ in 1...5 { try bench.addReady(.immediate) }
            XCTAssertEqual(try bench.events.loop { bench.log.entries.count == 3 }, .finished)
            XCTAssertEqual(bench.log.entries.count, 3)
            XCTAssertEqual(bench.events.immediates.count, 2)
        }
    }

    func testLoopUntilAsksBeforeTheFirstHandler() throws {
        try onEachBackend { bench in
            try bench.addReady(.immediate)
            XCTAssertEqual(try bench.events.loop { true }, .finished)
            XCTAssertEqual(bench.log.entries, [])
        }
    }

    func testLoopUntilEndsWithoutEventsEvenIfTheConditionNeverHolds() throws {
        try onEachBackend { bench in
            try bench.addReady(.timer)
            XCTAssertEqual(try bench.events.loop { false }, .noEvents)
            XCTAssertEqual(bench.log.who, ["timer"])
        }
    }

    func testStopEndsAWaitAfterTheHandlerAndLeavesTheRest() throws {
        try onEachBackend { bench in
            try bench.addReady(.immediate, as: "first") { bench.events.stop() }
            try bench.addReady(.immediate, as: "second")
            XCTAssertEqual(try bench.events.loopWait(), .stopped)
            XCTAssertEqual(bench.log.who, ["first"])
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["first", "second"])
        }
    }

    func testStopOutsideAHandlerDoesNothing() throws {
        try onEachBackend { bench in
            try bench.addReady(.immediate)
            bench.events.stop()
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["immediate"])
        }
    }

    func testASignalATimerOrADescriptorKeepsALoopWaitingUntilItIsFreed() throws {
        try onEachBackend { bench in
            let (events, log) = (bench.events, bench.log)
            let pipe = try SystemIO.pipe()
            defer { [pipe.reader, pipe.writer].forEach(SystemIO.close) }
            let waiting: [() throws -> any Event] = [
                { try events.addSignal(.user1) { _, _ in log.add("signal", "") } },
                { try events.addTimer(after: .seconds(3600)) { _, _ in log.add("timer", "") } },
                { try events.addFD(pipe.reader, .read) { _, _ in log.add("descriptor", "") } },
            ]
            events.maximumWait = .zero
            for add in waiting {
                let event = try add()
                XCTAssertEqual(try events.loopWait(), .timedOut)
                event.free()
                XCTAssertEqual(try events.loopWait(), .noEvents)
            }
            XCTAssertEqual(log.entries, [])
        }
    }

    func testALongestWaitEndsALoopInWhichNothingHappens() throws {
        try onEachBackend { bench in
            let pipe = try SystemIO.pipe()
            defer { [pipe.reader, pipe.writer].forEach(SystemIO.close) }
            let quiet = try bench.events.addFD(pipe.reader, .read) { _, _ in XCTFail("served") }
            bench.events.maximumWait = .milliseconds(1)
            XCTAssertEqual(try bench.events.loopOnce(), .timedOut)
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            quiet.free()
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
        }
    }

    func testWithAManualClockALoopTimesOutInsteadOfSleeping() throws {
        try onEachBackend { bench in
            let clock = ManualClock()
            let events = try bench.anotherContext(clock: clock)
            try events.addTimer(after: .seconds(3600)) { _, _ in bench.log.add("timer", "fires") }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            clock.advance(by: .seconds(3600))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["timer"])
        }
    }

    func testALoopWhoseContextAHandlerFreesSaysSo() throws {
        try onEachBackend { bench in
            for kind in EventLists.Kind.allCases {
                let events = try bench.anotherContext()
                try bench.addReady(kind, to: events) { events.free() }
                try bench.addReady(kind, to: events, as: "never")
                XCTAssertEqual(try events.loopWait(), .contextFreed, "\(kind)")
                XCTAssertTrue(events.isFreed)
            }
            XCTAssertEqual(bench.log.who, EventLists.Kind.allCases.map(\.rawValue))
        }
    }

    func testADescriptorThatIsNotOpenEndsTheLoopWithAnErrorAndTheLoopCanRunAgain() throws {
        try onEachBackend { bench in
            let pipe = try SystemIO.pipe()
            try bench.events.addFD(pipe.reader, .read) { _, _ in XCTFail("served") }
            [pipe.reader, pipe.writer].forEach(SystemIO.close)
            XCTAssertThrowsError(try bench.events.loopWait()) { error in
                XCTAssertEqual(error as? TeventError, .badDescriptor(pipe.reader))
            }
            try bench.addReady(.timer)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["timer"])
        }
    }
}
