import CTestSupport
import Glibc
import Synchronization
import Talloc
import XCTest

@testable import Tevent

/// A sleeping loop is woken, one that is awake is left alone, and no message is slept through.
final class WakeTests: EngineTestCase {
    // MARK: Waking

    func testAMessageWakesALoopThatSleepsWithoutAnyOtherEvent() throws {
        try onBothBackendsInRealTime { events in
            try assertWoken(events)
        }
    }

    func testAMessageWakesALoopThatSleepsUntilAFarTimer() throws {
        try onBothBackendsInRealTime { events in
            try events.addTimer(after: .seconds(3600)) { _, _ in XCTFail("the timer ran") }
            try assertWoken(events)
        }
    }

    func testAMessageWakesALoopThatWaitsForADescriptor() throws {
        try onBothBackendsInRealTime { events in
            try events.addFD(try pipe().reader, .read) { _, _ in XCTFail("nothing was written") }
            try assertWoken(events)
        }
    }

    func testATriggerWakesASleepingLoop() throws {
        try onBothBackendsInRealTime { events in
            let runs = SharedCount()
            let (trigger, waker) = (
                try ThreadedImmediate(on: events) { _, _ in runs.add() }.trigger, events.waker
            )
            let sender = try SystemThread(named: "sender") {
                waker.waitUntilAsleep()
                return try trigger.schedule()
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertTrue(try sender.join())
            XCTAssertEqual(runs.value, 1)
        }
    }

    private func assertWoken(_ events: EventContext, line: UInt = #line) throws {
        let runs = SharedCount()
        let (proxy, waker) = (try ThreadInbox(on: events).proxy, events.waker)
        for round in 1...20 {
            let sender = try SystemThread(named: "sender") {
                waker.waitUntilAsleep()
                try proxy.schedule { _ in runs.add() }
            }
            XCTAssertEqual(try events.loopOnce(), .handled, line: line)
            try sender.join()
            XCTAssertEqual(runs.value, round, line: line)
            XCTAssertFalse(waker.isSleeping, line: line)
        }
    }

    // MARK: No message is slept through

    func testNoMessageIsSleptThroughByALoopThatSleepsAfterEachOne() throws {
        try assertNoneSleptThrough(senders: 1, rounds: rounds(20_000))
    }

    func testNoMessageOfTwoSendersIsSleptThrough() throws {
        try assertNoneSleptThrough(senders: 2, rounds: rounds(10_000))
    }

    /// Makes each sender send one message at a time, the next when it has seen that the last has run.
    private func assertNoneSleptThrough(senders: Int, rounds: Int, line: UInt = #line) throws {
        try onBothBackendsInRealTime { events in
            events.maximumWait = .seconds(20)
            let proxy = try ThreadInbox(on: events).proxy
            let (seen, gaveUp) = (SharedCount(), SharedCount())
            let threads = try (0..<senders).map { number in
                try SystemThread(named: "sender \(number)") {
                    let replies = SharedCount()
                    for round in 1...rounds {
                        try proxy.schedule { _ in
                            replies.add()
                            seen.add()
                        }
                        while replies.value < round {
                            guard gaveUp.value == 0 else { return }
                            sched_yield()
                        }
                    }
                }
            }
            var result = LoopResult.handled
            while seen.value < senders * rounds, result == .handled { result = try events.loopOnce() }
            XCTAssertEqual(result, .handled, "the loop slept through message \(seen.value)", line: line)
            if result != .handled { gaveUp.add() }
            for thread in threads { try thread.join() }
        }
    }

    // MARK: System calls

    func testALoopThatIsAwakeCostsItsSendersNoSystemCall() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let trigger = try ThreadedImmediate(on: events) { _, _ in }.trigger
            let waker = events.waker
            try proxy.schedule { _ in
                for _ in 0..<100 { proxy.send { _ in } }
                let sender = sure {
                    try SystemThread(named: "sender") {
                        for _ in 0..<100 { proxy.send { _ in } }
                        return try trigger.schedule()
                    }
                }
                XCTAssertTrue(sure { try sender.join() })
                XCTAssertEqual(waker.takeWakeups(), 0)
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(waker.takeWakeups(), 0, "a loop that has returned is not asleep either")
        }
    }

