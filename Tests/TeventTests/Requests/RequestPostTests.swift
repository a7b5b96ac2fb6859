import Talloc
import Tevent
import XCTest

/// Callbacks that the loop calls, posted or deferred, and notifications of progress, which it does not call.
final class RequestPostTests: EngineTestCase {
    /// A posted request that ended while it was being created; its callback notes the name.
    private func posted(
        _ name: String, on events: EventContext, under parent: (some TallocObject)? = TallocContext?.none,
        _ note: @escaping (String) -> Void
    ) throws -> Request<Work> {
        let request = try Request(Work(), under: parent?.tallocContext ?? events.tallocContext)
        request.finish()
        request.post(on: events).setCallback { _ in note(name) }
        return request
    }

    func testAPostedRequestCallsBackFromTheLoopAndNeverBefore() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            let request = try posted("called", on: events) { notes.append($0) }
            XCTAssertEqual(request.status, .done)
            XCTAssertEqual(notes, [])
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(notes, ["called"])
            XCTAssertEqual(try events.loopOnce(), .noEvents)
            XCTAssertEqual(notes, ["called"])
        }
    }

    func testPostedRequestsAndImmediatesRunInTheOrderTheyCame() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            schedule(on: events) { notes.append("immediate 1") }
            _ = try posted("request 1", on: events) { notes.append($0) }
            schedule(on: events) { notes.append("immediate 2") }
            _ = try posted("request 2", on: events) { notes.append($0) }
            XCTAssertEqual(events.immediates.count, 2, "requests are no immediates")
            for turn in 1...4 {
                XCTAssertEqual(try events.loopOnce(), .handled)
                XCTAssertEqual(notes.count, turn)
            }
            XCTAssertEqual(notes, ["immediate 1", "request 1", "immediate 2", "request 2"])
        }
    }

    func testAPostedRequestKeepsTheLoopGoing() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            _ = try posted("called", on: events) { notes.append($0) }
            XCTAssertTrue(events.hasEvents)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["called"])
            XCTAssertFalse(events.hasEvents)
        }
    }

    func testAPostedRequestThatIsFreedCallsNoCallback() throws {
        try onBothBackends { events, _ in
            let request = try posted("freed", on: events) { XCTFail($0) }
            request.free()
            XCTAssertFalse(events.hasEvents)
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testAPostedRequestThatIsReceivedCallsNoCallback() throws {
        try onBothBackends { events, _ in
            let request = try posted("received", on: events) { XCTFail($0) }
            XCTAssertEqual(request.outcome(), "0")
            XCTAssertFalse(events.hasEvents)
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testARequestPostedOnAContextThatIsFreedCallsNoCallbackAndCanBePostedElsewhere() throws {
        try onBothBackends { events, clock in
            try withTallocContext { root in
                var notes: [String] = []
                let other = try EventContext(backend: events.backend, clock: clock)
                let request = try posted("called", on: other, under: root) { notes.append($0) }
                other.free()
                XCTAssertEqual(notes, [])
                XCTAssertEqual(request.status, .done)
                request.post(on: events)
                XCTAssertEqual(try events.loopWait(), .noEvents)
                XCTAssertEqual(notes, ["called"])
            }
        }
    }

    func testARequestThatOutlivesTheContextItWasPostedOnCanBeFreed() throws {
        try onBothBackends { events, _ in
            try withTallocContext { root in
                let request = try posted("freed", on: events, under: root) { XCTFail($0) }
                events.free()
                XCTAssertTrue(request.free())
            }
        }
    }

    func testARequestPostedTwiceCallsOnceAfterTheOthers() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            let request = try posted("twice", on: events) { notes.append($0) }
            schedule(on: events) { notes.append("immediate") }
            request.post(on: events)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["immediate", "twice"])
        }
    }

    func testARequestPostedOnAnotherContextLeavesTheFirst() throws {
        try onBothBackends { events, clock in
            let other = try EventContext(backend: events.backend, clock: clock)
            defer { other.free() }
            var notes: [String] = []
            let request = try posted("called", on: other, under: events) { notes.append($0) }
            request.post(on: events)
            XCTAssertFalse(other.hasEvents)
            XCTAssertEqual(try other.loopOnce(), .noEvents)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(notes, ["called"])
        }
    }

    func testARequestPostedInACallbackWaitsForTheNextTurn() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            let second = try Request(Work(), under: events)
            second.finish()
            _ = try posted("first", on: events) { [self] name in
                notes.append(name)
                second.post(on: events).setCallback { _ in notes.append("second") }
                _ = sure { try posted("third", on: events) { notes.append($0) } }
                XCTAssertEqual(notes, ["first"])
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(notes, ["first"])
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["first", "second", "third"])
        }
    }

    func testAPostedRequestWithoutACallbackIsQuietlyDone() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(answer: 2), under: events)
            request.finish()
            request.post(on: events)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(request.outcome(), "2")
        }
    }

    func testAReceivedRequestThatIsPostedCallsNoCallback() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            request.setCallback { _ in XCTFail("it is over") }
            request.discard()
            request.post(on: events)
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    func testPostingNeedsNoMemory() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            let request = try Request(Work(), under: events)
            request.setCallback { _ in XCTFail("too early") }
            try events.setMemoryLimit(bytes: 1)
            XCTAssertThrowsError(try TallocContext(under: events))
            request.setCallback { _ in }
            request.fail(TallocError.outOfMemory(name: "x"))
            request.post(on: events)
            request.setCallback { notes.append("\($0.status)") }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["no memory"])
        }
    }

    func testACleanupFunctionMayPostItsRequest() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            let request = try Request(Work(), under: events)
            request.setCallback { _ in notes.append("called") }
            request.setCleanup { request, status in if status == .done { request.post(on: events) } }
            request.finish()
            XCTAssertEqual(notes, [], "it was called from inside")
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["called"])
        }
    }

    // MARK: Deferred

    func testADeferredCallbackComesFromTheLoopHoweverTheRequestEnds() throws {
        let ends: [(String, (Request<Work>) -> Void)] = [
            ("done", { $0.finish() }), ("failed", { $0.fail(Oops()) }), ("failed", { $0.fail(code: 9) }),
            ("no memory", { $0.fail(TallocError.outOfMemory(name: "x")) }),
        ]
        for (status, end) in ends {
            try onBothBackends { events, _ in
                var notes: [String] = []
                let request = try Request(Work(), under: events)
                request.setCallback { notes.append("\($0.status)") }
                request.deferCallback(on: events)
                end(request)
                XCTAssertEqual(notes, [])
                XCTAssertEqual(try events.loopOnce(), .handled)
                XCTAssertEqual(notes, [status])
                XCTAssertEqual(try events.loopOnce(), .noEvents)
            }
        }
    }

    func testATimeoutIsDeferredToTheLoopOfTheOtherContext() throws {
        try onBothBackends { events, clock in
            let other = try EventContext(backend: events.backend, clock: clock)
            defer { other.free() }
            var notes: [String] = []
            let request = try Request(Work(), under: events)
            request.setCallback { notes.append("\($0.status)") }
            request.deferCallback(on: other)
            try request.setEndTime(after: .zero, on: events)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(request.status, .timedOut)
            XCTAssertEqual(notes, [])
            XCTAssertEqual(try other.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["timed out"])
        }
    }

    func testADeferredRequestMayGetItsCallbackAfterItsEnd() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            let request = try Request(Work(), under: events)
            request.deferCallback(on: events)
            request.finish()
            request.setCallback { notes.append("\($0.status)") }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["done"])
        }
    }

    func testADeferredCallbackIsNotCalledWhenItsContextIsFreedFirst() throws {
        try onBothBackends { events, clock in
            let other = try EventContext(backend: events.backend, clock: clock)
            let request = try Request(Work(answer: 4), under: events)
            request.setCallback { _ in XCTFail("there is no loop to call it") }
            request.deferCallback(on: other)
            other.free()
            request.finish()
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(request.outcome(), "4")
        }
    }

    func testADeferredRequestThatIsReceivedInItsCleanupDoesNotKeepTheLoopGoing() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            request.setCallback { _ in XCTFail("it was received") }
            request.setCleanup { request, _ in request.discard() }
            request.deferCallback(on: events)
            request.finish()
            XCTAssertFalse(events.hasEvents)
        }
    }

    // MARK: Progress

    func testProgressIsReportedAsOftenAsItIsMadeAndThenTheEnd() throws {
        try withTallocContext { root in
            var notes: [String] = []
            let request = try Request(Work(), under: root)
            request.notify()
            request.setCallback { notes.append("\($0.status)") }
            for _ in 0..<2 { request.notify() }
            request.finish()
            request.notify()
            XCTAssertEqual(notes, ["in progress", "in progress", "done"])
        }
    }

    func testProgressIsReportedAtOnceEvenWhenTheEndIsDeferred() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            let request = try Request(Work(), under: events)
            request.setCallback { notes.append("\($0.status)") }
            request.deferCallback(on: events)
            request.notify()
            XCTAssertEqual(notes, ["in progress"])
            request.finish()
            XCTAssertEqual(notes, ["in progress"])
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["in progress", "done"])
        }
    }

    func testTheCallbackMayEndTheRequestThatReportedItsProgress() throws {
        try withTallocContext { root in
            var notes: [String] = []
            let request = try Request(Work(), under: root)
            request.setCallback { request in
                notes.append("\(request.status)")
                if request.isInProgress { request.finish() } else { request.free() }
            }
            request.notify()
            XCTAssertEqual(notes, ["in progress", "done"])
            XCTAssertTrue(request.isFreed)
        }
    }

    func testTheCallbackMayReplaceItself() throws {
        try withTallocContext { root in
            var notes: [String] = []
            let request = try Request(Work(), under: root)
            request.setCallback { request in
                notes.append("first")
                request.setCallback { _ in notes.append("second") }
            }
            request.notify()
            request.finish()
            XCTAssertEqual(notes, ["first", "second"])
        }
    }
}
