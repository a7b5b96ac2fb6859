import Talloc
import TestSupport
import Tevent
import XCTest

/// Misuse of requests that ends the program, in child processes.
final class RequestTrapTests: XCTestCase {
    /// Runs a body in a child process with a request created at made.swift:1 and, if wanted, ended at ended.swift:2.
    private func assertTraps(
        isFinished: Bool = false, saying message: String, function: String = #function, line: UInt = #line,
        _ body: (_ request: Request<Work>, _ events: EventContext) throws -> Void
    ) throws {
        let result = try runInChild(self, function: function) {
            let events = try EventContext(clock: ManualClock())
            let request = try Request(Work(), under: events, file: "made.swift", line: 1)
            if isFinished { request.finish(file: "ended.swift", line: 2) }
            try body(request, events)
        }
        assertTrapped(result, saying: message, line: line)
    }

    // MARK: Too early or too late

    func testReceivingInProgress() throws {
        try assertTraps(saying: "the request made at made.swift:1 was received before it had ended") { request, _ in
            _ = try request.receive { $0.answer }
        }
    }

    func testReceivingTwice() throws {
        try assertTraps(isFinished: true, saying: "the request made at made.swift:1 was received twice") {
            request, _ in
            for _ in 0..<2 { _ = try request.receive { $0.answer } }
        }
    }

    func testTheStateAfterItWasReceived() throws {
        try assertTraps(
            isFinished: true,
            saying: "the state of the request made at made.swift:1 was used after it was received"
        ) { request, _ in
            request.discard()
            request.state.answer = 1
        }
    }

    func testTheStateOfARequestOfAnyKindAfterItWasReceived() throws {
        try assertTraps(
            isFinished: true,
            saying: "the state of the request made at made.swift:1 was used after it was received"
        ) { request, _ in
            request.discard()
            print(try AnyRequest(request).state)
        }
    }

    func testTheStateInTheDeinitOfWhatItHeld() throws {
        try assertTraps(
            isFinished: true,
            saying: "the state of the request made at made.swift:1 was used after it was received"
        ) { request, _ in
            let token = Token { print(request.state.answer) }
            request.state.token = consume token
            request.discard()
        }
    }

    func testTheStateWhoseChunkHasBeenFreed() throws {
        try assertTraps(
            saying: "the state of the request made at made.swift:1 was used, but its chunk has been freed"
        ) { request, _ in
            try request.stateChunk.free()
            print(request.state.answer)
        }
    }

    func testSettingTheCallbackAfterTheEndWithoutPosting() throws {
        try assertTraps(
            isFinished: true,
            saying: "the request made at made.swift:1 had ended (done) before its callback was set, at ended.swift:2, "
                + "so the callback would never be called; call post(on:) where a request ends while it is made"
        ) { request, _ in request.setCallback { _ in } }
    }

    func testSettingTheCallbackWhenTheContextItWasPostedOnWasFreed() throws {
        try assertTraps(isFinished: true, saying: "had ended (done) before its callback was set") { request, events in
            let other = try EventContext()
            request.post(on: other)
            other.free()
            request.setCallback { _ in }
        }
    }

    func testSettingTheCallbackAfterThePostedOneWasCalled() throws {
        try assertTraps(isFinished: true, saying: "had ended (done) before its callback was set") { request, events in
            request.post(on: events).setCallback { _ in }
            try events.loopOnce()
            request.setCallback { _ in }
        }
    }

    func testPostingInProgress() throws {
        try assertTraps(
            saying: "the request made at made.swift:1 was posted while it is in progress; "
                + "end it first, with finish() or fail(_:)"
        ) { request, events in request.post(on: events) }
    }

    // MARK: Changing

    private let freedInAChange =
        "the request made at made.swift:1 was freed or received while its state was being changed"
    private let usedInAChange = "the state of the request made at made.swift:1 was used while it was being changed"

    func testFreeingWhileTheStateIsBeingChanged() throws {
        try assertTraps(saying: freedInAChange) { request, _ in
            change(&request.state) { request.free() }
        }
    }

    func testFreeingWhileTheStateIsBeingChangedInAChunkOfItsOwn() throws {
        try assertTraps(saying: freedInAChange) { request, _ in
            _ = try request.stateChunk
            change(&request.state) { request.free() }
        }
    }

    func testFreeingWhileTheStateIsBeingChangedInAChunkThatWasMovedAway() throws {
        try assertTraps(saying: freedInAChange) { request, _ in
            let chunk = try request.stateChunk
            change(&request.state) {
                chunk.moveToRoot()
                request.free()
            }
        }
    }

    func testReceivingWhileTheStateIsBeingChangedInAChunkOfItsOwn() throws {
        try assertTraps(isFinished: true, saying: freedInAChange) { request, _ in
            _ = try request.stateChunk
            change(&request.state) { request.discard() }
        }
    }

    func testAskingForTheStatesChunkWhileItIsBeingChanged() throws {
        try assertTraps(saying: usedInAChange) { request, _ in
            change(&request.state) { _ = try? request.stateChunk }
        }
    }

