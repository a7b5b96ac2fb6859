import CTestSupport
import Glibc
import Talloc
import XCTest

@testable import Tevent

/// What becomes of messages, triggers and proxies when the process forks.
final class ForkedMessageTests: EngineTestCase {
    /// Runs the loop until nothing is left, and returns what its messages have said.
    private func said(_ log: SharedLog, _ events: EventContext) -> String {
        _ = try? events.loopWait()
        return log.all.joined(separator: ", ")
    }

    func testAMessageOfTheChildRunsAlthoughItFreesAnotherInboxBeforeItsFirstTurn() throws {
        try onBothBackends { events, _ in
            let (other, proxy, log) = (try ThreadInbox(on: events), try ThreadInbox(on: events).proxy, SharedLog())
            let trigger = try ThreadedImmediate(on: events) { _, _ in log.add("triggered") }.trigger
            let report = try inChild {
                try proxy.schedule { _ in log.add("sent") }
                try trigger.schedule()
                other.free()
                return said(log, events)
            }
            XCTAssertEqual(report, "sent, triggered")
        }
    }

    func testAGrandchildDoesNotRunWhatItsParentHadSent() throws {
        try onBothBackends { events, _ in
            let (proxy, log) = (try ThreadInbox(on: events).proxy, SharedLog())
            try proxy.schedule { _ in log.add("from the first") }
            let report = try inChild {
                try proxy.schedule { _ in log.add("from the child") }
                let grandchild = try inChild {
                    try proxy.schedule { _ in log.add("from the grandchild") }
                    return said(log, events)
                }
                return "\(grandchild); \(said(log, events))"
            }
            XCTAssertEqual(report, "from the grandchild; from the child")
            XCTAssertEqual(said(log, events), "from the first")
        }
    }

    func testATriggerUnderWayAtTheForkCanBeScheduledInTheChild() throws {
        // Under way in the channel, among the immediates, and not at all.
        for turns in 0..<3 {
            try onBothBackends { events, _ in
                let log = SharedLog()
                let inbox = try ThreadInbox(on: events)
                let trigger = try ThreadedImmediate(on: events) { _, _ in log.add("ran") }.trigger
                try inbox.proxy.schedule { _ in }
                XCTAssertTrue(try trigger.schedule())
                for _ in 0..<turns { XCTAssertEqual(try events.loopOnce(), .handled) }
                let report = try inChild {
                    let first = try trigger.schedule()
                    let second = try trigger.schedule()
                    return "\(first) \(second): \(said(log, events)), \(try trigger.schedule())"
                }
                let before = turns == 2 ? "ran, " : ""
                XCTAssertEqual(report, "true false: \(before)ran, true", "after \(turns) turns")
                XCTAssertEqual(said(log, events), "ran")
                XCTAssertTrue(try trigger.schedule())
            }
        }
    }

    func testAChildThatFreesAnInboxOrContextLeavesItsMessagesToTheParent() throws {
        for (freesInbox, turns) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
            try onBothBackends { events, _ in
                let (inbox, log) = (try ThreadInbox(on: events), SharedLog())
                try inbox.proxy.schedule { _ in }
                try inbox.proxy.schedule(SaysEnd(log)) { _, payload in withExtendedLifetime(payload) {} }
                for _ in 0..<turns { XCTAssertEqual(try events.loopOnce(), .handled) }
                let report = try inChild {
                    if freesInbox { inbox.free() } else { events.free() }
                    return "in the child: \(log.all)"
                }
                XCTAssertEqual(report, "in the child: []", "the child has released what is the parent's")
                XCTAssertEqual(said(log, events), "released")
            }
        }
    }

    func testInAChildThatHasNoThreadForALoopItsProxiesRefuse() throws {
        let backend = EventContext.defaultBackend
        let ends = SharedCount()
        let events = try EventContext()
        defer { events.free() }
        let answers = SharedProxy()
        let arrived = try ThreadedImmediate(on: events) { _, events in events.stop() }.trigger
        let thread = try SystemThread(named: "loop") {
            let own = try EventContext(backend: backend)
            defer { own.free() }
            let inbox = try ThreadInbox(on: own)
            let trigger = try ThreadedImmediate(on: own) { _, _ in }.trigger
            answers.put(inbox.proxy, trigger)
            try arrived.schedule()
            try own.loop { inbox.isFreed || ends.value > 0 }
        }
        try events.loopWait()
        let (proxy, trigger) = answers.take()
        XCTAssertFalse(proxy.isClosed)
        let report = try inChild {
            var refusals: [Bool] = []
            do throws(LoopEndedError<Int>) { try proxy.schedule(7) { _, _ in } } catch {
                refusals.append(error.takePayload() == 7)
            }
            do { try trigger.schedule() } catch { refusals.append(true) }
            return "\(refusals) \(proxy.isClosed)"
        }
        XCTAssertEqual(report, "[true, true] true")
        try proxy.schedule { _ in ends.add() }
        try thread.join()
    }

    func testAContextThatWasHandedOverBelongsToItsNewThreadInAChild() throws {
        for sleeps in [true, false] {
            nonisolated(unsafe) let (test, events) = (self, try EventContext(clock: ManualClock()))
            let proxy = try ThreadInbox(on: events).proxy
            let report = try SystemThread(named: "new") {
                defer { events.free() }
                if sleeps { _ = try events.loopOnce() }
                let log = SharedLog()
                return try test.inChild {
                    // Making an inbox says where the loop is, if nothing has before.
                    if !sleeps { _ = try ThreadInbox(on: events) }
                    try proxy.schedule { _ in log.add("received") }
                    return test.said(log, events)
                }
            }.join()
            XCTAssertEqual(report, "received")
        }
    }
}

/// Says when it is released.
private final class SaysEnd: Sendable {
    private let log: SharedLog

    init(_ log: SharedLog) { self.log = log }

    deinit { log.add("released") }
}

/// Carries a proxy and a trigger from one thread to another.
private final class SharedProxy: Sendable {
    private let content = Locked<(ThreadProxy, ThreadTrigger)?>(nil)

    func put(_ proxy: ThreadProxy, _ trigger: ThreadTrigger) { content.withLock { $0 = (proxy, trigger) } }
    func take() -> (ThreadProxy, ThreadTrigger) { content.withLock { $0 }! }
}
