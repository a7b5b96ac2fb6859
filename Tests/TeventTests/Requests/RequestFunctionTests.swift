import Talloc
import Tevent
import XCTest

/// The functions that a request can have besides its callback: to cancel it, to clean up, to describe it.
final class RequestFunctionTests: EngineTestCase {
    // MARK: Cancelling

    func testWithoutACancelFunctionNothingCanBeCancelled() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            XCTAssertFalse(request.cancel())
            request.setCancel { _ in true }
            request.setCancel(nil)
            XCTAssertFalse(request.cancel())
            XCTAssertEqual(request.status, .inProgress)
        }
    }

    func testWorkMayRefuseToBeCancelled() throws {
        try withTallocContext { root in
            var asked = 0
            let request = try Request(Work(), under: root)
            request.setCancel { _ in
                asked += 1
                return false
            }
            XCTAssertFalse(request.cancel())
            XCTAssertFalse(request.cancel())
            XCTAssertEqual(asked, 2)
            XCTAssertEqual(request.status, .inProgress)
        }
    }

    func testWorkThatIsCancelledAtOnceFailsAsCancelled() throws {
        try withTallocContext { root in
            var notes: [String] = []
            let request = try Request(Work(), under: root)
            request.setCallback { notes.append($0.outcome()) }
            request.setCancel { request in
                request.fail(RequestError.cancelled)
                return true
            }
            XCTAssertTrue(request.cancel())
            XCTAssertEqual(notes, ["the request was cancelled"])
        }
    }

    func testWorkMayStopLaterAfterItIsCancelled() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            let request = try Request(Work(), under: events)
            request.setCallback { notes.append($0.outcome()) }
            request.setCancel { request in
                schedule(on: events) { request.fail(RequestError.cancelled) }
                return true
            }
            XCTAssertTrue(request.cancel())
            XCTAssertEqual(request.status, .inProgress)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["the request was cancelled"])
        }
    }

    func testAnEndedRequestIsNotAskedToStop() throws {
        try withTallocContext { root in
            for end in [{ $0.finish() }, { $0.discard() }] as [(Request<Work>) -> Void] {
                let request = try Request(Work(), under: root)
                request.setCancel { _ in
                    XCTFail("it has ended")
                    return true
                }
                end(request)
                XCTAssertFalse(request.cancel())
            }
        }
    }

    // MARK: Cleaning up

    func testCleanupComesBeforeTheCallbackWithTheStateStillThere() throws {
        try withTallocContext { root in
            var notes: [String] = []
            let request = try Request(Work(answer: 7), under: root)
            request.setCallback { notes.append("callback: \($0.status)") }
            request.setCleanup { notes.append("cleanup: \($1), \($0.status), \($0.state.answer)") }
            request.finish()
            XCTAssertEqual(notes, ["cleanup: done, done, 7", "callback: done"])
        }
    }

    func testCleanupIsCalledOnceForEachFinalStatusAndForReceiving() throws {
        let ends: [(RequestStatus, (Request<Work>) -> Void)] = [
            (.done, { $0.finish() }), (.failed, { $0.fail(Oops()) }), (.failed, { $0.fail(code: 1) }),
            (.noMemory, { $0.fail(TallocError.outOfMemory(name: "x")) }),
        ]
        for (status, end) in ends {
            for isFreed in [false, true] {
                try withTallocContext { root in
                    var heard: [RequestStatus] = []
                    let request = try Request(Work(answer: 7), under: root)
                    request.setCleanup {
                        heard.append($1)
                        XCTAssertEqual($0.state.answer, 7)
                    }
                    end(request)
                    XCTAssertEqual(heard, [status])
                    if isFreed { request.free() } else { request.discard() }
                    XCTAssertEqual(heard, [status, .received])
                    if !isFreed { request.discard() }
                    root.freeChildren()
                    XCTAssertEqual(heard, [status, .received])
                }
            }
        }
    }

    func testCleanupIsCalledForATimeoutBeforeTheCallback() throws {
        try onBothBackends { events, _ in
            var notes: [String] = []
            let request = try Request(Work(), under: events)
            request.setCallback { _ in notes.append("callback") }
            request.setCleanup { notes.append("cleanup: \($1)") }
            try request.setEndTime(after: .zero, on: events)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(notes, ["cleanup: timed out", "callback"])
        }
    }

    func testARequestFreedOrReceivedInProgressTellsItsCleanupOnlyThat() throws {
        for isFreed in [false, true] {
            try withTallocContext { root in
                var heard: [RequestStatus] = []
                let request = try Request(Work(answer: 7), under: root)
                request.setCallback { _ in XCTFail("it was given up") }
                request.setCleanup {
                    heard.append($1)
                    XCTAssertEqual($0.status, .received)
                    XCTAssertEqual($0.state.answer, 7)
                }
                if isFreed { request.free() } else { request.discard() }
                XCTAssertEqual(heard, [.received])
            }
        }
    }

    func testARequestMayBeFreedInItsCleanup() throws {
        try onBothBackends { events, _ in
            var heard: [RequestStatus] = []
            for isDeferred in [false, true] {
                let request = try Request(Work(), under: events)
                request.setCallback { _ in XCTFail("it was freed") }
                if isDeferred { request.deferCallback(on: events) }
                request.setCleanup { request, status in
                    heard.append(status)
                    if status == .done { XCTAssertTrue(request.free()) }
                }
                request.finish()
                XCTAssertTrue(request.isFreed)
            }
            XCTAssertEqual(heard, [.done, .received, .done, .received])
            XCTAssertFalse(events.hasEvents)
        }
    }

    func testARequestMayBeFreedInTheCleanupOfItsReceiving() throws {
        try withTallocContext { root in
            var heard: [RequestStatus] = []
            let request = try Request(Work(), under: root)
            request.setCleanup { request, status in
                heard.append(status)
                request.free()
            }
            request.discard()
            XCTAssertTrue(request.isFreed)
            XCTAssertEqual(heard, [.received])
            XCTAssertEqual(root.totalBlocks, 1)
        }
    }

    func testAFreeInTheCleanupOfAFreeIsRefusedSinceItHappensAnyway() throws {
        try withTallocContext { root in
            var freed: Bool?
            let request = try Request(Work(), under: root)
            request.setCleanup { request, _ in freed = request.free() }
            XCTAssertTrue(request.free())
            XCTAssertEqual(freed, false)
            XCTAssertTrue(request.isFreed)
        }
    }

    func testARequestReceivedInItsCleanupCallsNoCallback() throws {
        try withTallocContext { root in
            var heard: [String] = []
            let request = try Request(Work(answer: 7), under: root)
            request.setCallback { _ in XCTFail("it was received") }
            request.setCleanup { request, status in
                heard.append("\(status)")
                if status == .done { heard.append(request.outcome()) }
            }
            request.finish()
            XCTAssertEqual(heard, ["done", "received", "7"])
            XCTAssertEqual(request.status, .received)
        }
    }

    func testACallbackIsNotCalledAnyMoreWhenTheCleanupIsCalledForReceiving() throws {
        for isFreed in [false, true] {
            try onBothBackends { events, _ in
                let request = try Request(Work(), under: events)
                request.setCallback { _ in XCTFail("it is over") }
                request.setCleanup { request, _ in
                    request.notify()
                    request.post(on: events)
                }
                if isFreed { request.free() } else { request.discard() }
                XCTAssertEqual(try events.loopWait(), .noEvents)
            }
        }
    }

    func testACleanupFunctionCanBeTakenAwayAndReplaced() throws {
        try withTallocContext { root in
            var heard: [String] = []
            let request = try Request(Work(), under: root)
            request.setCleanup { _, status in heard.append("first: \(status)") }
            request.setCleanup { request, status in
                heard.append("second: \(status)")
                request.setCleanup(nil)
            }
            request.finish()
            request.free()
            XCTAssertEqual(heard, ["second: done"])
        }
    }

    func testTheSubrequestsAreStillThereForTheCleanup() throws {
        try withTallocContext { root in
            var blocks = 0
            let request = try Request(Work(), under: root)
            let below = try Request(Work(), under: request)
            request.setCleanup { request, _ in
                XCTAssertFalse(below.isFreed)
                blocks = request.totalBlocks
            }
            request.free()
            XCTAssertEqual(blocks, 2)
            XCTAssertTrue(below.isFreed)
        }
    }

    // MARK: Describing

    func testARequestDescribesItself() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root); let line = #line
            let made = "request of Work, made at \(#fileID):\(line): "
            XCTAssertEqual(request.description, made + "in progress")
            request.finish(); let end = #line
            XCTAssertEqual("\(AnyRequest(request))", made + "done at \(#fileID):\(end)")
            request.discard()
            XCTAssertEqual(
                "\(request)", made + "received at \(#fileID):\(end)")
        }
    }

    func testARequestWhoseStateWasFreedIsDescribedWithoutATrap() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            try request.stateChunk.free()
            XCTAssert(request.description.hasPrefix("request of Work, made at "), request.description)
        }
    }

    func testARequestThatFailedDescribesItsError() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root); let line = #line
            request.fail(RequestError.cancelled); let end = #line
            XCTAssertEqual(
                "\(request)",
                "request of Work, made at \(#fileID):\(line): failed at \(#fileID):\(end), the request was cancelled")
        }
    }

    func testEachWayToEndKnowsItsLine() throws {
        try withTallocContext { root in
            let failed = try Request(Work(), under: root)
            failed.fail(code: 1); let first = #line
            XCTAssert("\(failed)".contains("failed at \(#fileID):\(first),"), "\(failed)")
            let attempted = try Request(Work(), under: root)
            attempted.attempt { throw Oops() }; let second = #line
            XCTAssert("\(attempted)".contains("failed at \(#fileID):\(second),"), "\(attempted)")
        }
    }

    func testAPrintFunctionChangesTheDescription() throws {
        try withTallocContext { root in
            let request = try Request(Work(answer: 3), under: root)
            let plain = request.description
            request.setPrint { "answering \($0.state.answer)" }
            XCTAssertEqual("\(request)", "answering 3")
            XCTAssertEqual("\(AnyRequest(request))", "answering 3")
            XCTAssertEqual(request.defaultDescription, plain)
            request.setPrint(nil)
            XCTAssertEqual("\(request)", plain)
        }
    }

    func testAFreedRequestIsDescribedWithoutATrap() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.setPrint { _ in "never" }
            request.free()
            XCTAssertEqual("\(request)", "Request<Work>, freed")
            XCTAssertEqual("\(AnyRequest(request))", "AnyRequest, freed")
        }
    }
}
