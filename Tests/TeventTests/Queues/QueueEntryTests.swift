import Talloc
import Tevent
import XCTest

/// A request's place in a queue: what ends it, what does not, and what happens to it if the request ends too early.
final class QueueEntryTests: QueueTestCase {
    // MARK: Requests that end while they wait

    /// Ends the second of three requests while it waits: it must hold the queue when its turn comes, but not be
    /// started.
    private func assertEnded(
        line: UInt = #line, prepare: (Request<Work>, EventContext) throws -> Void = { _, _ in },
        end: (Request<Work>, ManualClock, EventContext) throws -> Void
    ) throws {
        try onBothBackends(line: line) { events, clock in
            try withTallocContext { memory in
                let queue = try RequestQueue(label: "writes", under: memory)
                let requests = try add(["a", "b", "c"], to: queue, on: events, under: memory)
                requests[1].setCallback { self.note("b is \($0.status)") }
                try prepare(requests[1], events)
                try events.loopWait()
                assertNoted(["a"], line: line)
                try end(requests[1], clock, events)
                assertNoted(["b is \(requests[1].status)"], line: line)
                XCTAssertEqual(queue.length, 3, line: line)
                requests[0].free()
                try assertLoop(events, notes: [], line: line)
                XCTAssertTrue(queue.entries[0].isTriggered, "its turn has come", line: line)
                requests[1].free()
                try assertLoop(events, notes: ["c"], line: line)
            }
        }
    }

    func testARequestThatFailedWhileItWaitedIsNotStartedAndBlocksUntilFreed() throws {
        try assertEnded { request, _, _ in request.fail(Oops()) }
    }

    func testARequestThatFinishedWhileItWaitedIsNotStartedAndBlocksUntilFreed() throws {
        try assertEnded { request, _, _ in request.finish() }
    }

    func testARequestThatWasCancelledWhileItWaitedIsNotStartedAndBlocksUntilFreed() throws {
        try assertEnded(
            prepare: { request, _ in
                request.setCancel {
                    $0.fail(RequestError.cancelled)
                    return true
                }
            },
            end: { request, _, _ in XCTAssertTrue(request.cancel()) })
    }

    func testARequestThatTimedOutWhileItWaitedIsNotStartedAndBlocksUntilFreed() throws {
        try assertEnded(
            prepare: { try $0.setEndTime(after: .seconds(1), on: $1) },
            end: { request, clock, events in
                clock.advance(by: .seconds(1))
                XCTAssertEqual(try events.loopOnce(), .handled)
                XCTAssertEqual(request.status, .timedOut)
            })
    }

    func testARequestThatWasReceivedWhileItWaitedIsNotStartedAndBlocksUntilFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            requests[0].discard()
            try assertLoop(events, notes: [])
            requests[0].free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testTheEndTimeOfTheActiveRequestFreesTheQueueWithIt() throws {
        try onBothBackends { events, clock in
            try withTallocContext { memory in
                let queue = try RequestQueue(label: "writes", under: memory)
                let requests = try add(["a", "b"], to: queue, on: events, under: memory)
                try requests[0].setEndTime(after: .seconds(1), on: events)
                requests[0].setCallback { $0.free() }
                try events.loopWait()
                assertNoted(["a"])
                clock.advance(by: .seconds(1))
                try assertLoop(events, notes: ["b"])
            }
        }
    }

    // MARK: Freed

