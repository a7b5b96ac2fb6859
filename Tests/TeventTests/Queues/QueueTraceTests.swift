import Talloc
import Tevent
import XCTest

/// Tags; and what the trace of queues is notified of, in which order, and what it may do.
final class QueueTraceTests: QueueTestCase {
    /// Makes the trace note its calls, as in "attach a": the entry with tag 1 is a, the one with tag 2 is b.
    ///
    /// For an entry without a tag, the trace is only notified that it has joined; it then gives the entry the next tag.
    private func noteTrace(of events: EventContext) {
        var count: UInt64 = 0
        events.setQueueTrace { [unowned self] entry, point in
            if point == .attach {
                count += 1
                entry.tag = count
            }
            note("\(point) \(name(entry))")
        }
    }

    private func name(_ entry: RequestQueue.Entry) -> Character {
        Character(Unicode.Scalar(UInt8(ascii: "a") - 1 + UInt8(entry.tag)))
    }

    /// Adds new requests whose triggers note "start", one for each name.
    private func addTraced(
        _ names: String, to queue: RequestQueue, on events: EventContext, under memory: TallocContext
    ) throws -> [Request<Work>] {
        try add(names.map { "start \($0)" }, to: queue, on: events, under: memory)
    }

    // MARK: Tags

    func testAnEntryHasATagOfTheProgramsOwn() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add(["a", "b"], to: queue, on: events, under: memory)
            XCTAssertEqual(queue.entries.map(\.tag), [0, 0])
            queue.entries[0].tag = .max
            queue.entries[1].tag = 1
            try assertLoop(events, notes: ["a"])
            XCTAssertEqual(queue.entries.map(\.tag), [.max, 1])
        }
    }

    // MARK: What it is called for

    func testInAnEmptyQueueARequestJoinsIsScheduledStartedAndLeaves() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            noteTrace(of: events)
            let request = try addTraced("a", to: queue, on: events, under: memory)[0]
            assertNoted(["attach a", "schedule a"])
            try assertLoop(events, notes: ["beforeHandler a", "start a"])
            request.finish()
            assertNoted([])
            request.free()
            assertNoted(["detach a"])
        }
    }

    func testARequestThatStartsAtOnceIsNotScheduled() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            noteTrace(of: events)
            let request = try Request(Work(), under: memory)
            try queue.addOrStart(request, on: events) { _ in self.note("start a") }
            request.free()
            assertNoted(["attach a", "beforeHandler a", "start a", "detach a"])
        }
    }

    func testTheNextIsScheduledWhenTheActiveOneHasLeft() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            noteTrace(of: events)
            let requests = try addTraced("abc", to: queue, on: events, under: memory)
            assertNoted(["attach a", "schedule a", "attach b", "attach c"])
            try assertLoop(events, notes: ["beforeHandler a", "start a"])
            requests[0].free()
            assertNoted(["detach a", "schedule b"])
            try assertLoop(events, notes: ["beforeHandler b", "start b"])
        }
    }

    func testAQueueThatIsStoppedSchedulesNothingUntilItIsStarted() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            noteTrace(of: events)
            queue.stop()
            let requests = try addTraced("ab", to: queue, on: events, under: memory)
            assertNoted(["attach a", "attach b"])
            queue.start()
            assertNoted(["schedule a"])
            queue.stop()
            queue.start()
            queue.start()
            assertNoted(["schedule a"])
            try assertLoop(events, notes: ["beforeHandler a", "start a"])
            queue.stop()
            requests[0].free()
            assertNoted(["detach a"])
            queue.start()
            assertNoted(["schedule b"])
        }
    }

    func testAnUntriggeredRequestIsScheduledAndStartedAgain() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            noteTrace(of: events)
            _ = try addTraced("a", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["attach a", "schedule a", "beforeHandler a", "start a"])
            queue.stop()
            queue.entries[0].untrigger()
            queue.start()
            try assertLoop(events, notes: ["schedule a", "beforeHandler a", "start a"])
        }
    }

    func testARequestThatIsFreedWhileItWaitsOnlyLeaves() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            noteTrace(of: events)
            let requests = try addTraced("abc", to: queue, on: events, under: memory)
            _ = takeNotes()
            requests[1].free()
            assertNoted(["detach b"])
            try assertLoop(events, notes: ["beforeHandler a", "start a"])
            queue.entries[1].free()
            assertNoted(["detach c"])
        }
    }

    func testWhenTheFirstIsFreedBeforeItWasStartedTheNextIsScheduled() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            noteTrace(of: events)
            let requests = try addTraced("ab", to: queue, on: events, under: memory)
            _ = takeNotes()
            requests[0].free()
            assertNoted(["detach a", "schedule b"])
            try assertLoop(events, notes: ["beforeHandler b", "start b"])
        }
    }

    func testABlockerAndARequestThatHasEndedAreTracedWhenTheirTurnComes() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            noteTrace(of: events)
            let blocker = try Request(Work(), under: memory)
            try queue.addBlocker(blocker, on: events)
            let ended = try addTraced("b", to: queue, on: events, under: memory)[0]
            ended.finish()
            try assertLoop(events, notes: ["attach a", "schedule a", "attach b", "beforeHandler a"])
            blocker.free()
            try assertLoop(events, notes: ["detach a", "schedule b", "beforeHandler b"])
        }
    }

    func testAFreedQueueReportsEachEntryThatLeavesAndIsFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try addTraced("abc", to: queue, on: events, under: memory)
            events.setQueueTrace { entry, point in
                XCTAssertTrue(queue.isFreed)
                XCTAssertNil(entry.queue)
                let index = requests.firstIndex { AnyRequest($0) == entry.request }
                self.note("\(point) \(index ?? -1)")
            }
            queue.free()
            assertNoted(["detach 0", "detach 1", "detach 2"])
        }
    }

    func testAnEntryThatLeavesIsInNoQueueAndItsRequestMayBeFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try addTraced("ab", to: queue, on: events, under: memory)
            events.setQueueTrace { entry, point in
                guard point == .detach else { return }
                XCTAssertNil(entry.queue)
                XCTAssertEqual(queue.length, 1)
                XCTAssertFalse(queue.entries.contains(entry))
                self.note("its request is \(entry.request.isFreed ? "freed" : "alive")")
            }
            requests[0].free()
            assertNoted(["its request is freed"])
            try add("c", to: queue, on: events, under: memory)
            queue.entries[0].free()
            assertNoted(["its request is alive"])
            events.setQueueTrace(nil)
        }
    }

    func testATraceReportsOnlyWhatWasAddedOnItsContextAndNothingOnceRemoved() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let other = try EventContext(under: memory, backend: events.backend)
            noteTrace(of: other)
            let first = try addTraced("a", to: queue, on: events, under: memory)[0]
            let second = try addTraced("b", to: queue, on: other, under: memory)[0]
            assertNoted(["attach a"])
            first.free()
            assertNoted(["schedule a"])
            other.setQueueTrace(nil)
            second.free()
            assertNoted([])
        }
    }

    // MARK: What it may do

    private let points: [QueueTracePoint] = [.attach, .schedule, .beforeHandler, .detach]

    /// Makes a trace do something once, at each point of an entry's life in turn, and checks that all is well at the
    /// end.
    private func assertMayDo(
        atOnce: Bool = false, line: UInt = #line,
        _ action: @escaping (_ entry: RequestQueue.Entry, _ queue: RequestQueue, _ events: EventContext) -> Void
    ) throws {
        for point in points where !(atOnce && point == .schedule) {
            try onEachBackend(line: line) { backend in
                let tokens = Tokens()
                let memory = try TallocContext()
                let events = try EventContext(under: memory, backend: backend, clock: ManualClock())
                let queue = try RequestQueue(label: "writes", under: memory)
                var hasActed = false
                events.setQueueTrace { entry, passed in
                    guard passed == point, !hasActed else { return }
                    hasActed = true
                    action(entry, queue, events)
                }
                for _ in 0..<3 {
                    guard !events.isFreed, !queue.isFreed else { break }
                    let token = Tokens.Token(tokens)
                    let request = try Request(Work(), under: memory)
                    let trigger: (Request<Work>) -> Void = { request in
                        withExtendedLifetime(token) { _ = request.free() }
                    }
                    if atOnce {
                        try queue.addOrStart(request, on: events, trigger: trigger)
                    } else {
                        try queue.add(request, on: events, trigger: trigger)
                    }
                }
                if !events.isFreed { try events.loopWait() }
                XCTAssertTrue(hasActed, "\(point)", line: line)
                if !events.isFreed {
                    XCTAssertFalse(events.hasEvents, "\(point)", line: line)
                    if !queue.isFreed { XCTAssertEqual(queue.length, 0, "\(point)", line: line) }
                }
                if !memory.isFreed { memory.free() }
                XCTAssertEqual(tokens.alive, 0, "\(point)", line: line)
            }
        }
    }

    func testATraceMayFreeTheEntry() throws {
        for atOnce in [false, true] { try assertMayDo(atOnce: atOnce) { entry, _, _ in entry.free() } }
    }

    func testATraceMayFreeTheRequest() throws {
        for atOnce in [false, true] {
            try assertMayDo(atOnce: atOnce) { entry, _, _ in if !entry.request.isFreed { entry.request.free() } }
        }
    }

    func testATraceMayFreeTheQueue() throws {
        for atOnce in [false, true] { try assertMayDo(atOnce: atOnce) { _, queue, _ in queue.free() } }
    }

    func testATraceMayFreeTheContext() throws {
        for atOnce in [false, true] { try assertMayDo(atOnce: atOnce) { _, _, events in events.free() } }
    }

    func testATraceMayFreeEverything() throws {
        for atOnce in [false, true] { try assertMayDo(atOnce: atOnce) { _, _, events in events.parent?.free() } }
    }

    func testATraceMayFreeAllOtherRequests() throws {
        for atOnce in [false, true] {
            try assertMayDo(atOnce: atOnce) { entry, queue, _ in
                for other in queue.entries where other != entry && !other.isFreed { other.request.free() }
            }
        }
    }

    func testATraceMayStopAndStartTheQueue() throws {
        for atOnce in [false, true] {
            try assertMayDo(atOnce: atOnce) { _, queue, _ in
                queue.stop()
                queue.start()
            }
        }
    }

    func testATraceMayAddAnotherRequest() throws {
        for atOnce in [false, true] {
            try assertMayDo(atOnce: atOnce) { _, queue, events in
                _ = sure { try self.add("another", to: queue, on: events, under: queue) { $0.free() } }
            }
        }
    }

    func testATraceMayRunTheLoopWhenAnEntryLeaves() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try addTraced("abc", to: queue, on: events, under: memory)
            events.setQueueTrace { entry, point in
                guard point == .detach else { return }
                self.note("\(point)")
                sure { try events.loopOnce() }
            }
            requests[2].free()
            assertNoted(["detach", "start a"])
            requests[1].free()
            assertNoted(["detach"])
            requests[0].free()
            try assertLoop(events, notes: ["detach"])
        }
    }

    func testALoopInsideTheTraceOfTheFirstsEndFindsNothingToStart() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let other = try EventContext(under: memory, backend: events.backend)
            let request = try addTraced("a", to: queue, on: events, under: memory)[0]
            events.setQueueTrace { _, point in
                if point == .detach { XCTAssertEqual(sure { try events.loopWait() }, .noEvents) }
            }
            request.free()
            let first = try addTraced("b", to: queue, on: events, under: memory)[0]
            _ = try addTraced("c", to: queue, on: other, under: memory)
            first.free()
            assertNoted([])
            try assertLoop(other, notes: ["start c"])
        }
    }

    func testStoppingAndStartingJustBeforeARequestIsStartedDoesNotStartItTwice() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            events.setQueueTrace { _, point in
                self.note("\(point)")
                guard point == .beforeHandler else { return }
                queue.stop()
                queue.start()
            }
            _ = try addTraced("a", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["attach", "schedule", "beforeHandler", "schedule", "start a"])
        }
    }

    func testStoppingAndStartingWhenARequestJoinsThatStartsAtOnceDoesNotStartItTwice() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            events.setQueueTrace { _, point in
                self.note("\(point)")
                if point == .attach {
                    queue.stop()
                    queue.start()
                } else if point == .beforeHandler {
                    XCTAssertFalse(events.hasEvents)
                }
            }
            try queue.addOrStart(try Request(Work(), under: memory), on: events) { _ in self.note("start") }
            try assertLoop(events, notes: ["attach", "schedule", "beforeHandler", "start"])
        }
    }

    func testStoppingJustBeforeARequestIsStartedKeepsItWaiting() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            events.setQueueTrace { _, point in if point == .beforeHandler, queue.isRunning { queue.stop() } }
            _ = try addTraced("a", to: queue, on: events, under: memory)
            try assertLoop(events, notes: [])
            XCTAssertFalse(queue.entries[0].isTriggered)
            events.setQueueTrace(nil)
            queue.start()
            try assertLoop(events, notes: ["start a"])
        }
    }

    func testARequestThatTheTraceFreesWhenItJoinsLeavesTheOthersWaiting() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let first = try addTraced("a", to: queue, on: events, under: memory)[0]
            events.setQueueTrace { entry, point in if point == .attach { entry.request.free() } }
            let entry = try queue.addBlocker(try Request(Work(), under: memory), on: events)
            XCTAssertTrue(entry.isFreed)
            XCTAssertEqual(queue.length, 1)
            events.setQueueTrace(nil)
            try assertLoop(events, notes: ["start a"])
            first.free()
        }
    }
}
