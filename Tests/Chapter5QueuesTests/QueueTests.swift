import Chapter1ContextAndLoops
import Chapter5Queues
import Talloc
import Tevent
import XCTest

/// What the chapter says about queues themselves.
final class QueueTests: QueueTestCase {
    // MARK: Turns

    func testOneEntryStartsInEachTurnOfTheLoopAfterWhatWasScheduledBefore() throws {
        try onEachBackend { bench in
            let requests = try ["A", "B"].map { try bench.hold($0) }
            let immediate = try ImmediateEvent(under: bench.memory)
            immediate.schedule(on: bench.events) { _, _ in bench.log.add("immediate", "runs") }
            try bench.run()
            XCTAssertEqual(bench.lines, ["A begins", "immediate runs"])
            requests[0].free()
            XCTAssertEqual(bench.lines.count, 2)
            try bench.run()
            XCTAssertEqual(bench.lines.last, "B begins")
        }
    }

    func testAQueueKeepsItsPlaceAmongTheImmediatesWhenMoreIsAdded() throws {
        try onEachBackend { bench in
            _ = try bench.hold("A")
            let immediate = try ImmediateEvent(under: bench.memory)
            immediate.schedule(on: bench.events) { _, _ in bench.log.add("immediate", "runs") }
            _ = try bench.hold("B")
            try bench.run()
            XCTAssertEqual(bench.lines, ["A begins", "immediate runs"])
        }
    }

    func testAQueueWhoseFirstGoesBeforeItsTurnGoesToTheEndForTheSecond() throws {
        try onEachBackend { bench in
            let first = try bench.hold("A")
            _ = try bench.hold("B")
            let immediate = try ImmediateEvent(under: bench.memory)
            immediate.schedule(on: bench.events) { _, _ in bench.log.add("immediate", "runs") }
            first.free()
            try bench.run()
            XCTAssertEqual(bench.lines, ["immediate runs", "B begins"])
        }
    }

    func testTheQueueItselfWaitsAmongTheImmediatesSoTheirTraceShowsNothing() throws {
        try onEachBackend { bench in
            bench.events.setImmediateTrace { _, point in bench.log.add("immediate", "\(point)") }
            _ = try bench.hold("A")
            XCTAssertEqual(bench.events.immediates, [])
            XCTAssertEqual(try bench.events.loopOnce(), .handled)
            XCTAssertEqual(bench.lines, ["A begins"])
        }
    }

    func testTheTriggerOfARequestThatHasEndedIsNotCalled() throws {
        try onEachBackend { bench in
            let ended = try bench.hold("A")
            let next = try bench.hold("B")
            ended.finish()
            try bench.run()
            XCTAssertEqual(bench.lines, [])
            XCTAssertEqual(bench.queue.entries.map(\.isTriggered), [true, false], "but it keeps its place")
            ended.free()
            try bench.run()
            XCTAssertEqual(bench.lines, ["B begins"])
            next.free()
        }
    }

    func testAddingReturnsBeforeTheTriggerRunsButAddOrStartAfterIt() throws {
        try onEachBackend { bench in
            let first = try Request(Held(), under: bench.memory)
            try bench.queue.addOrStart(first, on: bench.events) { _ in bench.log.add("first", "begins") }
            XCTAssertEqual(bench.lines, ["first begins"])
            let second = try Request(Held(), under: bench.memory)
            try bench.queue.addOrStart(second, on: bench.events) { _ in bench.log.add("second", "begins") }
            first.free()
            let stopped = try Request(Held(), under: bench.memory)
            second.free()
            bench.queue.stop()
            try bench.queue.addOrStart(stopped, on: bench.events) { _ in bench.log.add("stopped", "begins") }
            XCTAssertEqual(bench.lines, ["first begins"], "no other was alone in a running queue")
        }
    }

    // MARK: Waiting and blocking

