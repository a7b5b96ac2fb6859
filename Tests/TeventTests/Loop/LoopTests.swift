import Glibc
import Talloc
import Tevent
import XCTest

final class LoopTests: EngineTestCase {
    // MARK: Once, wait, until

    func testLoopOnceRunsExactlyOneHandlerWhateverElseIsReady() throws {
        try onBothBackends { events, _ in
            var runs = 0
            for _ in 0..<3 {
                try events.addTimer(at: .zero) { _, _ in runs += 1 }
                schedule(on: events) { runs += 1 }
                try events.addFD(try readyDescriptor(), .read) { event, _ in
                    runs += 1
                    event.free()
                }
            }
            for expected in 1...9 {
                XCTAssertEqual(try events.loopOnce(), .handled)
                XCTAssertEqual(runs, expected)
            }
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testALoopWithNothingToWaitForSaysSoAtOnce() throws {
        try onBothBackendsInRealTime { events in
            events.maximumWait = nil
            XCTAssertEqual(try events.loopOnce(), .noEvents)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(try events.loop { false }, .noEvents)
        }
    }

    func testLoopWaitEndsWhenNoEventIsLeft() throws {
        try onBothBackends { events, _ in
            var left = 5
            let reader = try readyDescriptor()
            try events.addFD(reader, .read) { event, _ in
                left -= 1
                if left == 0 { event.free() }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(left, 0)
        }
    }

    func testQuietDescriptorsKeepNoLoopWaiting() throws {
        try onBothBackendsInRealTime { events in
            events.maximumWait = nil
            let event = try events.addFD(try readyDescriptor(), [.read]) { event, _ in event.flags = [] }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertFalse(event.isFreed)
            XCTAssertEqual(events.descriptors, [event])
        }
    }

    func testLoopUntilAsksItsConditionBeforeEachHandler() throws {
        try onBothBackends { events, _ in
            var log: [String] = []
            for _ in 0..<5 {
                schedule(on: events) { log.append("run") }
            }
            let result = try events.loop {
                log.append("ask")
                return log.count >= 5
            }
            XCTAssertEqual(result, .finished)
            XCTAssertEqual(log, ["ask", "run", "ask", "run", "ask"])
            XCTAssertEqual(try events.loop { true }, .finished, "nothing runs when it holds at first")
            XCTAssertEqual(events.immediates.count, 3)
        }
    }

    func testAConditionMayFreeTheContext() throws {
        try onBothBackends { events, _ in
            try events.addTimer(at: .zero) { _, _ in XCTFail("ran") }
            let result = try events.loop {
                events.free()
                return false
            }
            XCTAssertEqual(result, .contextFreed)
        }
    }

    // MARK: Stop

    func testStopEndsTheLoopAfterThePresentHandlerAndLeavesTheRest() throws {
        try onBothBackends { events, _ in
            var log: [String] = []
            schedule(on: events) {
                events.stop()
                log.append("to its end")
            }
            schedule(on: events) { log.append("next") }
            XCTAssertEqual(try events.loopWait(), .stopped)
            XCTAssertEqual(log, ["to its end"])
            XCTAssertEqual(try events.loopWait(), .noEvents, "a stop is used up by the loop it ends")
            XCTAssertEqual(log, ["to its end", "next"])
        }
    }

    func testStopOutsideAHandlerDoesNothing() throws {
        try onBothBackends { events, _ in
            var runs = 0
            for _ in 0..<2 { try events.addTimer(at: .zero) { _, _ in runs += 1 } }
            events.stop()
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 2)
        }
    }

    func testStopInANestedLoopEndsOnlyThatOne() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            var log: [String] = []
            schedule(on: events) {
                schedule(on: events) {
                    log.append("inner")
                    events.stop()
                }
                XCTAssertEqual(try? events.loopWait(), .stopped)
                log.append("between")
            }
            schedule(on: events) { log.append("outer goes on") }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(log, ["outer goes on", "inner", "between"])
        }
    }

