import Talloc
import TestSupport
import Tevent
import XCTest

/// A request ends once: each way to end it a second time traps, with the whole story in the message.
final class RequestSecondEndTests: XCTestCase {
    private typealias End = (_ request: Request<Work>, _ events: EventContext, _ file: StaticString) throws -> Void

    private let finish: End = { request, _, file in request.finish(file: file, line: 11) }
    private let fail: End = { request, _, file in request.fail(Oops(), file: file, line: 22) }
    private let failWithCode: End = { request, _, file in request.fail(code: 5, file: file, line: 33) }
    private let runOutOfMemory: End = { request, _, file in
        request.attempt(file: file, line: 44) { throw TallocError.outOfMemory(name: "x") }
    }
    private let timeOut: End = { request, events, _ in
        try request.setEndTime(after: .zero, on: events)
        try events.loopOnce()
    }
    private let receive: End = { request, _, _ in request.discard() }
    private let finishAndReceive: End = { request, _, file in
        request.finish(file: file, line: 55)
        _ = try request.receive { $0.answer }
    }
    private let cancel: End = { request, _, file in
        request.setCancel { request in
            request.fail(RequestError.cancelled, file: file, line: 66)
            return true
        }
        request.cancel()
    }

    private func assertSecondEnd(
        after first: End, _ second: End, saying story: String, function: String = #function, line: UInt = #line
    ) throws {
        let result = try runInChild(self, function: function) {
            let events = try EventContext(clock: ManualClock())
            let request = try Request(Work(), under: events, file: "made.swift", line: 1)
            try first(request, events, "first.swift")
            try second(request, events, "second.swift")
        }
        assertTrapped(
            result, saying: "the \(story). A 'return' after the first end may be missing", line: line)
    }

    func testFinishAfterFinish() throws {
        try assertSecondEnd(
            after: finish, finish,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:11: "
                + "it had ended at first.swift:11 and is done")
    }

    func testAnEndWhereTheTypeOfTheStateIsNotKnownNamesItNevertheless() throws {
        try assertSecondEnd(
            after: finish, { request, _, file in AnyRequest(request).finish(file: file, line: 77) },
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:77: "
                + "it had ended at first.swift:11 and is done")
    }

    func testFailAfterFinish() throws {
        try assertSecondEnd(
            after: finish, fail,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:22: "
                + "it had ended at first.swift:11 and is done")
    }

    func testACodeAfterFinish() throws {
        try assertSecondEnd(
            after: finish, failWithCode,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:33: "
                + "it had ended at first.swift:11 and is done")
    }

    func testAFailedAttemptAfterFinish() throws {
        try assertSecondEnd(
            after: finish, runOutOfMemory,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:44: "
                + "it had ended at first.swift:11 and is done")
    }

    func testFinishAfterFail() throws {
        try assertSecondEnd(
            after: fail, finish,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:11: "
                + "it had ended at first.swift:22 and is failed")
    }

    func testFailAfterFail() throws {
        try assertSecondEnd(
            after: fail, fail,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:22: "
                + "it had ended at first.swift:22 and is failed")
    }

    func testFinishAfterACode() throws {
        try assertSecondEnd(
            after: failWithCode, finish,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:11: "
                + "it had ended at first.swift:33 and is failed")
    }

    func testACodeAfterACode() throws {
        try assertSecondEnd(
            after: failWithCode, failWithCode,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:33: "
                + "it had ended at first.swift:33 and is failed")
    }

    func testFinishAfterAFailedAttempt() throws {
        try assertSecondEnd(
            after: runOutOfMemory, finish,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:11: "
                + "it had ended at first.swift:44 and is no memory")
    }

    func testFinishAfterTheTimeout() throws {
        try assertSecondEnd(
            after: timeOut, finish,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:11: "
                + "it had ended at the loop and is timed out")
    }

    func testFailAfterTheTimeout() throws {
        try assertSecondEnd(
            after: timeOut, fail,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:22: "
                + "it had ended at the loop and is timed out")
    }

    func testACodeAfterTheTimeout() throws {
        try assertSecondEnd(
            after: timeOut, failWithCode,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:33: "
                + "it had ended at the loop and is timed out")
    }

    func testFinishAfterItWasReceivedInProgress() throws {
        try assertSecondEnd(
            after: receive, finish,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:11: "
                + "it was received before it had ended")
    }

    func testFailAfterItWasReceivedInProgress() throws {
        try assertSecondEnd(
            after: receive, fail,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:22: "
                + "it was received before it had ended")
    }

    func testFinishAfterItWasReceived() throws {
        try assertSecondEnd(
            after: finishAndReceive, finish,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:11: "
                + "it had ended at first.swift:55 and is received")
    }

    func testFinishAfterItWasCancelled() throws {
        try assertSecondEnd(
            after: cancel, finish,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:11: "
                + "it had ended at first.swift:66 and is failed")
    }

    func testFailAfterItWasCancelled() throws {
        try assertSecondEnd(
            after: cancel, fail,
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:22: "
                + "it had ended at first.swift:66 and is failed")
    }

    func testFinishInACleanupFunction() throws {
        try assertSecondEnd(
            after: { [finish] request, events, _ in
                request.setCleanup { request, _ in sure { try finish(request, events, "second.swift") } }
            }, { request, _, _ in request.finish(file: "first.swift", line: 77) },
            saying: "Request<Work> made at made.swift:1 is ended a second time at second.swift:11: "
                + "it had ended at first.swift:77 and is done")
    }

    /// None of the above traps if there was no error and nothing has ended.
    func testTheOtherWaysToCallTwiceAreHarmless() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.finish()
            request.fail(code: 0)
            request.cancel()
            request.notify()
            request.resetEndTime()
            request.discard()
            request.discard()
            XCTAssertEqual(request.status, .received)
        }
    }
}
