import CLinux
import XCTest

@testable import Talloc
@testable import Tevent

/// Runs out of memory at every allocation of a queue in turn: each call throws, and nothing is half done.
final class QueueFaultTests: QueueTestCase {
    func testMakingAQueueAndAddingToIt() throws {
        try onEachBackend { backend in
            try failingEachAllocation { memory, token in
                let events = try EventContext(under: memory, backend: backend)
                let queue = try RequestQueue(label: "a label that is too long to be kept in place", under: memory)
                let request = try Request(Work(token: token), under: memory)
                try queue.add(request, on: events) { _ in withExtendedLifetime(token) {} }
                try queue.addOrStart(request, on: events) { _ in withExtendedLifetime(token) {} }
                try queue.addBlocker(request, on: events)
            }
        }
    }

    func testARequestThatCouldNotBeAddedIsInProgressAndInNoQueue() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let tokens = Tokens()
            let requests = try (0..<2).map { _ in try Request(Work(), under: memory) }
            try queue.addBlocker(requests[0], on: events)
            let blocks = memory.totalBlocks
            let slots = freeSlots()
            try memory.setMemoryLimit(bytes: 1)
            for kind in 0..<3 {
                let token = Tokens.Token(tokens)
                let refusal = failure {
                    switch kind {
                    case 0: try queue.add(requests[1], on: events) { _ in withExtendedLifetime(token) {} }
                    case 1: try queue.addOrStart(requests[1], on: events) { _ in withExtendedLifetime(token) {} }
                    default: try queue.addBlocker(requests[1], on: events)
                    }
                }
                XCTAssertEqual(refusal, .outOfMemory(name: "struct tevent_queue_entry"))
            }
            XCTAssertEqual(tokens.alive, 0)
            XCTAssertEqual(queue.length, 1)
            XCTAssertEqual(queue.entries.map(\.request), [AnyRequest(requests[0])])
            XCTAssertEqual(memory.totalBlocks, blocks)
            XCTAssertEqual(freeSlots(), slots, "handles were lost")
            XCTAssertTrue(requests[1].isInProgress)
            try memory.setMemoryLimit(bytes: nil)
            try add("b", requests[1], to: queue, on: events)
            requests[0].free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testAQueueThatCouldNotBeMadeLeavesNothing() throws {
        try withTallocContext { root in
            let slots = freeSlots()
            try root.setMemoryLimit(bytes: 1)
            assertThrows(.outOfMemory(name: "struct tevent_queue"), try RequestQueue(label: "writes", under: root))
            XCTAssertEqual(root.totalBlocks, 1)
            XCTAssertEqual(freeSlots(), slots)
        }
    }

    func testWaitingIsNeverMadeOrEndsForLackOfMemory() throws {
        try onBothBackends { events, _ in
            var endings: [String] = []
            var limit = 0
            while endings.last != "done" {
                limit += 8
                guard limit < 10_000 else { return XCTFail("no limit sufficed") }
                let memory = try TallocContext()
                let queue = try RequestQueue(label: "writes", under: events)
                try memory.setMemoryLimit(bytes: limit)
                let ending = try ending(in: queue, on: events, under: memory)
                if ending != endings.last { endings.append(ending) }
                XCTAssertEqual(queue.length, 0)
                XCTAssertEqual(memory.totalBlocks, 1, "under a limit of \(limit) bytes")
                XCTAssertFalse(events.hasEvents)
                memory.free()
                queue.free()
            }
            XCTAssertEqual(endings, ["never made: struct tevent_req", "no memory: struct tevent_queue_entry", "done"])
        }
    }

    private func ending(
        in queue: RequestQueue, on events: EventContext, under memory: TallocContext
    ) throws -> String {
        let request: Request<QueueWait>
        do { request = try QueueWait.send(in: queue, on: events, under: memory) } catch {
            return "never made: \(missing(error))"
        }
        defer { request.free() }
        request.setCallback { _ in self.note("called back") }
        try assertLoop(events, notes: ["called back"])
        let status = request.status
        do { try request.receive() } catch { return "\(status): \(missing(error))" }
        return "\(status)"
    }

    private func missing(_ error: any Error) -> String {
        guard case TeventError.outOfMemory(let name) = error else { return "\(error)" }
        return name
    }

    // MARK: Under a limit that suffices

    func testReceivingUnderALimitCountsNoPlaceTwice() throws {
        // libtalloc 2.4.0 does not count down everything for each freed request, so a limit is eventually used up.
        try onBothBackendsWithQueue { queue, events, memory in
            let rounds = try [false, true].map { isReceived in
                let limited = try TallocContext(under: memory)
                try limited.setMemoryLimit(bytes: 20_000)
                let oneRound = {
                    let request = try Request(Work(), under: limited)
                    for _ in 0..<3 { _ = try TallocChunk("its own", under: try queue.addBlocker(request, on: events)) }
                    if isReceived { request.discard() }
                    XCTAssertEqual(queue.length, 3)
                    request.free()
                }
                var rounds = 0
                while (try? oneRound()) != nil, rounds < 1_000 { rounds += 1 }
                limited.free()
                return rounds
            }
            XCTAssertGreaterThan(rounds[0], 20)
            XCTAssertEqual(rounds[1], rounds[0])
        }
    }

    func testStartingStoppingAndGoingOnNeedNoMemory() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            var requests = try add(["a", "b", "c"], to: queue, on: events, under: memory)
            queue.stop()
            try memory.setMemoryLimit(bytes: 1)
            queue.start()
            for name in ["a", "b", "c"] {
                try assertLoop(events, notes: [name])
                queue.stop()
                queue.entries[0].untrigger()
                queue.start()
                try assertLoop(events, notes: [name])
                requests.removeFirst().free()
            }
        }
    }

    /// How many handles this thread could give to new objects without requesting more slots.
    private func freeSlots() -> Int {
        let free = clinux_free_slots_here()!.pointee
        return free.count + (free.set_aside == nil ? 0 : SlotDepot.longestList)
    }
}