    func testTheStateWhileItIsBeingChangedInAChunkOfItsOwn() throws {
        try assertTraps(saying: "the value of 'Work' was used while it was being changed") { request, _ in
            let chunk = try request.stateChunk
            change(&request.state) { print(chunk.value.answer) }
        }
    }

    func testReceivingInsideReceive() throws {
        try assertTraps(isFinished: true, saying: freedInAChange) { request, _ in
            try request.receive { _ in request.discard() }
        }
    }

    func testTheStateWhileItIsBeingChanged() throws {
        try assertTraps(saying: usedInAChange) { request, _ in
            change(&request.state) { print(request.state.answer) }
        }
    }

    private func change(_ work: inout Work, _ body: () -> Void) {
        body()
        work.answer += 1
    }

    // MARK: Freed

    private func freed(_ call: String, of type: String = "Request<Work>") -> String {
        "\(type).\(call) was called on a freed \(type); a handle does not keep its object alive"
    }

    func testFinishingAFreedRequest() throws {
        try assertTraps(saying: freed("finish()")) { request, _ in
            request.free()
            request.finish()
        }
    }

    func testFailingAFreedRequest() throws {
        try assertTraps(saying: freed("fail(_:)")) { request, _ in
            request.free()
            request.fail(Oops())
        }
    }

    func testFailingAFreedRequestWithACode() throws {
        try assertTraps(saying: freed("fail(code:)")) { request, _ in
            request.free()
            request.fail(code: 1)
        }
    }

    func testTheStatusOfAFreedRequest() throws {
        try assertTraps(saying: freed("status")) { request, _ in
            request.free()
            print(request.status)
        }
    }

    func testTheStateOfAFreedRequest() throws {
        try assertTraps(saying: freed("state")) { request, _ in
            request.free()
            print(request.state)
        }
    }

    func testSettingTheCallbackOfAFreedRequest() throws {
        try assertTraps(saying: freed("setCallback(_:)")) { request, _ in
            request.free()
            request.setCallback { _ in }
        }
    }

    func testPostingAFreedRequest() throws {
        try assertTraps(isFinished: true, saying: freed("post(on:)")) { request, events in
            request.free()
            request.post(on: events)
        }
    }

    func testReceivingAFreedRequest() throws {
        try assertTraps(isFinished: true, saying: freed("receive(_:)")) { request, _ in
            request.free()
            _ = try request.receive { $0.answer }
        }
    }

    func testCancellingAFreedRequestOfAnyKind() throws {
        try assertTraps(saying: freed("cancel()", of: "AnyRequest")) { request, _ in
            request.free()
            AnyRequest(request).cancel()
        }
    }

    func testPollingAFreedRequest() throws {
        try assertTraps(saying: freed("poll(on:)")) { request, events in
            request.free()
            try request.poll(on: events)
        }
    }

    func testAnEndTimeForAFreedRequest() throws {
        try assertTraps(saying: freed("setEndTime(at:on:)")) { request, events in
            request.free()
            try request.setEndTime(after: .zero, on: events)
        }
    }

    func testPostingOnAFreedContext() throws {
        try assertTraps(isFinished: true, saying: freed("post(on:)", of: "EventContext")) { request, events in
            let other = try EventContext()
            other.free()
            request.post(on: other)
        }
    }

    func testDeferringToAFreedContext() throws {
        try assertTraps(saying: freed("deferCallback(on:)", of: "EventContext")) { request, events in
            let other = try EventContext()
            other.free()
            request.deferCallback(on: other)
        }
    }

    func testAFreedParent() throws {
        try assertTraps(saying: freed("init(_:under:)")) { request, _ in
            request.free()
            _ = try Request(Work(), under: request)
        }
    }

    // MARK: Types

    func testTheStateAsAnotherType() throws {
        try assertTraps(
            saying: "the request made at made.swift:1 has a state of type 'Work', and was used as one of 'String'; "
                + "look at the type it was made with"
        ) { request, _ in
            print(AnyRequest(request).request(expecting: String.self))
        }
    }

    func testTheCallbacksDataAsAnotherType() throws {
        try assertTraps(saying: "a chunk of 'Array<Int>' was used as a chunk of 'String'") {
            request, events in
            request.setCallback(data: try TallocChunk([1], under: events)) { _ in }
            print(request.callbackData(of: String.self))
        }
    }

    func testTheCallbacksDataWhereThereIsNone() throws {
        try assertTraps(
            saying: "the callback of the request made at made.swift:1 was set without data; "
                + "pass it to setCallback(data:_:)"
        ) { request, _ in
            request.setCallback { _ in }
            print(request.callbackData(of: String.self))
        }
    }

    func testTheCallbacksDataThatWasFreed() throws {
        try assertTraps(
            saying: "the data for the callback of the request made at made.swift:1 has been freed"
        ) { request, events in
            let data = try TallocChunk("x", under: events)
            request.setCallback(data: data) { _ in }
            data.free()
            print(request.callbackData(of: String.self))
        }
    }

    func testDataThatIsFreedAlready() throws {
        try assertTraps(saying: freed("setCallback(data:_:)", of: "TallocChunk<String>")) { request, events in
            let data = try TallocChunk("x", under: events)
            data.free()
            request.setCallback(data: data) { _ in }
        }
    }
}
