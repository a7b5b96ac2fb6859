import Talloc
import Tevent
import XCTest

/// The queue, its context or everything is freed, at any time.
final class QueueFreeTests: QueueTestCase {
    /// Adds three requests, the first of which has been started.
    private func addThree(
        to queue: RequestQueue, on events: EventContext, under memory: TallocContext
    ) throws -> [Request<Work>] {
        let requests = try add(["a", "b", "c"], to: queue, on: events, under: memory)
        XCTAssertEqual(try events.loopOnce(), .handled)
        assertNoted(["a"])
        return requests
    }

    // MARK: The queue

    func testAQueueThatIsFreedLeavesItsRequestsInProgressAndStartsNone() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try addThree(to: queue, on: events, under: memory)
            let entries = queue.entries
            requests[0].setCallback { _ in self.note("a called back") }
            queue.free()
            XCTAssertTrue(entries.allSatisfy(\.isFreed))
            XCTAssertTrue(requests.allSatisfy(\.isInProgress))
            XCTAssertEqual(requests.map(\.children.count), [0, 0, 0], "nothing is left of their places")
            XCTAssertFalse(events.hasEvents)
            requests[0].finish()
            assertNoted(["a called back"])
            for request in requests { request.free() }
            try assertLoop(events, notes: [])
        }
    }

    func testAQueueThatIsFreedBeforeTheLoopComesToItStartsNothing() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add(["a", "b"], to: queue, on: events, under: memory)
            XCTAssertTrue(events.hasEvents)
            queue.free()
            XCTAssertFalse(events.hasEvents)
            try assertLoop(events, notes: [])
        }
    }

    func testAQueueThatIsStoppedCanBeFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            queue.stop()
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            queue.free()
            XCTAssertTrue(requests.allSatisfy(\.isInProgress))
            try assertLoop(events, notes: [])
        }
    }

    func testTheQueueMayBeFreedInATrigger() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let first = try add("a", to: queue, on: events, under: memory) { request in
                queue.free()
                XCTAssertTrue(request.isInProgress)
            }
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            XCTAssertTrue(first.isInProgress)
        }
    }

    func testTheQueueMayBeFreedInATriggerThatIsCalledAtOnce() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try Request(Work(), under: memory)
            let entry = try queue.addOrStart(request, on: events) { _ in queue.free() }
            XCTAssertTrue(entry.isFreed && request.isInProgress)
            try assertLoop(events, notes: [])
        }
    }

    func testTheQueueMayBeFreedInTheDeinitOfWhatATriggerHeld() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            for place in 0..<3 {
                let queue = try RequestQueue(label: "another", under: memory)
                var token: Token? = Token()
                token?.onEnd = { if !queue.isFreed { queue.free() } }
                var requests: [Request<Work>] = []
                for index in 0..<3 {
                    let held = index == place ? token : nil
                    requests.append(
                        try add("\(index)", to: queue, on: events, under: memory) { _ in withExtendedLifetime(held) {} }
                    )
                }
                token = nil
                requests[place].free()
                XCTAssertTrue(queue.isFreed)
                XCTAssertFalse(events.hasEvents)
                for request in requests where !request.isFreed { request.free() }
            }
        }
    }

    func testWhatATriggerHeldMayFreeTheOthersWhenTheQueueIsFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            var token: Token? = Token()
            var others: [Request<Work>] = []
            token?.onEnd = { for other in others { other.free() } }
            others.append(try add("a", to: queue, on: events, under: memory))
            try add("b", to: queue, on: events, under: memory) { [token] _ in withExtendedLifetime(token) {} }
            others.append(try add("c", to: queue, on: events, under: memory))
            token = nil
            queue.free()
            XCTAssertTrue(others.allSatisfy(\.isFreed))
            try assertLoop(events, notes: [])
        }
    }

    // MARK: The context

    func testAContextThatIsFreedStartsNothingAndTheQueueWaitsForItsFirstToBeFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let other = try EventContext(under: memory, backend: events.backend)
            let lost = try add("a", to: queue, on: other, under: memory)
            try add("b", to: queue, on: events, under: memory)
            other.free()
            XCTAssertEqual(queue.length, 2)
            XCTAssertTrue(lost.isInProgress)
            try assertLoop(events, notes: [])
            queue.stop()
            queue.start()
            try assertLoop(events, notes: [])
            lost.free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testAContextThatIsFreedBeforeItsTurnComesLeavesTheActiveRequestAlone() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let other = try EventContext(under: memory, backend: events.backend)
            let first = try add("a", to: queue, on: events, under: memory)
            let lost = try add("b", to: queue, on: other, under: memory)
            let last = try add("c", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            other.free()
            first.free()
            try assertLoop(events, notes: [])
            lost.free()
            try assertLoop(events, notes: ["c"])
            last.free()
        }
    }

    func testTheContextMayBeFreedInATrigger() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let first = try add("a", to: queue, on: events, under: memory) { _ in events.free() }
            try add("b", to: queue, on: events, under: memory)
            XCTAssertEqual(try events.loopWait(), .contextFreed)
            assertNoted(["a"])
            XCTAssertTrue(first.isInProgress)
            first.free()
            assertNoted([])
            XCTAssertEqual(queue.length, 1)
        }
    }

    func testTheQueueGoesOnWithAnotherContextWhenTheActiveRequestsIsFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let other = try EventContext(under: memory, backend: events.backend)
            let first = try add("a", to: queue, on: other, under: memory)
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(other, notes: ["a"])
            other.free()
            first.free()
            try assertLoop(events, notes: ["b"])
        }
    }

    // MARK: All of it

    func testAParentOfEverythingCanBeFreedInWhateverOrderItWasMade() throws {
        let parts = ["context", "queue", "requests"]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for startsFirst in [true, false] {
                try onEachBackend { backend in
                    let tokens = Tokens()
                    let memory = try TallocContext()
                    let events = try EventContext(backend: backend, clock: ManualClock())
                    let queue = try RequestQueue(label: "writes", under: events)
                    let requests = try TallocContext(under: events)
                    for _ in 0..<3 {
                        let token = Tokens.Token(tokens)
                        try queue.add(try Request(Work(), under: requests), on: events) { _ in
                            withExtendedLifetime(token) {}
                        }
                    }
                    if startsFirst { XCTAssertEqual(try events.loopOnce(), .handled) }
                    // libtalloc frees the youngest child first.
                    for part in order {
                        switch parts[part] {
                        case "context": events.move(under: memory)
                        case "queue": queue.move(under: memory)
                        default: requests.move(under: memory)
                        }
                    }
                    memory.free()
                    XCTAssertTrue(queue.isFreed && requests.isFreed && events.isFreed)
                    XCTAssertEqual(tokens.alive, 0)
                }
            }
        }
    }

    func testAFreedParentOfAllRequestsEmptiesTheQueueAndStartsNone() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let connection = try TallocContext(under: memory)
            try add(["a", "b", "c"], to: queue, on: events, under: connection)
            try assertLoop(events, notes: ["a"])
            connection.free()
            XCTAssertEqual(queue.length, 0)
            XCTAssertFalse(events.hasEvents)
            try add("d", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["d"])
        }
    }

    func testEverythingMayBeFreedInATrigger() throws {
        try onEachBackend { backend in
            let memory = try TallocContext()
            let events = try EventContext(under: memory, backend: backend)
            let queue = try RequestQueue(label: "writes", under: memory)
            try add("a", to: queue, on: events, under: memory) { _ in memory.free() }
            try add("b", to: queue, on: events, under: memory)
            XCTAssertEqual(try events.loopWait(), .contextFreed)
            assertNoted(["a"])
            XCTAssertTrue(queue.isFreed)
        }
    }
}
