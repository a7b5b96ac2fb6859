import Synchronization
import Talloc
import XCTest

@testable import Tevent

/// Talloc memory that goes from one thread to another: it has an owner at all times, and none of it is left at the end.
final class ThreadMemoryTests: EngineTestCase {
    /// Runs a test with an inbox whose loop is this thread's.
    private func withInbox(
        _ body: (_ events: EventContext, _ inbox: ThreadInbox, _ log: SharedLog) throws -> Void
    ) throws {
        try onBothBackends { events, _ in
            let inbox = try ThreadInbox(on: events)
            let blocks = events.totalBlocks
            try body(events, inbox, SharedLog())
            XCTAssertEqual(events.totalBlocks, blocks, "memory was left behind")
        }
    }

    func testMemoryArrivesAsARootAndBelongsToItsHandler() throws {
        try withInbox { events, inbox, log in
            nonisolated(unsafe) let memory = try TallocChunk("content")
            try inbox.proxy.schedule(memory: memory) { _, memory in
                log.add("\(memory.parent == nil), \(memory.value)")
            }
            XCTAssertFalse(memory.isFreed)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["true, content"])
            XCTAssertFalse(memory.isFreed, "another thread may use it by now, for all the loop knows")
            memory.free()
        }
    }

    func testMemoryIsARootOnItsWay() throws {
        try withInbox { events, inbox, _ in
            nonisolated(unsafe) let parent = try TallocContext()
            nonisolated(unsafe) let memory = try TallocContext(under: parent)
            _ = try TallocContext(under: memory)
            XCTAssertEqual(parent.totalBlocks, 3)
            try inbox.proxy.schedule(memory: memory) { _, memory in memory.free() }
            XCTAssertEqual(parent.totalBlocks, 1)
            XCTAssertNil(memory.parent)
            parent.free()
            XCTAssertEqual(memory.totalBlocks, 2)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertTrue(memory.isFreed)
        }
    }

    func testMemoryThatAHandlerMovesStays() throws {
        try withInbox { events, inbox, _ in
            nonisolated(unsafe) let memory = try TallocContext()
            let child = try TallocContext(under: memory)
            try inbox.proxy.schedule(memory: memory) { events, memory in memory.move(under: events) }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(memory.parent, events.tallocContext)
            XCTAssertFalse(child.isFreed)
            memory.free()
        }
    }

    func testMemoryThatNoHandlerGetsIsFreed() throws {
        try withInbox { events, inbox, _ in
            nonisolated(unsafe) let memory = try TallocContext()
            let other = try ThreadInbox(on: events)
            try other.proxy.schedule(memory: memory) { _, _ in XCTFail("its inbox is freed") }
            XCTAssertFalse(memory.isFreed)
            other.free()
            XCTAssertTrue(memory.isFreed)
        }
    }

    func testAHandlerMayFreeItsMemory() throws {
        try withInbox { events, inbox, log in
            try inbox.proxy.schedule(memory: try TallocContext()) { _, memory in
                memory.free()
                log.add("\(memory.isFreed)")
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["true"])
        }
    }

    func testNothingOfTheReceiversTreeCanBeReachedFromMemoryThatArrived() throws {
        try withInbox { events, inbox, log in
            let memory = try TallocContext()
            _ = try TallocContext(under: memory)
            try inbox.proxy.schedule(memory: memory) { _, memory in
                log.add("\(memory.parent == nil), \(memory.children.map { $0.parent == memory })")
                memory.free()
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["true, [true]"])
        }
    }

    func testAnotherThreadMayUseMemoryThatArrivedAndFreeIt() throws {
        try withInbox { events, inbox, log in
            try inbox.proxy.schedule(memory: try TallocChunk(1)) { _, memory in
                let thread = try? SystemThread(named: "other") {
                    memory.value += 1
                    log.add("\(memory.value)")
                    _ = memory.free()
                }
                try? thread?.join()
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["2"])
        }
    }

    func testMemoryThatArrivedMayBeSentOnAsAPayload() throws {
        try withInbox { events, inbox, log in
            let proxy = inbox.proxy
            try proxy.schedule(memory: try TallocChunk(1)) { _, memory in
                try? proxy.schedule((memory, "with a note")) { _, both in
                    log.add("\(both.0.value) \(both.1)")
                    both.0.free()
                }
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["1 with a note"])
        }
    }

    func testChildrenComeAlongAndDestructorsAreAskedOnTheReceiversThread() throws {
        try onEachBackend { backend in
            let there = try Remote(backend: backend)
            let (log, alive) = (SharedLog(), SharedCount())
            let memory = try TallocContext()
            for name in ["older", "younger"] {
                let chunk = try TallocChunk(Cargo(alive), under: memory)
                chunk.setDestructor { _ in
                    log.add("\(name) on \(thisThread())")
                    return .allow
                }
            }
            let remote = SharedLog()
            try there.proxy.schedule(memory: memory) { _, memory in
                remote.add("\(thisThread())")
                log.add("\(memory.totalBlocks) blocks")
                memory.free()
            }
            try there.end()
            let thread = remote.all[0]
            XCTAssertNotEqual(thread, "\(thisThread())")
            XCTAssertEqual(log.all.sorted(), ["3 blocks", "older on \(thread)", "younger on \(thread)"])
            XCTAssertEqual(alive.value, 0)
        }
    }

    func testAnEmptyContextCanBeSentAndIsFreedWithItsDescriptors() throws {
        try withInbox { events, inbox, log in
            let backend = events.backend
            let other = try EventContext(backend: backend)
            _ = try ThreadInbox(on: other)
            try inbox.proxy.schedule(memory: other) { _, other in
                log.add("\(other.hasEvents)")
                other.free()
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["true"])
        }
    }

    // MARK: Sent on

    func testMemoryCanBeSentOnToTheSameLoop() throws {
        try withInbox { events, inbox, log in
            nonisolated(unsafe) let memory = try TallocChunk(1)
            let proxy = inbox.proxy
            try proxy.schedule(memory: memory) { _, memory in
                proxy.send(memory: memory) { _, memory in
                    log.add("\(memory.value)")
                    memory.free()
                }
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertFalse(memory.isFreed)
            XCTAssertNil(memory.parent)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["1"])
            XCTAssertTrue(memory.isFreed)
        }
    }

    func testMemoryThatCirclesBetweenThreadsIsTouchedByOneAtATime() throws {
        try onEachBackend { backend in
            let loops = try (0..<2).map { _ in try Remote(backend: backend) }
            let alive = SharedCount()
            let round = Round(loops.map(\.proxy))
            let count = rounds(2_000)
            for _ in 0..<count {
                round.send(try makeTree(chunks: 3, alive), hops: 6)
            }
            waitUntil { round.arrived.value == count }
            for loop in loops { try loop.end() }
            XCTAssertEqual(alive.value, 0)
        }
    }

    private final class Round: Sendable {
        let arrived = SharedCount()
        private let proxies: [ThreadProxy]

        init(_ proxies: [ThreadProxy]) { self.proxies = proxies }

        func send(_ memory: sending TallocContext, hops: Int) {
            proxies[hops % 2].send(memory: memory) { _, memory in
                XCTAssertEqual(memory.children.count, 3)
                guard hops > 0 else {
                    memory.free()
                    self.arrived.add()
                    return
                }
                self.send(memory, hops: hops - 1)
            }
        }
    }

    func testMemoryInsideOtherMemoryCanBeSentOnAndBackAgain() throws {
        try withInbox { events, inbox, log in
            let proxy = inbox.proxy
            nonisolated(unsafe) let memory = try TallocChunk(1)
            try proxy.schedule(memory: memory) { _, memory in
                guard let wrapper = try? TallocContext() else { return }
                memory.move(under: wrapper)
                proxy.send(memory: wrapper) { _, wrapper in
                    log.add("\(wrapper.children.map { $0.chunk(expecting: Int.self).value })")
                    wrapper.free()
                }
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertFalse(memory.isFreed)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["[1]"])
            XCTAssertTrue(memory.isFreed)
        }
    }

    // MARK: Where memory is short

    func testALimitOfTheReceiverDoesNotKeepMemoryOut() throws {
        try onEachBackend { backend in
            try withTallocContext { memory in
                let events = try EventContext(under: memory, backend: backend, clock: ManualClock())
                let proxy = try ThreadInbox(on: events).proxy
                let log = SharedLog()
                try memory.setMemoryLimit(bytes: memory.totalSize + 4_000)
                let blocks = memory.totalBlocks
                for _ in 0..<3 {
                    try proxy.schedule(memory: try makeTree(chunks: 200)) { _, tree in
                        log.add("\(tree.totalBlocks)")
                        tree.free()
                    }
                }
                XCTAssertEqual(try events.loopWait(), .timedOut)
                XCTAssertEqual(log.all, ["201", "201", "201"])
                XCTAssertEqual(memory.totalBlocks, blocks)
                XCTAssertNoThrow(try TallocContext(under: memory))
            }
        }
    }

    func testMemoryOfASenderWithALimitArrivesAndIsFreed() throws {
        try withInbox { events, inbox, log in
            nonisolated(unsafe) let parent = try TallocContext()
            try parent.setMemoryLimit(bytes: 10_000)
            nonisolated(unsafe) let memory = try TallocContext(under: parent)
            for number in 0..<10 { _ = try TallocChunk(number, under: memory) }
            try inbox.proxy.schedule(memory: memory) { _, memory in
                log.add("\(memory.totalBlocks)")
                memory.free()
            }
            parent.free()
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(log.all, ["11"])
        }
    }

    func testMakingAnInboxWithoutMemoryLeavesNothing() throws {
        try onEachBackend { backend in
            try failingEachAllocation { memory, _ in
                let events = try EventContext(under: memory, backend: backend)
                _ = try ThreadInbox(on: events)
            }
        }
    }

    func testMakingAThreadedImmediateWithoutMemoryLeavesNothing() throws {
        try onEachBackend { backend in
            try failingEachAllocation { memory, token in
                let events = try EventContext(under: memory, backend: backend)
                _ = try ThreadedImmediate(on: events) { _, _ in withExtendedLifetime(token) {} }
            }
        }
    }
}