    func testStopBeforeANestedLoopIsMeantForTheOuterOne() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            var log: [String] = []
            schedule(on: events) {
                events.stop()
                schedule(on: events) { log.append("nested") }
                XCTAssertEqual(try? events.loop { log == ["other", "nested"] }, .finished)
            }
            schedule(on: events) { log.append("other") }
            try events.addTimer(at: .zero) { _, _ in log.append("too late") }
            XCTAssertEqual(try events.loopWait(), .stopped)
            XCTAssertEqual(log, ["other", "nested"])
        }
    }

    func testStopInANestedLoopOnceEndsTheLoopAroundIt() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            schedule(on: events) {
                XCTAssertEqual(try? events.loopOnce(), .handled)
            }
            schedule(on: events) { events.stop() }
            try events.addTimer(at: .zero) { _, _ in XCTFail("the loop was stopped") }
            XCTAssertEqual(try events.loopWait(), .stopped)
        }
    }

    // MARK: The longest wait

    func testTheLongestWaitEndsALoopInWhichNothingHappens() throws {
        try onBothBackendsInRealTime { events in
            let pipe = try pipe()
            try events.addFD(pipe.reader, .read) { _, _ in XCTFail("nothing was written") }
            events.maximumWait = .milliseconds(2)
            let start = events.now
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            XCTAssertGreaterThanOrEqual(start.duration(to: events.now), .milliseconds(2))
            XCTAssertEqual(try events.loopWait(), .timedOut)
        }
    }

    func testALongestWaitOfZeroOnlyLooks() throws {
        try onBothBackendsInRealTime { events in
            let pipe = try pipe()
            try events.addFD(pipe.reader, .read) { _, _ in }
            events.maximumWait = .zero
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            write(pipe.writer)
            XCTAssertEqual(try events.loopOnce(), .handled)
        }
    }

    func testATimerThatIsDueEarlierThanTheLongestWaitRuns() throws {
        try onBothBackendsInRealTime { events in
            events.maximumWait = .seconds(20)
            try events.addTimer(after: .milliseconds(1)) { _, _ in }
            XCTAssertEqual(try events.loopOnce(), .handled)
        }
    }

    func testATimerThatIsDueLaterThanTheLongestWaitDoesNotHoldTheLoop() throws {
        try onBothBackendsInRealTime { events in
            events.maximumWait = .milliseconds(1)
            try events.addTimer(after: .seconds(3600)) { _, _ in XCTFail("an hour early") }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
        }
    }

    func testNoTimerIsEarly() throws {
        try onBothBackendsInRealTime { events in
            for microseconds in [1, 300, 999, 1_000, 1_500] {
                let due = events.now.advanced(by: .microseconds(microseconds))
                try events.addTimer(at: due) { _, now in XCTAssertGreaterThanOrEqual(now, due) }
                XCTAssertEqual(try events.loopOnce(), .handled)
            }
        }
    }

    func testWithAClockThatStandsStillTheLoopNeverSleeps() throws {
        try onBothBackends { events, clock in
            var runs = 0
            try events.addTimer(after: .seconds(60)) { _, _ in runs += 1 }
            let pipe = try pipe()
            try events.addFD(pipe.reader, .read) { _, _ in XCTFail("nothing was written") }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            XCTAssertEqual(try events.loopWait(), .timedOut)
            clock.advance(by: .seconds(60))
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(runs, 1)
        }
    }

    // MARK: Nesting

    func testALoopInAHandlerIsRefused() throws {
        try onBothBackends { events, _ in
            try events.addTimer(at: .zero) { _, _ in
                XCTAssertEqual(failure { try events.loopOnce() }, .nestedLoop)
                XCTAssertEqual(failure { try events.loopWait() }, .nestedLoop)
                XCTAssertEqual(failure { try events.loop { true } }, .nestedLoop)
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            try events.addTimer(at: .zero) { _, _ in }
            XCTAssertEqual(try events.loopOnce(), .handled, "the refusal leaves nothing behind")
        }
    }

    func testALoopThatIsRunningIsRefusedOnAnotherThread() throws {
        try onBothBackends { events, _ in
            // A program without `unsafe` gets this far only through a hole in Swift.
            let smuggled = Own(events)
            try events.addTimer(at: .zero) { _, _ in
                let thread = sure {
                    try SystemThread(named: "smuggler") { failure { try smuggled.value.loopOnce() } }
                }
                XCTAssertEqual(sure { try thread.join() }, .nestedLoop)
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    func testAnotherContextsLoopMayRunInAHandler() throws {
        try onBothBackends { events, _ in
            let other = try EventContext(under: events, backend: events.backend)
            var runs = 0
            try other.addTimer(at: .zero) { _, _ in runs += 1 }
            try events.addTimer(at: .zero) { _, _ in XCTAssertEqual(try? other.loopWait(), .noEvents) }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 1)
        }
    }

    func testTheNestingHookIsCalledWhenEachLoopBeginsAndEnds() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            var log: [String] = []
            events.setNestingHook { hooked, level, begins in
                XCTAssertEqual(hooked, events)
                log.append("\(begins ? "begin" : "end") \(level)")
                return true
            }
            try events.addTimer(at: .zero) { _, _ in
                schedule(on: events) { log.append("inner") }
                XCTAssertEqual(try? events.loopOnce(), .handled)
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log, ["begin 1", "begin 2", "inner", "end 2", "end 1"])
            events.setNestingHook(nil)
            XCTAssertEqual(try events.loopOnce(), .noEvents)
            XCTAssertEqual(log.count, 5)
        }
    }

    func testTheNestingHookCanRefuseALoop() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            events.setNestingHook { _, level, begins in level < 2 || !begins }
            try events.addTimer(at: .zero) { _, _ in
                XCTAssertEqual(failure { try events.loopOnce() }, .loopRefused(level: 2))
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    func testTheNestingHookMayFreeTheContextAtEitherEnd() throws {
        for freesAtBeginning in [true, false] {
            try onBothBackends { events, _ in
                try events.addTimer(at: .zero) { _, _ in XCTAssertFalse(freesAtBeginning) }
                events.setNestingHook { events, _, begins in
                    if begins == freesAtBeginning { events.free() }
                    return true
                }
                XCTAssertEqual(try events.loopOnce(), freesAtBeginning ? .contextFreed : .handled)
                XCTAssertTrue(events.isFreed)
            }
        }
    }

    func testANestedLoopGoesOnWithTheDescriptorsThatTheOuterOneFoundReady() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            var order: [Int] = []
            for index in 0..<4 {
                try events.addFD(try readyDescriptor(), .read) { event, _ in
                    event.flags = []
                    order.append(index)
                    if order.count < 4 { XCTAssertEqual(try? events.loopOnce(), .handled) }
                    order.append(index)
                }
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(Set(order.prefix(4)), [0, 1, 2, 3])
            XCTAssertEqual(order.suffix(4), Array(order.prefix(4).reversed())[...])
        }
    }

    // MARK: Fairness

    func testNoBusyDescriptorStarvesAnother() throws {
        try onBothBackends { events, _ in
            var runs = [Int](repeating: 0, count: 10)
            for index in 0..<10 {
                try events.addFD(try readyDescriptor(), .read) { _, _ in runs[index] += 1 }
            }
            for _ in 0..<100 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual(runs, [Int](repeating: 10, count: 10))
        }
    }

    func testNoBusyDescriptorStarvesAnotherWhenThereAreMoreThanABatchHolds() throws {
        try onBothBackends { events, _ in
            let reader = try readyDescriptor()
            var runs = [Int](repeating: 0, count: 300)
            for index in 0..<300 {
                try events.addFD(copy(reader), .read) { _, _ in runs[index] += 1 }
            }
            for _ in 0..<3_000 { XCTAssertEqual(try events.loopOnce(), .handled) }
            // A batch is smaller than the number of descriptors, so their counts may differ by one round.
            XCTAssertGreaterThanOrEqual(runs.min()!, 9)
            XCTAssertLessThanOrEqual(runs.max()!, 11)
        }
    }
}
