import Glibc
import Talloc
import Tevent
import XCTest

/// The place of a queue among everything that waits in the loop, also in nested loops, and long queues.
final class QueueOrderTests: QueueTestCase {
    // MARK: Among the immediates

    func testQueuesImmediatesAndPostedRequestsKeepTheOrderInWhichTheyJoined() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let other = try RequestQueue(label: "reads", under: memory)
            let post = { (name: String) in
                let request = try Request(Work(), under: memory)
                request.finish()
                request.post(on: events).setCallback { _ in self.note(name) }
            }
            schedule(on: events) { self.note("immediate 1") }
            try add(["queue 1"], to: queue, on: events, under: memory)
            try post("request 1")
            try add(["queue 2"], to: other, on: events, under: memory)
            schedule(on: events) { self.note("immediate 2") }
            try post("request 2")
            XCTAssertEqual(events.immediates.count, 2, "queues are no immediates")
            try assertLoop(
                events, notes: ["immediate 1", "queue 1", "request 1", "queue 2", "immediate 2", "request 2"])
        }
    }

    func testTheNextComesAfterWhatJoinedBeforeTheActiveOneWasFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add("a", to: queue, on: events, under: memory) { request in
                schedule(on: events) { self.note("before") }
                request.free()
                schedule(on: events) { self.note("after") }
            }
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a", "before", "b", "after"])
        }
    }

    func testWhenTheFirstIsFreedBeforeItWasStartedTheQueueComesAfterWhatHasJoined() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b", "c"], to: queue, on: events, under: memory)
            schedule(on: events) { self.note("immediate") }
            requests[1].free()
            XCTAssertEqual(try events.loopOnce(), .handled)
            assertNoted(["a"])
            queue.stop()
            queue.entries[0].untrigger()
            queue.start()
            schedule(on: events) { self.note("immediate 2") }
            requests[0].free()
            try assertLoop(events, notes: ["immediate", "immediate 2", "c"])
        }
    }

    func testFreeingOneThatWaitsAfterTheFirstKeepsTheQueuesPlace() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            schedule(on: events) { self.note("immediate") }
            requests[1].free()
            try add("c", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a", "immediate"])
        }
    }

    func testAQueueIsStartedBeforeTimersAndAfterSignals() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try events.addTimer(at: .zero) { _, _ in self.note("timer") }
            try add("queue", to: queue, on: events, under: memory)
            let signal = try events.addSignal(.user1) { event, _ in
                self.note("signal")
                event.free()
            }
            Signal.user1.raise()
            try assertLoop(events, notes: ["signal", "queue", "timer"])
            XCTAssertTrue(signal.isFreed)
        }
    }

    func testManyQueuesTakeTurns() throws {
        try onBothBackendsWithQueue { _, events, memory in
            let queues = try (0..<3).map { try RequestQueue(label: "\($0)", under: memory) }
            for name in ["a", "b"] {
                for queue in queues {
                    try add(name + queue.label, to: queue, on: events, under: memory) { $0.free() }
                }
            }
            try assertLoop(events, notes: ["a0", "a1", "a2", "b0", "b1", "b2"])
        }
    }

    // MARK: Loops inside loops

    func testALoopInsideATriggerDoesNotStartTheNextUntilTheActiveOneIsFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            events.allowNesting()
            try add("a", to: queue, on: events, under: memory) { request in
                XCTAssertEqual(sure { try events.loopWait() }, .noEvents)
                self.note("still a")
                request.free()
                XCTAssertEqual(sure { try events.loopWait() }, .noEvents)
                self.note("a returns")
            }
            try add("b", to: queue, on: events, under: memory) { $0.free() }
            try assertLoop(events, notes: ["a", "still a", "b", "a returns"])
        }
    }

    func testALoopOfAnotherContextInsideATriggerStartsWhatBelongsToIt() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let other = try EventContext(under: memory, backend: events.backend)
            try add("a", to: queue, on: events, under: memory) { request in
                request.free()
                XCTAssertEqual(sure { try other.loopWait() }, .noEvents)
                self.note("a returns")
            }
            try add("b", to: queue, on: other, under: memory) { $0.free() }
            try add("c", to: queue, on: events, under: memory) { $0.free() }
            try assertLoop(events, notes: ["a", "b", "a returns", "c"])
        }
    }

    func testPollingARequestStartsAllThatIsBeforeIt() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            for name in ["a", "b"] { try add(name, to: queue, on: events, under: memory) { $0.free() } }
            let request = try add("c", to: queue, on: events, under: memory) { $0.finish() }
            try add("d", to: queue, on: events, under: memory)
            XCTAssertEqual(try request.poll(on: events), .finished)
            assertNoted(["a", "b", "c"])
        }
    }

    // MARK: Long queues

    /// How many milliseconds of processor time a body takes.
    private func cost(_ body: () throws -> Void) rethrows -> Int {
        let begin = clock()
        try body()
        return (clock() - begin) / (Int(CLOCKS_PER_SEC) / 1000)
    }

    func testAHundredThousandKeepTheirOrderAndNoStepDependsOnHowManyWait() throws {
        let count = 100_000
        let memory = try TallocContext()
        let events = try EventContext(under: memory, clock: ManualClock())
        let queue = try RequestQueue(label: "long", under: memory)
        var started: [Int] = []
        started.reserveCapacity(count)
        var requests: [Request<Int>] = []
        let cost = try cost {
            for number in 0..<count {
                let request = try Request(number, under: memory)
                try queue.add(request, on: events) { request in
                    started.append(request.state)
                    request.free()
                }
                requests.append(request)
            }
            XCTAssertEqual(queue.length, count)
            // From the middle outwards, so that neither end is close.
            for number in stride(from: count / 2, to: count, by: 2) { requests[number].free() }
            for number in stride(from: count / 2, to: 0, by: -3) where !requests[number].isFreed {
                requests[number].free()
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
        let half = count / 2
        XCTAssertEqual(started, (0..<count).filter { $0 == 0 || ($0 < half ? (half - $0) % 3 != 0 : $0 % 2 != 0) })
        XCTAssertEqual(queue.length, 0)
        memory.free()
        // About 500 ms without optimisation; a walk through half the queue for each would take minutes.
        XCTAssertLessThan(cost, 20_000, "milliseconds")
    }

    func testAHundredThousandThatWaitAreFreedWithTheirQueueOrTheirParent() throws {
        for freesQueue in [true, false] {
            let memory = try TallocContext()
            let events = try EventContext(under: memory, clock: ManualClock())
            let queue = try RequestQueue(label: "long", under: memory)
            let parent = try TallocContext(under: memory)
            var last: Request<Int>?
            for number in 0..<100_000 {
                last = try Request(number, under: parent)
                try queue.addBlocker(last!, on: events)
            }
            let cost = cost { if freesQueue { queue.free() } else { parent.free() } }
            XCTAssertEqual(last?.isFreed, !freesQueue)
            XCTAssertEqual(queue.isFreed, freesQueue)
            XCTAssertFalse(events.hasEvents)
            memory.free()
            XCTAssertLessThan(cost, 20_000, "milliseconds")
        }
    }
}
