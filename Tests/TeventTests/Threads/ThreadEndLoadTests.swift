import Dispatch
import Glibc
import Synchronization
import Talloc
import Tevent
import XCTest

/// Loops that end while threads send to them: every object is handled, released, or given back to its sender.
final class ThreadEndLoadTests: EngineTestCase {
    /// What happened to objects.
    private final class Account: Sendable {
        let alive = SharedCount()
        let made = SharedCount()
        let handled = SharedCount()
        let givenBack = SharedCount()
        let letGo = SharedCount()
        let isOver = SharedCount()
        /// Where to send; the loops come and go.
        let target = Locked<ThreadProxy?>(nil)
        /// One permit for each object to send.
        let permits = DispatchSemaphore(value: 0)
        let trigger = Locked<ThreadTrigger?>(nil)

        func makeCargo() -> sending Item { Item(self) }

        /// Where to send the next object, once it may be sent; nil at the end.
        func nextTarget() -> ThreadProxy? {
            permits.wait()
            return isOver.value == 0 ? target.withLock { $0 } : nil
        }

        func nextTrigger() -> ThreadTrigger? {
            permits.wait()
            return trigger.withLock { $0 }
        }
    }

    /// An object that reports what happens to it.
    private final class Item {
        private let account: Account
        var isSettled = false

        init(_ account: Account) {
            self.account = account
            account.made.add()
            account.alive.add()
        }

        deinit {
            if !isSettled { account.letGo.add() }
            account.alive.add(-1)
        }
    }

    private static func send(_ account: Account) {
        while let proxy = account.nextTarget() {
            do {
                try proxy.schedule(account.makeCargo()) { _, item in
                    item.isSettled = true
                    account.handled.add()
                }
            } catch {
                guard let item = error.takePayload() else { continue }
                item.isSettled = true
                account.givenBack.add()
            }
        }
    }

    private static func sendMemory(_ account: Account) {
        while let proxy = account.nextTarget() {
            let memory = sure { try TallocChunk(account.makeCargo()) }
            nonisolated(unsafe) let given = memory
            do {
                try proxy.schedule(memory: given) { _, memory in
                    memory.value.isSettled = true
                    account.handled.add()
                    memory.free()
                }
            } catch {
                guard let memory = error.takePayload() else { continue }
                memory.value.isSettled = true
                account.givenBack.add()
                memory.free()
            }
        }
    }

    func testTenThousandLoopsThatEndWhileFourThreadsSend() throws {
        try onEachBackend { backend in
            let account = Account()
            let senders = try (0..<4).map { number in
                try SystemThread(named: "sender \(number)") {
                    number % 2 == 0 ? Self.send(account) : Self.sendMemory(account)
                }
            }
            var random = SeededGenerator(1)
            for round in 0..<rounds(5_000) {
                let parent = try TallocContext()
                let events = try EventContext(under: parent, backend: backend)
                events.maximumWait = .seconds(30)
                let inbox = try ThreadInbox(on: events)
                account.target.withLock { $0 = inbox.proxy }
                for _ in 0..<8 { account.permits.signal() }
                for _ in 0..<random.next() % 8 { XCTAssertEqual(try events.loopOnce(), .handled) }
                switch round % 3 {
                case 0: inbox.free()
                case 1: events.free()
                default: break
                }
                parent.free()
            }
            // The last loop has ended: whatever is sent to it now is given back, however late its senders were before.
            let givenBack = account.givenBack.value
            let deadline = ContinuousClock.now.advanced(by: .seconds(30))
            for _ in 0..<8 { account.permits.signal() }
            while account.givenBack.value == givenBack, .now < deadline { sched_yield() }
            account.isOver.add()
            for _ in senders { account.permits.signal() }
            for sender in senders { try sender.join() }
            XCTAssertEqual(account.alive.value, 0)
            XCTAssertEqual(
                account.made.value, account.handled.value + account.givenBack.value + account.letGo.value)
            XCTAssertGreaterThan(account.handled.value, 0)
            XCTAssertGreaterThan(account.givenBack.value, 0)
            XCTAssertGreaterThan(account.letGo.value, 0)
        }
    }

    func testTriggersOfLoopsThatEndWhileThreadsSchedule() throws {
        try onEachBackend { backend in
            let account = Account()
            let senders = try (0..<3).map { number in
                try SystemThread(named: "sender \(number)") {
                    while let trigger = account.nextTrigger() {
                        // A few times each, so that some find it under way.
                        for _ in 0..<5 { _ = try? trigger.schedule() }
                    }
                }
            }
            for round in 0..<rounds(2_000) {
                let events = try EventContext(backend: backend)
                events.maximumWait = .seconds(30)
                let item = account.makeCargo()
                let immediate = try ThreadedImmediate(on: events) { _, _ in item.isSettled = true }
                account.trigger.withLock { $0 = immediate.trigger }
                for _ in 0..<6 { account.permits.signal() }
                if round % 2 == 0 {
                    XCTAssertEqual(try events.loopOnce(), .handled)
                    XCTAssertTrue(item.isSettled)
                    immediate.free()
                }
                events.free()
            }
            account.isOver.add()
            account.trigger.withLock { $0 = nil }
            for _ in senders { account.permits.signal() }
            for sender in senders { try sender.join() }
            XCTAssertEqual(account.alive.value, 0)
        }
    }
}