    func testARequestThatIsFreedWhileItWaitsLeavesTheQueue() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b", "c"], to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            requests[1].free()
            XCTAssertEqual(queue.length, 2)
            XCTAssertFalse(events.hasEvents, "the active one goes on")
            requests[0].free()
            try assertLoop(events, notes: ["c"])
        }
    }

    func testARequestThatIsFreedBeforeTheLoopComesToItIsNotStarted() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            requests[0].free()
            try assertLoop(events, notes: ["b"])
            requests[1].free()
            XCTAssertFalse(events.hasEvents)
            let last = try add("c", to: queue, on: events, under: memory)
            last.free()
            XCTAssertFalse(events.hasEvents)
            try assertLoop(events, notes: [])
        }
    }

    func testARequestMayBeFreedInItsTriggerInItsCallbackAndInAnothersTrigger() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            var requests: [Request<Work>] = []
            requests.append(try add("a", to: queue, on: events, under: memory) { $0.free() })
            requests.append(try add("b", to: queue, on: events, under: memory) { $0.finish() })
            requests[1].setCallback { $0.free() }
            requests.append(
                try add("c", to: queue, on: events, under: memory) {
                    requests[3].free()
                    $0.free()
                })
            requests += try add(["d", "e"], to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a", "b", "c", "e"])
            XCTAssertEqual(queue.length, 1)
        }
    }

    func testFreeingAnEntryTakesTheRequestOutAndLeavesItInProgress() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b", "c"], to: queue, on: events, under: memory)
            let entries = queue.entries
            entries[1].free()
            XCTAssertEqual(queue.entries, [entries[0], entries[2]])
            XCTAssertTrue(requests[1].isInProgress)
            try assertLoop(events, notes: ["a"])
            entries[0].free()
            assertNoted([])
            try assertLoop(events, notes: ["c"])
            XCTAssertTrue(requests[0].isInProgress)
            XCTAssertEqual(queue.length, 1)
        }
    }

    func testARequestMayLeaveTheQueueInItsTriggerAndGoOn() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let first = try add("a", to: queue, on: events, under: memory) { _ in queue.entries[0].free() }
            first.setCallback { _ in self.note("a called back") }
            try add("b", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a", "b"])
            first.finish()
            assertNoted(["a called back"])
        }
    }

    func testWhatATriggerHoldsIsReleasedOnceWithTheEntryNotWhenItWasCalled() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let tokens = Tokens()
            let requests = try (0..<3).map { _ in
                let token = Tokens.Token(tokens)
                return try add("called", to: queue, on: events, under: memory) { _ in withExtendedLifetime(token) {} }
            }
            XCTAssertEqual(tokens.alive, 3)
            try assertLoop(events, notes: ["called"])
            XCTAssertEqual(tokens.alive, 3, "it may be untriggered and called again")
            requests[0].free()
            XCTAssertEqual(tokens.alive, 2)
            queue.entries[1].free()
            XCTAssertEqual(tokens.alive, 1)
            queue.free()
            XCTAssertEqual(tokens.alive, 0)
        }
    }

    func testATriggerThatFreesItsRequestKeepsWhatItHoldsUntilItReturns() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            var token: Token? = Token()
            token?.onEnd = { self.note("released") }
            try add("a", to: queue, on: events, under: memory) { [token] request in
                request.free()
                self.note("freed")
                withExtendedLifetime(token) {}
            }
            token = nil
            try assertLoop(events, notes: ["a", "freed", "released"])
        }
    }

    // MARK: In several queues

    func testARequestInSeveralQueuesIsStartedByEachAndHoldsAllUntilFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let queues = [queue] + (try (0..<3).map { try RequestQueue(label: "\($0)", under: memory) })
            let request = try Request(Work(), under: memory)
            for (index, queue) in queues.enumerated() {
                try add("x\(index)", request, to: queue, on: events)
                try add("next\(index)", to: queue, on: events, under: memory)
            }
            try assertLoop(events, notes: ["x0", "x1", "x2", "x3"])
            request.finish()
            XCTAssertEqual(request.outcome(), "0")
            try assertLoop(events, notes: [])
            XCTAssertEqual(queues.map(\.length), [2, 2, 2, 2])
            request.free()
            // The newest object is freed first, and then its queue continues.
            try assertLoop(events, notes: ["next3", "next2", "next1", "next0"])
        }
    }

    func testEachOfARequestsPlacesCanBeFreedAndTheOthersStayWhenItIsReceived() throws {
        for freed in 0..<4 {
            try onBothBackendsWithQueue { queue, events, memory in
                let queues = [queue] + (try (0..<3).map { try RequestQueue(label: "\($0)", under: memory) })
                let request = try Request(Work(), under: memory)
                let entries = try queues.map { try $0.addBlocker(request, on: events) }
                entries[freed].free()
                request.finish()
                request.discard()
                XCTAssertEqual(queues.map(\.length), (0..<4).map { $0 == freed ? 0 : 1 })
                for entry in entries where !entry.isFreed {
                    XCTAssertEqual(entry.parent?.tallocHandle, request.tallocHandle)
                }
                request.free()
                XCTAssertEqual(queues.map(\.length), [0, 0, 0, 0])
            }
        }
    }

    func testARequestCanBeInAQueueTwiceAndWaitsForItself() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try Request(Work(), under: memory)
            let first = try add("a", request, to: queue, on: events)
            try add("again", request, to: queue, on: events)
            try assertLoop(events, notes: ["a"])
            first.free()
            try assertLoop(events, notes: ["again"])
        }
    }

    // MARK: Received

    func testReceivingFreesWhatIsBelowTheRequestButNotItsPlace() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try add("a", to: queue, on: events, under: memory)
            let entry = queue.entries[0]
            let others = [try Request(Work(), under: request), try Request(Work(), under: request)]
            // An entry of another request that was moved here is not this one's place.
            let stranger = try queue.addBlocker(try Request(Work(), under: memory), on: events)
            stranger.move(under: request)
            request.finish()
            XCTAssertEqual(request.outcome(), "0")
            XCTAssertTrue(others.allSatisfy(\.isFreed))
            XCTAssertTrue(stranger.isFreed)
            XCTAssertEqual(queue.entries, [entry])
            XCTAssertEqual(request.children.map(\.tallocHandle), [entry.tallocHandle])
        }
    }

    func testAPlaceKeepsWhatBelongsToItWhenTheRequestIsReceived() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try add("a", to: queue, on: events, under: memory)
            let data = try TallocChunk("mine", under: queue.entries[0])
            request.discard()
            XCTAssertEqual(data.value, "mine")
            request.free()
            XCTAssertTrue(data.isFreed)
        }
    }

    func testAPlaceThatWasMovedStaysWhereItIsWhenTheRequestIsReceived() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try add("a", to: queue, on: events, under: memory)
            let entry = queue.entries[0]
            entry.move(under: memory)
            request.finish()
            request.discard()
            XCTAssertEqual(entry.parent, memory)
        }
    }

    func testTheQueueMayBelongToTheRequestThatWaitsInIt() throws {
        try onBothBackendsWithQueue { _, events, memory in
            for isReceived in [true, false] {
                let request = try Request(Work(), under: memory)
                let queue = try RequestQueue(label: "own", under: request)
                let entry = try queue.addBlocker(request, on: events)
                let other = try add("b", to: queue, on: events, under: memory)
                if isReceived { request.discard() } else { request.free() }
                XCTAssertTrue(queue.isFreed && entry.isFreed)
                XCTAssertTrue(other.isInProgress)
                XCTAssertFalse(events.hasEvents)
            }
        }
    }

    func testWhatTheStateHeldMayFreeThePlaceOrAddAnotherWhenTheRequestIsReceived() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            for frees in [true, false] {
                var token: Token? = Token()
                let request = try Request(Work(token: token), under: memory)
                let entry = try queue.addBlocker(request, on: events)
                token?.onEnd = { [unowned self] in
                    note("released")
                    if frees { entry.free() } else { _ = sure { try queue.addBlocker(request, on: events) } }
                }
                token = nil
                request.discard()
                assertNoted(["released"])
                XCTAssertEqual(entry.isFreed, frees)
                request.free()
                XCTAssertEqual(queue.length, 0)
            }
        }
    }

    // MARK: Moved

    func testAPlaceThatWasMovedHoldsTheQueueWhenTheRequestIsFreed() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let requests = try add(["a", "b"], to: queue, on: events, under: memory)
            let entry = queue.entries[0]
            let elsewhere = try TallocContext(under: memory)
            entry.move(under: elsewhere)
            requests[0].free()
            XCTAssertEqual(queue.length, 2)
            XCTAssertTrue(entry.request.isFreed)
            try assertLoop(events, notes: [])
            XCTAssertTrue(entry.isTriggered, "its turn has come, though there is nothing to start")
            elsewhere.free()
            try assertLoop(events, notes: ["b"])
        }
    }

    func testSeveralPlacesThatWereMovedOutliveTheirRequest() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let request = try Request(Work(), under: memory)
            let entries = try (0..<3).map { _ in try queue.addBlocker(request, on: events) }
            for entry in entries { entry.move(under: memory) }
            request.free()
            XCTAssertEqual(queue.entries, entries)
            for entry in [entries[1], entries[0], entries[2]] { entry.free() }
            XCTAssertEqual(queue.length, 0)
        }
    }
}
