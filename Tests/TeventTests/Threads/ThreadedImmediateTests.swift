import CTestSupport
import Glibc
import Synchronization
import Talloc
import XCTest

@testable import Tevent

/// An immediate that any thread schedules: once for many calls, again after it has run, and never lost.
final class ThreadedImmediateTests: EngineTestCase {
    // MARK: How often

    func testItRunsOnceHoweverOftenItWasScheduled() throws {
        try onBothBackends { events, _ in
            var runs = 0
            let trigger = try ThreadedImmediate(on: events) { _, _ in runs += 1 }.trigger
            XCTAssertEqual(try events.loopOnce(), .timedOut, "it was not scheduled yet")
            XCTAssertTrue(try trigger.schedule())
            for _ in 0..<10 { XCTAssertFalse(try trigger.schedule(), "it waits already") }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            XCTAssertEqual(runs, 1)
        }
    }

    func testItRunsAgainWhenItIsScheduledAgain() throws {
        try onBothBackends { events, _ in
            var runs = 0
            let trigger = try ThreadedImmediate(on: events) { _, _ in runs += 1 }.trigger
            for round in 1...5 {
                XCTAssertTrue(try trigger.schedule())
                XCTAssertEqual(try events.loopOnce(), .handled)
                XCTAssertEqual(runs, round)
            }
        }
    }

    func testItMayScheduleItselfInItsHandler() throws {
        try onBothBackends { events, _ in
            var runs = 0
            let immediate = try ThreadedImmediate(on: events) { immediate, _ in
                runs += 1
                if runs < 5 { XCTAssertTrue(sure { try immediate.trigger.schedule() }) }
            }
            try immediate.trigger.schedule()
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(runs, 5)
        }
    }

    func testItKeepsItsPlaceBetweenMessagesAndImmediates() throws {
        try onBothBackends { events, _ in
            let (proxy, log) = (try ThreadInbox(on: events).proxy, SharedLog())
            let trigger = try ThreadedImmediate(on: events) { _, _ in log.add("trigger") }.trigger
            try proxy.schedule { _ in log.add("before") }
            try trigger.schedule()
            try proxy.schedule { _ in log.add("after") }
            try trigger.schedule()
            schedule(on: events) { log.add("immediate") }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(log.all, ["immediate", "before", "trigger", "after"])
        }
    }

    // MARK: None is lost

    func testNoScheduleOfManyThreadsIsLost() throws {
        try onBothBackendsInRealTime { events in
            let (threads, each) = (3, rounds(50_000))
            let left = SharedCount()
            var seen = 0
            let immediate = try ThreadedImmediate(on: events) { _, events in
                seen = left.value
                if seen == threads * each { events.stop() }
            }
            let trigger = immediate.trigger
            let senders = try (0..<threads).map { number in
                try SystemThread(named: "sender \(number)") {
                    for _ in 0..<each {
                        left.add()
                        try trigger.schedule()
                    }
                }
            }
            XCTAssertEqual(try events.loopWait(), .stopped, "the last one was not seen, only \(seen)")
            for sender in senders { try sender.join() }
        }
    }

    func testTheHandlerSeesWhatWasDoneBeforeEvenWhenItWasUnderWayAlready() throws {
        try onBothBackends { events, _ in
            let count = 50
            // Ordinary memory, so that the thread sanitizer sees whether the message itself orders the accesses.
            nonisolated(unsafe) let cells = UnsafeMutablePointer<Int>.allocate(capacity: count)
            cells.initialize(repeating: 0, count: count)
            defer { cells.deallocate() }
            let written = RelaxedCount()
            var sum = 0
            let immediate = try ThreadedImmediate(on: events) { _, _ in
                for index in 0..<count { sum += cells[index] }
            }
            let trigger = immediate.trigger
            try trigger.schedule()
            var senders: [SystemThread<Void>] = []
            for index in 0..<count {
                senders.append(
                    try SystemThread(named: "sender") {
                        cells[index] = 1
                        try trigger.schedule()
                        written.add()
                    })
            }
            // Not joined yet, since that would order the accesses as well.
            waitUntil { written.value == count }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(sum, count)
            for sender in senders { try sender.join() }
        }
    }

