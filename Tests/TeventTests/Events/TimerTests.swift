import Glibc
import Talloc
import XCTest

@testable import Tevent

final class TimerTests: EngineTestCase {
    func testARelativeTimerIsDueAfterItsDelay() throws {
        try onBothBackends { events, clock in
            var runs = 0
            try events.addTimer(after: .milliseconds(100)) { _, _ in runs += 1 }
            clock.advance(by: .milliseconds(100) - .nanoseconds(1))
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            clock.advance(by: .nanoseconds(1))
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs, 1)
        }
    }

    func testAnAbsoluteTimerIsDueAtItsInstant() throws {
        try onBothBackends { events, clock in
            let due = clock.now.advanced(by: .seconds(3))
            let timer = try events.addTimer(at: due) { _, now in XCTAssertEqual(now, due) }
            XCTAssertEqual(timer.deadline, due)
            clock.advance(by: .seconds(3))
            XCTAssertEqual(try events.loopOnce(), .handled)
        }
    }

    func testATimerHappensOnceAndIsFreed() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            var timer: TimerEvent?
            do {
                let token = Token()
                held = token
                timer = try events.addTimer(after: .zero) { timer, _ in
                    XCTAssertFalse(timer.isFreed)
                    XCTAssertNil(timer.deadline, "it has none while its handler runs")
                    withExtendedLifetime(token) {}
                }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(timer?.isFreed, true)
            XCTAssertNil(held, "its handler is released")
        }
    }

    func testTimersInThePastAndNegativeDelaysAreDueAtOnce() throws {
        try onBothBackends { events, _ in
            var order: [String] = []
            try events.addTimer(after: .seconds(-5)) { _, _ in order.append("negative counts as zero") }
            try events.addTimer(at: EventInstant(nanoseconds: .min)) { _, _ in order.append("the earliest") }
            try events.addTimer(at: .zero) { _, _ in order.append("the clock's beginning") }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(order, ["the earliest", "the clock's beginning", "negative counts as zero"])
        }
    }

    func testTimersInTheFarFutureWaitForTheEndOfTheClock() throws {
        try onBothBackends { events, clock in
            var order: [String] = []
            try events.addTimer(after: .seconds(Int64.max)) { _, _ in order.append("forever") }
            try events.addTimer(after: .seconds(100 * 365 * 86_400)) { _, _ in order.append("a century") }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            clock.advance(by: .seconds(Int64.max))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(order, ["a century", "forever"])
        }
    }

    func testAFarFutureTimerDoesNotDisturbARealWait() throws {
        try onBothBackendsInRealTime { events in
            events.maximumWait = .milliseconds(1)
            try events.addTimer(at: EventInstant(nanoseconds: .max)) { _, _ in XCTFail("292 years early") }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
        }
    }

    func testATimerAddedInAHandlerComesAfterThoseThatAreDueAlready() throws {
        try onBothBackends { events, clock in
            var order: [Int] = []
            for index in 0..<3 {
                try events.addTimer(after: .zero) { _, _ in
                    order.append(index)
                    _ = sure { try events.addTimer(at: clock.now) { _, _ in order.append(10 + index) } }
                }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(order, [0, 1, 2, 10, 11, 12])
        }
    }

    func testEqualDeadlinesKeepTheirOrderWhenItIsRenumbered() throws {
        try onBothBackends { events, clock in
            var order: [Int] = []
            let due = clock.now.advanced(by: .seconds(1))
            events.record().pointee.timers.useUpOrder(but: 20)
            for index in 0..<40 {
                try events.addTimer(at: due) { _, _ in order.append(index) }
            }
            XCTAssertEqual(events.record().pointee.timers.added, 40)
            XCTAssertTrue(events.record().pointee.timers.isConsistent)
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(order, Array(0..<40))
        }
    }

    // MARK: Update

    func testUpdateMovesATimer() throws {
        try onBothBackends { events, clock in
            var order: [String] = []
            let moved = try events.addTimer(after: .seconds(1)) { _, _ in order.append("moved") }
            try events.addTimer(after: .seconds(2)) { _, _ in order.append("other") }
            moved.update(after: .seconds(3))
            XCTAssertEqual(moved.deadline, clock.now.advanced(by: .seconds(3)))
            clock.advance(by: .seconds(2))
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(order, ["other"])
            moved.update(at: clock.now)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(order, ["other", "moved"])
        }
    }

    func testAnUpdatedTimerComesAfterOthersOfTheSameDeadline() throws {
        try onBothBackends { events, clock in
            var order: [Int] = []
            let timers = try (0..<3).map { index in
                try events.addTimer(after: .seconds(1)) { _, _ in order.append(index) }
            }
            timers[0].update(after: .seconds(1))
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(order, [1, 2, 0])
        }
    }

    func testATimerThatUpdatesItselfHappensAgain() throws {
        try onBothBackends { events, clock in
            var ticks: [EventInstant] = []
            let start = clock.now
            try events.addTimer(after: .seconds(2)) { timer, now in
                ticks.append(now)
                if ticks.count < 30 { timer.update(after: .seconds(2)) }
            }
            while events.hasEvents {
                clock.advance(by: .seconds(2))
                try events.loopWait()
            }
            XCTAssertEqual(ticks, (1...30).map { start.advanced(by: .seconds(2 * $0)) })
        }
    }

    func testUpdatingTwiceInTheHandlerCountsOnce() throws {
        try onBothBackends { events, clock in
            var runs = 0
            try events.addTimer(after: .zero) { timer, _ in
                runs += 1
                guard runs == 1 else { return }
                timer.update(after: .seconds(5))
                timer.update(after: .seconds(1))
            }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(events.timers.count, 1)
            clock.advance(by: .seconds(5))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 2)
        }
    }

    func testAHandlerMayUpdateItsTimerAndAddOthersWhenTheHeapIsFull() throws {
        try onBothBackends { events, clock in
            var runs = 0
            // 16 timers fill the heap's initial memory.
            for index in 0..<16 {
                try events.addTimer(after: .zero) { timer, _ in
                    runs += 1
                    guard index == 0, runs == 1 else { return }
                    timer.update(after: .zero)
                    for _ in 0..<100 {
                        _ = sure { try events.addTimer(after: .zero) { _, _ in runs += 1 } }
                        XCTAssertTrue(events.record().pointee.timers.isConsistent)
                    }
                }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 117)
        }
    }

    func testAHandlerMayAddTimersUntilTheHeapIsFullAndThenUpdateItsOwn() throws {
        // For each size, some number of additions fills the heap's memory just before the update.
        for additions in 0..<40 {
            try onBothBackends { events, _ in
                var runs = 0
                try events.addTimer(after: .zero) { timer, _ in
                    runs += 1
                    guard runs == 1 else { return }
                    for _ in 0..<additions { _ = sure { try events.addTimer(after: .zero) { _, _ in runs += 1 } } }
                    timer.update(after: .zero)
                    XCTAssertTrue(events.record().pointee.timers.isConsistent, "\(additions) timers")
                }
                XCTAssertEqual(try events.loopWait(), .noEvents)
                XCTAssertEqual(runs, additions + 2)
            }
        }
    }

    // MARK: Free

    func testFreeingATimerCancelsIt() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            do {
                let token = Token()
                held = token
                try events.addTimer(after: .zero) { _, _ in XCTFail("\(token)") }.free()
            }
            XCTAssertNil(held)
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    func testAHandlerMayFreeItsOwnTimer() throws {
        try onBothBackends { events, _ in
            let token = Token()
            var ended = false
            token.onEnd = { ended = true }
            try events.addTimer(after: .zero) { [token] timer, _ in
                XCTAssertTrue(timer.free())
                XCTAssertFalse(ended, "what the handler holds lives until it returns")
                withExtendedLifetime(token) {}
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testAHandlerMayFreeAnUpdatedTimer() throws {
        try onBothBackends { events, _ in
            try events.addTimer(after: .zero) { timer, _ in
                timer.update(after: .zero)
                timer.free()
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertFalse(events.hasEvents)
        }
    }

    func testAHandlerMayFreeTimersThatAreDueToo() throws {
        try onBothBackends { events, _ in
            var others: [TimerEvent] = []
            try events.addTimer(after: .zero) { _, _ in others.forEach { $0.free() } }
            others = try (0..<5).map { _ in try events.addTimer(after: .zero) { _, _ in XCTFail("freed") } }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertTrue(others.allSatisfy(\.isFreed))
        }
    }

    func testAHandlerMayFreeTheContext() throws {
        try onBothBackends { events, _ in
            try events.addTimer(after: .zero) { timer, _ in
                events.free()
                XCTAssertTrue(timer.isFreed, "it went with the context")
            }
            XCTAssertEqual(try events.loopOnce(), .contextFreed)
        }
    }

    func testAHandlerMayFreeTheContextThoughItsTimerBelongsElsewhere() throws {
        try onBothBackends { events, _ in
            let memory = try TallocContext()
            defer { memory.free() }
            var ran: TimerEvent?
            try events.addTimer(after: .zero, under: memory) { timer, _ in
                timer.update(after: .seconds(1))
                timer.update(after: .zero)
                events.free()
                XCTAssertFalse(timer.isFreed)
                XCTAssertNil(timer.context)
                timer.update(after: .zero)
                ran = timer
            }
            XCTAssertEqual(try events.loopWait(), .contextFreed)
            XCTAssertEqual(ran?.isFreed, true)
            XCTAssertEqual(memory.totalBlocks, 1)
        }
    }

    func testARunningTimerWithoutUpdateLosesItsContextTooWhenItIsFreed() throws {
        try onBothBackends { events, _ in
            let memory = try TallocContext()
            defer { memory.free() }
            try events.addTimer(after: .zero, under: memory) { timer, _ in
                events.free()
                XCTAssertNil(timer.context)
                timer.free()
            }
            XCTAssertEqual(try events.loopWait(), .contextFreed)
        }
    }

    func testATimerMayRunAgainInANestedLoopOfItsOwnHandler() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            var depth = 0
            try events.addTimer(after: .zero) { timer, _ in
                depth += 1
                guard depth < 5 else { return }
                timer.update(after: .zero)
                XCTAssertEqual(try? events.loopOnce(), .handled)
                XCTAssertTrue(timer.isFreed, "the innermost run freed it")
                XCTAssertTrue(events.record().pointee.timers.isConsistent)
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(depth, 5)
        }
    }

    // MARK: Many

    func testAHundredThousandTimersAreWithoutQuadraticCost() throws {
        /// Processor time for adding timers in random order, freeing half of them, and running the rest.
        func cost(_ count: Int) throws -> Double {
            let clock = ManualClock()
            let events = try EventContext(clock: clock)
            defer { events.free() }
            var random = SeededGenerator(7)
            var runs = 0
            let start = processorTime()
            let timers = try (0..<count).map { _ in
                let delay = Duration.nanoseconds(Int64.random(in: 0..<1_000_000, using: &random))
                return try events.addTimer(after: delay) { _, _ in runs += 1 }
            }
            for timer in timers.shuffled(using: &random).prefix(count / 2) { timer.free() }
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, count - count / 2)
            return processorTime() - start
        }
        // Another program may evict the processor's cache while the many are at work, but not each time.
        var growth = Double.infinity
        for _ in 0..<5 where growth >= 35 { growth = try cost(100_000) / cost(10_000) }
        XCTAssertLessThan(growth, 35, "quadratic cost would make it 100 times, n log n makes it 12")
    }

    private func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    func testTheHeapAgreesWithASortedListUnderRandomOperations() throws {
        for seed in 1...20 {
            var random = SeededGenerator(UInt64(seed))
            let clock = ManualClock()
            let events = try EventContext(clock: clock)
            defer { events.free() }
            // The model: timers in the order in which they must run; later ones come after their equals.
            var model: [(deadline: Int64, timer: TimerEvent)] = []
            var ran: [TimerEvent] = []
            func insert(_ timer: TimerEvent, _ deadline: Int64) {
                let place = model.firstIndex { $0.deadline > deadline } ?? model.count
                model.insert((deadline, timer), at: place)
            }
            for _ in 0..<400 {
                let deadline = clock.now.nanoseconds + Int64.random(in: 0..<20, using: &random)
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<5:
                    let timer = try events.addTimer(at: EventInstant(nanoseconds: deadline)) { timer, _ in
                        ran.append(timer)
                    }
                    insert(timer, deadline)
                case 5, 6:
                    guard let place = model.indices.randomElement(using: &random) else { continue }
                    model.remove(at: place).timer.free()
                case 7, 8:
                    guard let place = model.indices.randomElement(using: &random) else { continue }
                    let timer = model.remove(at: place).timer
                    timer.update(at: EventInstant(nanoseconds: deadline))
                    insert(timer, deadline)
                default:
                    clock.advance(by: .nanoseconds(Int64.random(in: 0..<8, using: &random)))
                    ran = []
                    _ = try events.loopWait()
                    let due = model.prefix { $0.deadline <= clock.now.nanoseconds }.map(\.timer)
                    XCTAssertEqual(ran, due, "seed \(seed)")
                    model.removeFirst(due.count)
                }
                XCTAssertTrue(events.record().pointee.timers.isConsistent, "seed \(seed)")
                XCTAssertEqual(events.timers, model.map(\.timer), "seed \(seed)")
            }
        }
    }
}
