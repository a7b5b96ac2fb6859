import Talloc
import Tevent
import XCTest

/// Waiting for a request by running the loop.
final class RequestPollTests: EngineTestCase {
    func testPollRunsTheLoopUntilTheRequestHasEnded() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            var turns = 0
            for turn in 1...5 {
                schedule(on: events) {
                    turns += 1
                    if turn == 3 { request.finish() }
                }
            }
            XCTAssertEqual(try request.poll(on: events), .finished)
            XCTAssertEqual(turns, 3)
            XCTAssertEqual(request.status, .done)
        }
    }

    func testPollOfAnEndedRequestRunsNothing() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            request.fail(Oops())
            schedule(on: events) { XCTFail("there is nothing to wait for") }
            XCTAssertEqual(try request.poll(on: events), .finished)
        }
    }

    func testPollOfARequestThatNothingWillEndSaysSo() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            XCTAssertEqual(try request.poll(on: events), .noEvents)
            XCTAssertEqual(request.status, .inProgress)
        }
    }

    func testPollReportsWhyTheLoopCouldNotContinue() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            try request.setEndTime(after: .seconds(1), on: events)
            XCTAssertEqual(try request.poll(on: events), .timedOut)
            schedule(on: events) { events.stop() }
            XCTAssertEqual(try request.poll(on: events), .stopped)
            schedule(on: events) { events.free() }
            XCTAssertEqual(try request.poll(on: events), .contextFreed)
        }
    }

    func testPollEndsWhenTheRequestIsFreed() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            schedule(on: events) { request.free() }
            schedule(on: events) { XCTFail("there is nothing to wait for") }
            XCTAssertEqual(try request.poll(on: events), .finished)
            XCTAssertTrue(request.isFreed)
        }
    }

    func testPollInAHandlerIsRefused() throws {
        try onBothBackends { events, _ in
            let request = try Request(Work(), under: events)
            var refusal: TeventError?
            schedule(on: events) { refusal = failure { try request.poll(on: events) } }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(refusal, .nestedLoop)
        }
    }

    func testPollInAHandlerIsAllowedWhereNestingIs() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            let request = try Request(Work(answer: 6), under: events)
            var outcome = ""
            schedule(on: events) {
                schedule(on: events) { request.finish() }
                XCTAssertEqual(sure { try request.poll(on: events) }, .finished)
                outcome = request.outcome()
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(outcome, "6")
        }
    }

    func testPollOnAnotherContextIsAllowedInAHandler() throws {
        try onBothBackends { events, clock in
            let other = try EventContext(under: events, backend: events.backend, clock: clock)
            let request = try Request(Work(answer: 6), under: events)
            var outcome = ""
            schedule(on: events) {
                schedule(on: other) { request.finish() }
                XCTAssertEqual(sure { try request.poll(on: other) }, .finished)
                outcome = request.outcome()
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(outcome, "6")
        }
    }
}