    func testAWaitIsABarrierUntilItIsFreed() throws {
        try onEachBackend { bench in
            try bench.send("A", pipefuls: 2)
            let wait = try QueueWait.send(in: bench.queue, on: bench.events, under: bench.memory)
            wait.setCallback { wait in
                bench.log.add("wait", "\(wait.status)")
                sure { try wait.receive() }
            }
            try bench.send("B", pipefuls: 1)
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["A done", "wait done"])
            wait.free()
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["A done", "wait done", "B done"])
        }
    }

    func testAWaitCanBeCancelled() throws {
        try onEachBackend { bench in
            try bench.send("A", pipefuls: 2)
            let wait = try QueueWait.send(in: bench.queue, on: bench.events, under: bench.memory)
            wait.setCallback { wait in
                do { try wait.receive() } catch { bench.log.add("wait", "\(error)") }
                wait.free()
            }
            XCTAssertTrue(wait.cancel())
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["wait the request was cancelled", "A done"])
        }
    }

    func testABlockerHoldsItsPlaceWhileItsOwnWorkGoesOn() throws {
        try onEachBackend { bench in
            // snippet: blocker
            let pause = try Wakeup.send(after: .seconds(2), on: bench.events, under: bench.memory)
            try bench.queue.addBlocker(pause, on: bench.events)
            pause.setCallback { pause in
                bench.log.add("pause", "over")
                pause.free()
            }
            // snippet-end: blocker
            try bench.send("A", pipefuls: 1)
            try bench.run()
            bench.clock.advance(by: .seconds(1))
            try bench.run()
            XCTAssertEqual(bench.lines, [])
            XCTAssertEqual(bench.queue.length, 2)
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["pause over", "A done"])
        }
    }

    // MARK: Stopping

    func testAStoppedQueueTakesEntriesAndLetsTheActiveOneContinue() throws {
        try onEachBackend { bench in
            try bench.send("A")
            try bench.run()
            bench.queue.stop()
            try bench.send("B")
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["A done"])
            XCTAssertEqual(bench.queue.length, 1)
            bench.queue.start()
            XCTAssertEqual(bench.lines.count, 1)
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["A done", "B done"])
        }
    }

    func testAnUntriggeredEntryIsTriggeredOnceMore() throws {
        try onEachBackend { bench in
            var isReady = false
            let request = try Request(Held(), under: bench.memory)
            let entry = try bench.queue.add(request, on: bench.events) { _ in
                bench.log.add("trigger", isReady ? "works" : "cannot yet")
                guard !isReady else { return }
                bench.queue.stop()
                bench.queue.entries[0].untrigger()
            }
            try bench.run()
            XCTAssertFalse(entry.isTriggered)
            XCTAssertEqual(try bench.run(), .noEvents)
            isReady = true
            bench.queue.start()
            try bench.run()
            XCTAssertTrue(entry.isTriggered)
            XCTAssertEqual(bench.lines, ["trigger cannot yet", "trigger works"])
        }
    }

    // MARK: Freeing

    func testFreeingTheQueueLeavesWaitingRequestsInProgress() throws {
        try onEachBackend { bench in
            let active = try bench.send("A")
            let waiting = try bench.send("B")
            try bench.run()
            bench.queue.free()
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["A done"], "the active one goes on")
            XCTAssertTrue(active.isFreed)
            XCTAssertTrue(waiting.isInProgress)
            XCTAssertEqual(try bench.run(), .noEvents, "and nothing will ever end the other")
        }
    }

    func testAFreedContextStartsNothingAndIsNoticed() throws {
        try onEachBackend { bench in
            let other = try EventContext(under: bench.memory)
            let orphan = try Request(Held(), under: bench.memory)
            try bench.queue.add(orphan, on: other) { _ in bench.log.add("orphan", "begins") }
            _ = try bench.hold("A")
            other.free()
            try bench.run()
            XCTAssertEqual(bench.lines, [])
            orphan.free()
            try bench.run()
            XCTAssertEqual(bench.lines, ["A begins"])
        }
    }

    func testFreeingAnEntryTakesItsRequestOutAndTheRequestGoesOn() throws {
        try onEachBackend { bench in
            let write = try bench.send("A", pipefuls: 2)
            try bench.send("B", pipefuls: 2)
            try bench.run()
            bench.queue.entries[0].free()
            XCTAssertTrue(write.isInProgress)
            try bench.reader.run(bench.events)
            XCTAssertEqual(Set(bench.lines), ["A done", "B done"])
            XCTAssertEqual(bench.reader.letters.filter { $0 == "A" }.count, 2)
        }
    }
}
