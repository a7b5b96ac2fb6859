import Talloc
import Tevent
import XCTest

/// The purpose of a queue: first in, first out, one at a time, each until it is freed.
final class QueueTests: QueueTestCase {
    // MARK: What it is

    func testANewQueueIsEmptyAndRuns() throws {
        try withTallocContext { root in
            let queue = try RequestQueue(label: "writes", under: root)
            let line = #line - 1
            XCTAssertEqual(queue.label, "writes")
            XCTAssertEqual(queue.origin, "TeventTests/QueueTests.swift:\(line)")
            XCTAssertTrue(queue.isRunning)
            XCTAssertEqual(queue.length, 0)
            XCTAssertEqual(queue.entries, [])
        }
    }

    func testAQueueAndAPlaceInItAreChunksNamedAsInC() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add("a", to: queue, on: events, under: memory)
            XCTAssertTrue(
                memory.report().drawing(.names).hasSuffix(
                    """
                    ├─ struct tevent_queue
                    └─ struct tevent_req: Work
                       └─ struct tevent_queue_entry
                    """), memory.report().drawing(.names))
        }
    }

    func testTheQueueListsItsEntriesInOrder() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try (0..<4).map { _ in try Request(Work(), under: memory) }
            let entries = try requests.map { try queue.addBlocker($0, on: events) }
            XCTAssertEqual(queue.entries, entries)
            XCTAssertEqual(queue.length, 4)
            XCTAssertEqual(entries.map(\.request), requests.map { AnyRequest($0) })
            XCTAssertEqual(entries.map(\.queue), [queue, queue, queue, queue])
            requests[1].free()
            XCTAssertEqual(queue.entries, [entries[0], entries[2], entries[3]])
            XCTAssertEqual(queue.length, 3)
        }
    }

    // MARK: Order

    func testTriggersAreCalledInTheOrderAddedEachWhenTheOneBeforeIsFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b", "c"], to: queue, on: events, under: memory)
            for (request, name) in zip(requests, ["a", "b", "c"]) {
                try assertLoop(events, notes: [name])
                XCTAssertTrue(queue.entries[0].isTriggered)
                request.free()
            }
            try assertLoop(events, notes: [])
            XCTAssertEqual(queue.length, 0)
        }
    }

    func testNeitherAddingNorFreeingCallsATrigger() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            assertNoted([])
            XCTAssertEqual(try events.loopOnce(), .handled)
            assertNoted(["a"])
            requests[0].free()
            assertNoted([])
            XCTAssertFalse(queue.entries[0].isTriggered)
            XCTAssertEqual(try events.loopOnce(), .handled)
            assertNoted(["b"])
        }
    }

    func testARequestIsGivenToItsTriggerWithItsState() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try Request(Work(answer: 42), under: memory)
            try queue.add(request, on: events) { active in
                XCTAssertEqual(active, request)
                XCTAssertEqual(active.state.answer, 42)
                self.note("called")
            }
            try assertLoop(events, notes: ["called"])
        }
    }

    func testATurnOfTheLoopStartsOneRequest() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            for name in ["a", "b"] { try add(name, to: queue, on: events, under: memory) { $0.free() } }
            XCTAssertEqual(try events.loopOnce(), .handled)
            assertNoted(["a"])
            XCTAssertEqual(try events.loopOnce(), .handled)
            assertNoted(["b"])
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testTwoQueuesDoNotWaitForEachOther() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let other = try RequestQueue(label: "reads", under: memory)
            try add(["a", "b"], to: queue, on: events, under: memory)
            try add(["A", "B"], to: other, on: events, under: memory)
            try assertLoop(events, notes: ["a", "A"])
        }
    }

    func testEntriesOnTwoContextsKeepTheirOrderAndEachIsStartedByItsLoop() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let other = try EventContext(under: memory, backend: events.backend)
            let order = [events, events, other, events, other, other]
            let requests = try order.enumerated().map { try add("\($0)", to: queue, on: $1, under: memory) }
            for (index, loop) in order.enumerated() {
                let idle = loop == events ? other : events
                XCTAssertFalse(idle.hasEvents)
                try assertLoop(idle, notes: [])
                try assertLoop(loop, notes: ["\(index)"])
                requests[index].free()
            }
            XCTAssertEqual(queue.length, 0)
        }
    }

    func testWhatIsAddedInATriggerComesLast() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add("a", to: queue, on: events, under: memory) { request in
                sure { try self.add("c", to: queue, on: events, under: memory) { $0.free() } }
                self.note("a returns")
                request.free()
            }
            try add("b", to: queue, on: events, under: memory) { $0.free() }
            try assertLoop(events, notes: ["a", "a returns", "b", "c"])
        }
    }

    func testWhatIsAddedInACallbackComesLast() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let first = try add("a", to: queue, on: events, under: memory) { $0.finish() }
            first.setCallback { request in
                request.free()
                sure { try self.add("c", to: queue, on: events, under: memory) { $0.free() } }
                self.note("a called back")
            }
            try add("b", to: queue, on: events, under: memory) { $0.free() }
            try assertLoop(events, notes: ["a", "a called back", "b", "c"])
        }
    }

    func testWhatIsAddedInADeinitOfWhatATriggerHeldComesLast() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            var token: Token? = Token()
            token?.onEnd = {
                XCTAssertEqual(queue.length, 1, "the entry has left")
                sure { try self.add("c", to: queue, on: events, under: memory) { $0.free() } }
            }
            try add("a", to: queue, on: events, under: memory) { [token] request in
                request.free()
                withExtendedLifetime(token) {}
            }
            token = nil
            try add("b", to: queue, on: events, under: memory) { $0.free() }
            try assertLoop(events, notes: ["a", "b", "c"])
        }
    }

    // MARK: How long a request is the active one

    func testARequestThatHasEndedHoldsTheQueueUntilItIsFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            requests[0].finish()
            try assertLoop(events, notes: [])
            requests[0].free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testARequestThatWasReceivedHoldsTheQueueUntilItIsFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            requests[0].finish()
            XCTAssertEqual(requests[0].outcome(), "0")
            XCTAssertEqual(queue.length, 2)
            try assertLoop(events, notes: [])
            requests[0].free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testARequestThatEndsInItsTriggerCallsBackAtOnceAndHoldsTheQueue() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let first = try add("a", to: queue, on: events, under: memory) { request in
                request.fail(Oops())
                self.note("a returns")
            }
            first.setCallback { _ in self.note("a called back") }
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a", "a called back", "a returns"])
            first.free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testARequestThatIsPostedInItsTriggerCallsBackFromTheLoop() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let first = try add("a", to: queue, on: events, under: memory) { request in
                request.deferCallback(on: events)
                request.finish()
                self.note("a returns")
            }
            first.setCallback { request in
                self.note("a called back")
                request.free()
            }
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a", "a returns", "a called back", "b"])
        }
    }

    func testASlowRequestKeepsTheOthersWaitingInEveryStepOfItsWork() throws {
        try onBothBackends { events, clock in
            try withTallocContext { memory in
                let queue = try RequestQueue(label: "writes", under: memory)
                for name in ["a", "b"] {
                    let request = try Request(Work(), under: memory)
                    try queue.add(request, on: events) { request in
                        self.step(request, named: name, on: events)
                    }
                    request.setCallback { $0.free() }
                }
                for expected in [["a 0"], ["a 1"], ["a 2", "b 0"], ["b 1"], ["b 2"]] {
                    try events.loopWait()
                    assertNoted(expected)
                    clock.advance(by: .seconds(1))
                }
                XCTAssertEqual(queue.length, 0)
            }
        }
    }

    private func step(_ request: Request<Work>, named name: String, on events: EventContext) {
        note("\(name) \(request.state.answer)")
        request.state.answer += 1
        guard request.state.answer < 3 else { return request.finish() }
        sure {
            try events.addTimer(after: .seconds(1), under: request) { _, _ in
                self.step(request, named: name, on: events)
            }
        }
    }
}
