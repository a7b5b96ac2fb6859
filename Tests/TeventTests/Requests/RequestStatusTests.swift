import Talloc
import Tevent
import XCTest

/// The stages of a request's life, and its result.
final class RequestStatusTests: EngineTestCase {
    func testARequestBeginsInProgress() throws {
        try withTallocContext { root in
            let request = try Request(Work(answer: 1), under: root)
            XCTAssertEqual(request.status, .inProgress)
            XCTAssertTrue(request.isInProgress)
            XCTAssertNil(request.error)
            XCTAssertEqual(request.state.answer, 1)
        }
    }

    func testAFinishedRequestIsDone() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.finish()
            XCTAssertEqual(request.status, .done)
            XCTAssertFalse(request.isInProgress)
            XCTAssertNil(request.error)
        }
    }

    func testFinishCallsTheCallbackWhichReceivesTheResultAndFreesTheRequest() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            var answers: [Int] = []
            request.setCallback { request in
                XCTAssertEqual(request.status, .done)
                answers.append(sure { try request.receive { $0.answer } })
                XCTAssertEqual(request.status, .received)
                request.free()
            }
            request.state.answer = 42
            request.finish()
            XCTAssertEqual(answers, [42])
            XCTAssertTrue(request.isFreed)
        }
    }

    func testAnErrorMakesItFailAndComesOutOfReceive() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            var statuses: [RequestStatus] = []
            request.setCallback { statuses.append($0.status) }
            request.fail(Oops(reason: "no luck"))
            XCTAssertEqual(statuses, [.failed])
            XCTAssertEqual(request.error as? Oops, Oops(reason: "no luck"))
            XCTAssertThrowsError(try request.receive { _ in XCTFail("there is no result") }) {
                XCTAssertEqual($0 as? Oops, Oops(reason: "no luck"))
            }
            XCTAssertEqual(request.status, .received)
        }
    }

    func testACodeOf64BitsMakesItFailAndComesOutOfReceive() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            var calls = 0
            request.setCallback { _ in calls += 1 }
            XCTAssertTrue(request.fail(code: .max))
            XCTAssertEqual(calls, 1)
            XCTAssertEqual(request.status, .failed)
            XCTAssertEqual(request.error as? RequestError, .code(.max))
            XCTAssertThrowsError(try request.receive { $0.answer }) {
                XCTAssertEqual($0 as? RequestError, .code(.max))
            }
        }
    }

    func testCode0IsNoErrorBeforeTheEndAndAfterIt() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.setCallback { _ in XCTFail("nothing has happened") }
            XCTAssertFalse(request.fail(code: 0))
            XCTAssertEqual(request.status, .inProgress)
            request.setCallback { _ in }
            request.finish()
            XCTAssertFalse(request.fail(code: 0))
            XCTAssertEqual(request.status, .done)
        }
    }

    func testACodeReceivedBelowGoesUpAsTheSameCode() throws {
        try withTallocContext { root in
            let above = try Request(Work(), under: root)
            let below = try Request(Work(), under: above)
            below.setCallback { below in
                do { above.state.answer = try below.receive { $0.answer } } catch { above.fail(error) }
            }
            below.fail(code: 5)
            XCTAssertEqual(above.status, .failed)
            XCTAssertEqual(above.outcome(), "the request failed with error code 5")
        }
    }

    func testAnErrorOfTallocAboutMemoryGivesNoMemory() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.fail(TallocError.outOfMemory(name: "x"))
            XCTAssertEqual(request.status, .noMemory)
            XCTAssertEqual(request.error as? TallocError, .outOfMemory(name: "x"))
        }
    }

    func testAnErrorOfTeventAboutMemoryGivesNoMemoryAndItsOtherErrorsDoNot() throws {
        try withTallocContext { root in
            let poor = try Request(Work(), under: root)
            poor.fail(TeventError.outOfMemory(name: "x"))
            XCTAssertEqual(poor.status, .noMemory)
            let failed = try Request(Work(), under: root)
            failed.fail(TeventError.nestedLoop)
            XCTAssertEqual(failed.status, .failed)
        }
    }

    func testNoMemoryGoesUpThroughTwoLevels() throws {
        try withTallocContext { root in
            let top = try Request(Work(), under: root)
            let middle = try Request(Work(), under: top)
            let bottom = try Request(Work(), under: middle)
            for (below, above) in [(bottom, middle), (middle, top)] {
                below.setCallback { below in
                    if let answer = above.attempt({ try below.receive { $0.answer } }) { above.state.answer = answer }
                }
            }
            bottom.fail(TallocError.outOfMemory(name: "deep down"))
            XCTAssertEqual(top.status, .noMemory)
            XCTAssertThrowsError(try top.receive { $0.answer }) {
                XCTAssertEqual($0 as? TallocError, .outOfMemory(name: "deep down"))
            }
        }
    }

    func testAStepThatIsAttemptedGivesItsValueOrEndsTheRequest() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            XCTAssertEqual(request.attempt { 5 }, 5)
            XCTAssertEqual(request.status, .inProgress)
            XCTAssertNil(request.attempt { () -> Int in throw Oops() })
            XCTAssertEqual(request.status, .failed)
            let poor = try Request(Work(), under: root)
            try root.setMemoryLimit(bytes: 1)
            XCTAssertNil(poor.attempt { try TallocChunk(SIMD64<Double>(), under: poor) })
            XCTAssertEqual(poor.status, .noMemory)
        }
    }

    func testReceiveMayTakeTheResultOutOfTheStateAndChangeIt() throws {
        try withTallocContext { root in
            let request = try Request(["a", "b"], under: root)
            request.finish()
            XCTAssertEqual(try request.receive { $0.removeLast() + $0[0] }, "ba")
        }
    }

    func testAReceiveThatThrowsHasReceivedNevertheless() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.finish()
            XCTAssertThrowsError(try request.receive { _ in throw Oops() }) { XCTAssertEqual($0 as? Oops, Oops()) }
            XCTAssertEqual(request.status, .received)
            XCTAssertEqual(root.totalBlocks, 2, "the state is freed")
        }
    }

    func testARequestReceivedInProgressCallsNoCallbackAnyMore() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.setCallback { _ in XCTFail("it is over") }
            request.discard()
            XCTAssertEqual(request.status, .received)
            request.notify()
            request.discard()
            XCTAssertEqual(request.status, .received)
        }
    }

    func testAReceivedRequestStillHasItsError() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.fail(Oops())
            request.discard()
            XCTAssertEqual(request.error as? Oops, Oops())
        }
    }

    func testARequestThatEndedBeforeItHadACallbackCanBeReceived() throws {
        try withTallocContext { root in
            let request = try Request(Work(answer: 3), under: root)
            request.finish()
            XCTAssertEqual(request.outcome(), "3")
        }
    }

    func testALaterCallbackReplacesTheEarlier() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            var calls: [String] = []
            request.setCallback { _ in calls.append("first") }
            request.setCallback { _ in calls.append("second") }
            request.finish()
            XCTAssertEqual(calls, ["second"])
        }
    }

    func testTheCallbackOfAnEndedRequestIsCalledOnlyOnce() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            var calls = 0
            request.setCallback { _ in calls += 1 }
            request.finish()
            request.notify()
            XCTAssertEqual(calls, 1)
        }
    }

    func testARequestKnowsTheLineThatMadeIt() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root); let line = #line
            XCTAssertEqual(request.origin, "\(#fileID):\(line)")
        }
    }

    func testStatusesAndErrorsAreSentencesForPeople() {
        XCTAssertEqual(
            RequestStatus.allCases.map(\.description),
            ["in progress", "done", "failed", "timed out", "no memory", "received"])
        XCTAssertEqual("\(RequestError.code(7))", "the request failed with error code 7")
        XCTAssertEqual("\(RequestError.timedOut)", "the request did not end in time")
        XCTAssertEqual("\(RequestError.cancelled)", "the request was cancelled")
    }
}
