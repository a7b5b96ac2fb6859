import Talloc
import Tevent
import XCTest

/// When a queue starts its first request: from the loop or immediately, stopped and started, untriggered, after a
/// blocker.
final class QueueRunningTests: QueueTestCase {
    /// Adds a new request that may start immediately.
    private func addOrStart(
        _ name: String, to queue: RequestQueue, on events: EventContext, under parent: some TallocObject,
        hasCallback: Bool = false, trigger: @escaping (Request<Work>) -> Void = { _ in }
    ) throws -> Request<Work> {
        let request = try Request(Work(), under: parent)
        if hasCallback { request.setCallback { _ in self.note("\(name) called back") } }
        try queue.addOrStart(request, on: events) { request in
            self.note(name)
            trigger(request)
        }
        return request
    }

    // MARK: At once

    func testAnEmptyQueueThatRunsStartsARequestAtOnce() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try addOrStart("a", to: queue, on: events, under: memory)
            assertNoted(["a"])
            XCTAssertTrue(queue.entries[0].isTriggered)
            XCTAssertFalse(events.hasEvents)
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: [])
            request.free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testAfterAnotherNothingIsStartedAtOnce() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let first = try add("a", to: queue, on: events, under: memory)
            _ = try addOrStart("b", to: queue, on: events, under: memory)
            assertNoted([])
            first.free()
            assertNoted([])
            try assertLoop(events, notes: ["b"])
        }
    }

    func testInAStoppedQueueNothingIsStartedAtOnce() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            queue.stop()
            _ = try addOrStart("a", to: queue, on: events, under: memory)
            try assertLoop(events, notes: [])
            queue.start()
            assertNoted([])
            try assertLoop(events, notes: ["a"])
        }
    }

    func testARequestWithACallbackIsNotStartedAtOnce() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            _ = try addOrStart("a", to: queue, on: events, under: memory, hasCallback: true) { $0.finish() }
            assertNoted([])
            try assertLoop(events, notes: ["a", "a called back"])
        }
    }

    func testARequestThatEndsWhileItIsStartedAtOnceIsPostedByItsMaker() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try addOrStart("a", to: queue, on: events, under: memory) { $0.finish() }
            request.post(on: events).setCallback { request in
                self.note("a called back")
                request.free()
            }
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a", "a called back", "b"])
        }
    }

    func testARequestThatIsFreedWhileItIsStartedAtOnceLeavesNothing() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try Request(Work(), under: memory)
            let entry = try queue.addOrStart(request, on: events) { $0.free() }
            XCTAssertTrue(entry.isFreed)
            XCTAssertEqual(queue.length, 0)
            XCTAssertFalse(events.hasEvents)
        }
    }

    func testARequestThatHasEndedBeforeIsNotStartedAtOnce() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try Request(Work(), under: memory)
            request.finish()
            try queue.addOrStart(request, on: events) { _ in XCTFail("it has ended") }
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: [])
            request.free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testWhatIsAddedInATriggerThatIsCalledAtOnceWaits() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let outer = try addOrStart("a", to: queue, on: events, under: memory) { _ in
                _ = sure { try self.addOrStart("b", to: queue, on: events, under: memory) }
                self.note("a returns")
            }
            try assertLoop(events, notes: ["a", "a returns"])
            outer.free()
            try assertLoop(events, notes: ["b"])
        }
    }

    // MARK: Stop and start

    func testAStoppedQueueStartsNothingAndTheLoopHasNothingToDo() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            queue.stop()
            XCTAssertFalse(queue.isRunning)
            try add(["a", "b"], to: queue, on: events, under: memory)
            XCTAssertFalse(events.hasEvents)
            try assertLoop(events, notes: [])
            XCTAssertEqual(queue.length, 2)
            queue.start()
            XCTAssertTrue(queue.isRunning)
            assertNoted([])
            try assertLoop(events, notes: ["a"])
        }
    }

    func testStoppingKeepsTheNextFromStartingThoughTheLoopWasTold() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add("a", to: queue, on: events, under: memory)
            XCTAssertTrue(events.hasEvents)
            queue.stop()
            XCTAssertFalse(events.hasEvents)
            try assertLoop(events, notes: [])
        }
    }

    func testStoppingLetsTheActiveRequestContinueAndKeepsTheNextWaiting() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            requests[0].setCallback { _ in self.note("a called back") }
            try assertLoop(events, notes: ["a"])
            queue.stop()
            requests[0].finish()
            requests[0].free()
            try assertLoop(events, notes: ["a called back"])
            queue.start()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testStartingDoesNotStartTheActiveRequestAgain() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add(["a", "b"], to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            queue.stop()
            queue.start()
            XCTAssertFalse(events.hasEvents)
            try assertLoop(events, notes: [])
        }
    }

    func testStartingTwiceAndStartingARunningQueueChangeNothing() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            queue.start()
            for _ in 0..<2 { queue.stop() }
            try add(["a", "b"], to: queue, on: events, under: memory)
            for _ in 0..<2 { queue.start() }
            XCTAssertEqual(try events.loopOnce(), .handled)
            assertNoted(["a"])
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testStoppingInATriggerKeepsTheNextWaiting() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add("a", to: queue, on: events, under: memory) { request in
                queue.stop()
                request.free()
            }
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            queue.start()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testStartingInATriggerDoesNotCallItAgain() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add("a", to: queue, on: events, under: memory) { _ in
                queue.stop()
                queue.start()
            }
            try assertLoop(events, notes: ["a"])
        }
    }

    func testAQueueIsStartedAgainAfterWhatWaitsInTheLoop() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add("a", to: queue, on: events, under: memory)
            schedule(on: events) { self.note("immediate") }
            queue.stop()
            queue.start()
            try assertLoop(events, notes: ["immediate", "a"])
        }
    }

    // MARK: Untrigger

    func testAnUntriggeredRequestIsTriggeredAgainWhenTheQueueIsStarted() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            var tries = 0
            let first = try add("a", to: queue, on: events, under: memory) { _ in
                tries += 1
                guard tries < 3 else { return }
                queue.stop()
                queue.entries[0].untrigger()
                XCTAssertFalse(queue.entries[0].isTriggered)
            }
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            for _ in 0..<2 {
                queue.start()
                try assertLoop(events, notes: ["a"])
            }
            XCTAssertTrue(queue.isRunning && queue.entries[0].isTriggered)
            first.free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testARequestThatWasStartedAtOnceCanBeUntriggeredToo() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            _ = try addOrStart("a", to: queue, on: events, under: memory)
            queue.stop()
            queue.entries[0].untrigger()
            queue.start()
            assertNoted(["a"])
            try assertLoop(events, notes: ["a"])
        }
    }

    func testAnUntriggeredRequestThatIsFreedIsNotTriggeredAgain() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            queue.stop()
            queue.entries[0].untrigger()
            requests[0].free()
            queue.start()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testAnUntriggeredRequestThatHasEndedIsNotTriggeredAgain() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            queue.stop()
            queue.entries[0].untrigger()
            requests[0].finish()
            queue.start()
            try assertLoop(events, notes: [])
            XCTAssertTrue(queue.entries[0].isTriggered)
        }
    }

    // MARK: Blockers

    func testABlockerDoesNothingWhenItsTurnComesAndHoldsTheQueueUntilItIsFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let first = try add("a", to: queue, on: events, under: memory)
            let blocker = try Request(Work(), under: memory)
            let entry = try queue.addBlocker(blocker, on: events)
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            XCTAssertFalse(entry.isTriggered)
            first.free()
            try assertLoop(events, notes: [])
            XCTAssertTrue(entry.isTriggered)
            XCTAssertTrue(blocker.isInProgress)
            blocker.finish()
            try assertLoop(events, notes: [])
            blocker.free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testARequestOfAnyKindCanBlock() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let blocker = AnyRequest(try Request(1, under: memory))
            let entry = try queue.addBlocker(blocker, on: events)
            XCTAssertEqual(entry.request, blocker)
        }
    }

    func testAnEntryKnowsTheLineThatAddedIt() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try Request(Work(), under: memory)
            let line = #line
            let added = try queue.add(request, on: events) { _ in }
            let started = try queue.addOrStart(request, on: events) { _ in }
            let blocking = try queue.addBlocker(request, on: events)
            for (index, entry) in [added, started, blocking].enumerated() {
                XCTAssertEqual(entry.origin, "TeventTests/QueueRunningTests.swift:\(line + 1 + index)")
            }
        }
    }
}