    func testASleepingLoopIsWokenOnceHoweverManyMessagesCome() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let waker = events.waker
            for _ in 0..<3 {
                waker.value.pointee.isSleeping.store(true, ordering: .sequentiallyConsistent)
                for _ in 0..<100 { try proxy.schedule { _ in } }
                XCTAssertFalse(waker.isSleeping, "whoever wakes it says so")
                XCTAssertEqual(waker.takeWakeups(), 1)
            }
        }
    }

    func testALoopThatHasSleptEmptiesWhatWokeIt() throws {
        try onBothBackendsInRealTime { events in
            try assertWoken(events)
            events.maximumWait = .milliseconds(1)
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            XCTAssertEqual(events.waker.takeWakeups(), 0)
        }
    }

    func testAMessageThatWaitsKeepsTheLoopFromSleeping() throws {
        try onBothBackendsInRealTime { events in
            let (proxy, waker, runs) = (try ThreadInbox(on: events).proxy, events.waker, SharedCount())
            // It arrives when the loop has checked for messages, but has not declared itself asleep yet.
            events.setLoopTrace { point in
                if point == .beforeWait { proxy.send { _ in runs.add() } }
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs.value, 1)
            XCTAssertEqual(waker.takeWakeups(), 0)
        }
    }

    // MARK: Wakers that are used again

    func testAWakerOfAFreedContextServesAnotherAndALateWakeIsHarmless() throws {
        try onEachBackend { backend in
            let first = try EventContext(backend: backend)
            _ = try ThreadInbox(on: first)
            let late = first.waker
            first.free()
            let second = try EventContext(backend: backend)
            defer { second.free() }
            second.maximumWait = .seconds(30)
            let (proxy, log) = (try ThreadInbox(on: second).proxy, SharedLog())
            XCTAssertEqual(second.waker.value, late.value, "the waker was not used again")
            let sender = try SystemThread(named: "sender") {
                late.waitUntilAsleep()
                // A sender does this that was held up before the first context ended.
                late.value.wake()
                waitUntil { late.value.pointee.visitors.load(ordering: .sequentiallyConsistent) == 0 }
                late.waitUntilAsleep()
                log.add("late")
                try proxy.schedule { _ in log.add("message") }
            }
            XCTAssertEqual(try second.loopOnce(), .handled)
            try sender.join()
            XCTAssertEqual(log.all, ["late", "message"], "the loop looked about in vain and slept again")
        }
    }

    func testAWakerIsNotClosedWhileAThreadIsAboutToWriteToIt() throws {
        try onEachBackend { backend in
            let events = try EventContext(backend: backend)
            _ = try ThreadInbox(on: events)
            let waker = events.waker
            let descriptor = waker.descriptor
            waker.value.pointee.visitors.add(1, ordering: .sequentiallyConsistent)
            waker.value.pointee.isSleeping.store(true, ordering: .sequentiallyConsistent)
            let visitor = try SystemThread(named: "visitor") {
                // Closing starts by declaring that the loop does not sleep.
                waitUntil { !waker.isSleeping }
                for _ in 0..<1000 { sched_yield() }
                let isOpen = fcntl(descriptor, F_GETFD) >= 0
                waker.value.pointee.visitors.subtract(1, ordering: .sequentiallyConsistent)
                return isOpen
            }
            events.free()
            XCTAssertTrue(try visitor.join(), "the descriptor was closed under the visitor")
            XCTAssertEqual(waker.descriptor, -1)
        }
    }

    func testTheChildDoesNotWaitForAThreadThatWasAboutToWakeAtTheFork() throws {
        try onEachBackend { backend in
            for notices in [false, true] {
                let events = try EventContext(backend: backend, clock: ManualClock())
                defer { events.free() }
                _ = try ThreadInbox(on: events)
                let visitors = events.waker
                visitors.value.pointee.visitors.add(1, ordering: .sequentiallyConsistent)
                let child = test_fork()
                if child == 0 {
                    // Ends the child if it waits forever.
                    alarm(20)
                    if notices { _ = try? events.loopOnce() }
                    events.free()
                    _exit(7)
                }
                var status: Int32 = 0
                XCTAssertEqual(waitpid(child, &status, 0), child)
                XCTAssertEqual(status, 7 << 8, "the child did not end by itself")
                visitors.value.pointee.visitors.subtract(1, ordering: .sequentiallyConsistent)
            }
        }
    }

    // MARK: Descriptors and processes

    func testAnInboxWithoutADescriptorLeftIsAnErrorAndCanBeMadeLater() throws {
        try onBothBackends { events, _ in
            let limit = test_limit_descriptors(3)
            let refusals = [
                failure { try ThreadInbox(on: events) }, failure { try ThreadedImmediate(on: events) { _, _ in } },
            ]
            XCTAssertGreaterThan(test_limit_descriptors(limit), 0)
            XCTAssertEqual(refusals, Array(repeating: .systemCall(name: "eventfd", code: EMFILE), count: 2))
            XCTAssertFalse(events.hasEvents)
            XCTAssertEqual(events.children, [])
            let (proxy, runs) = (try ThreadInbox(on: events).proxy, SharedCount())
            try proxy.schedule { _ in runs.add() }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs.value, 1)
        }
    }

    func testMessagesThatWaitWhenTheProcessForksRunInTheParentAlone() throws {
        try onBothBackends { events, _ in
            let (proxy, runs) = (try ThreadInbox(on: events).proxy, SharedCount())
            let threaded = try ThreadedImmediate(on: events) { _, _ in runs.add(100) }
            // One waits among the immediates, two in the channel.
            for _ in 0..<2 { try proxy.schedule { _ in runs.add() } }
            XCTAssertEqual(try events.loopOnce(), .handled)
            for _ in 0..<2 { try proxy.schedule { _ in runs.add() } }
            XCTAssertTrue(try threaded.trigger.schedule())
            let child = test_fork()
            if child == 0 {
                alarm(20)
                // What the child sends goes to the child's loop, before and after that notices the fork.
                try? proxy.schedule { _ in runs.add(10) }
                _ = try? events.loopWait()
                _ = try? threaded.trigger.schedule()
                try? proxy.schedule { _ in runs.add(10) }
                _ = try? events.loopWait()
                _exit(Int32(runs.value))
            }
            var status: Int32 = 0
            XCTAssertEqual(waitpid(child, &status, 0), child)
            XCTAssertEqual(status, 121 << 8)
            XCTAssertEqual(runs.value, 1)
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(runs.value, 104)
        }
    }

    func testAForkWhileMessagesAreReleasedLeavesTheOthersToTheParent() throws {
        for freesInbox in [true, false] {
            try onBothBackends { events, _ in
                let (inbox, fork) = (try ThreadInbox(on: events), ForkAtFirstRelease())
                // Two wait among the immediates, two in the channel.
                try inbox.proxy.schedule { _ in }
                for _ in 0..<2 { try inbox.proxy.schedule(ReleasedMessage(fork)) { _, _ in } }
                XCTAssertEqual(try events.loopOnce(), .handled)
                for _ in 0..<2 { try inbox.proxy.schedule(ReleasedMessage(fork)) { _, _ in } }
                if freesInbox { inbox.free() } else { events.free() }
                if fork.child == 0 { _exit(Int32(fork.releases)) }
                var status: Int32 = 0
                XCTAssertEqual(waitpid(fork.child, &status, 0), fork.child)
                XCTAssertEqual(status, 1 << 8, "the child released what is the parent's")
                XCTAssertEqual(fork.releases, 4)
            }
        }
    }

    func testAChildThatWakesItsOwnLoopDoesNotWakeTheParents() throws {
        try onBothBackends { events, _ in
            let proxy = try ThreadInbox(on: events).proxy
            let child = test_fork()
            if child == 0 {
                alarm(20)
                _ = try? events.loopOnce()
                let waker = events.waker.value
                waker.pointee.isSleeping.store(true, ordering: .sequentiallyConsistent)
                try? proxy.schedule { _ in }
                _exit(Int32(events.waker.takeWakeups()))
            }
            var status: Int32 = 0
            XCTAssertEqual(waitpid(child, &status, 0), child)
            XCTAssertEqual(status, 1 << 8)
            XCTAssertEqual(events.waker.takeWakeups(), 0)
        }
    }
}

/// Counts releases, and forks at the first.
private final class ForkAtFirstRelease {
    private(set) var releases = 0
    private(set) var child: pid_t = -1

    fileprivate func noteRelease() {
        releases += 1
        guard releases == 1 else { return }
        child = test_fork()
        if child == 0 { alarm(20) }
    }
}

private final class ReleasedMessage: @unchecked Sendable {
    private let fork: ForkAtFirstRelease

    init(_ fork: ForkAtFirstRelease) { self.fork = fork }

    deinit { fork.noteRelease() }
}