    /// A counter that says nothing about what was done before it changed.
    private final class RelaxedCount: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.add(1, ordering: .relaxed) }
    }

    // MARK: Freed

    func testFreedInItsHandlerItEndsWithTheHandler() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            var trigger: ThreadTrigger?
            do {
                let token = Token()
                held = token
                trigger = try ThreadedImmediate(on: events) { immediate, _ in
                    XCTAssertTrue(sure { try immediate.trigger.schedule() })
                    immediate.free()
                    withExtendedLifetime(token) { XCTAssertNotNil(held) }
                }.trigger
            }
            try trigger?.schedule()
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertNil(held)
            XCTAssertThrowsError(try trigger?.schedule())
        }
    }

    func testFreedWhileItIsUnderWayItDoesNotRun() throws {
        try onEachBackend { backend in
            for freesContext in [false, true] {
                for isAmongImmediates in [false, true] {
                    let events = try EventContext(backend: backend, clock: ManualClock())
                    let immediate = try ThreadedImmediate(on: events) { _, _ in XCTFail("it ran") }
                    let trigger = immediate.trigger
                    if isAmongImmediates { schedule(on: events) {} }
                    try trigger.schedule()
                    if isAmongImmediates { XCTAssertEqual(try events.loopOnce(), .handled) }
                    if freesContext { events.free() } else { immediate.free() }
                    XCTAssertThrowsError(try trigger.schedule()) { error in
                        XCTAssertTrue("\(error)".contains("has ended"), "\(error)")
                    }
                    if !events.isFreed {
                        XCTAssertEqual(try events.loopWait(), .noEvents)
                        events.free()
                    }
                }
            }
        }
    }

    func testItsMemoryIsReleasedWithTheLastTriggerAndTheImmediate() throws {
        try onBothBackends { events, _ in
            weak var signal: TriggerSignal?
            for isUnderWay in [false, true] {
                for keepsTrigger in [false, true] {
                    let immediate = try ThreadedImmediate(on: events) { _, _ in }
                    var trigger: ThreadTrigger? = immediate.trigger
                    signal = trigger?.signal
                    if isUnderWay { try trigger?.schedule() }
                    if !keepsTrigger { trigger = nil }
                    XCTAssertNotNil(signal)
                    immediate.free()
                    XCTAssertEqual(signal == nil, !keepsTrigger)
                    trigger = nil
                    XCTAssertNil(signal)
                }
            }
        }
    }

    func testItsHandlerIsReleasedWithItAndNotBefore() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            let immediate = try {
                let token = Token()
                held = token
                return try ThreadedImmediate(on: events) { _, _ in withExtendedLifetime(token) {} }
            }()
            let trigger = immediate.trigger
            try trigger.schedule()
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertNotNil(held)
            immediate.free()
            XCTAssertNil(held, "a trigger does not keep the handler")
            XCTAssertThrowsError(try trigger.schedule())
        }
    }

    // MARK: What it needs

    func testSchedulingNeedsNoMemory() throws {
        try onBothBackends { events, _ in
            var runs = 0
            let trigger = try ThreadedImmediate(on: events) { _, _ in runs += 1 }.trigger
            let waker = events.waker
            try trigger.schedule()
            _ = try events.loopOnce()
            var allocated = 0
            let before = test_allocations()
            for _ in 0..<100 {
                waker.value.pointee.isSleeping.store(true, ordering: .sequentiallyConsistent)
                let before = test_allocations()
                try trigger.schedule()
                try trigger.schedule()
                allocated += test_allocations() - before
                _ = try events.loopOnce()
            }
            XCTAssertEqual(allocated, 0)
            XCTAssertEqual(runs, 101)
            _ = try ImmediateEvent(under: events)
            XCTAssertGreaterThan(test_allocations(), before - (test_counts_allocations() == 0 ? 1 : 0))
        }
    }

    // MARK: What it reports about itself

    func testItHasAParentATagAnOriginAContextAndAName() throws {
        try withTallocContext { memory in
            let events = try EventContext(under: memory)
            let immediate = try ThreadedImmediate(on: events, under: memory) { _, _ in }
            XCTAssertEqual(immediate.parent, memory)
            XCTAssertEqual(immediate.tag, 0)
            immediate.tag = 9
            XCTAssertEqual(immediate.tag, 9)
            XCTAssertTrue(immediate.origin.hasPrefix("TeventTests/ThreadedImmediateTests.swift:"), immediate.origin)
            XCTAssertEqual(immediate.context, events)
            XCTAssertEqual(immediate.name, "struct tevent_threaded_context")
            XCTAssertTrue(events.hasEvents)
            events.free()
            XCTAssertFalse(immediate.isFreed, "it belongs to another parent")
            XCTAssertNil(immediate.context)
            XCTAssertThrowsError(try immediate.trigger.schedule())
            immediate.free()
        }
    }
}
