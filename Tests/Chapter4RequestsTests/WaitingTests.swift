import Chapter1ContextAndLoops
import Talloc
import TestSupport
import Tevent
import XCTest

/// Deadlines, requests that end too early, wakeups, and progress: everything that needs a loop.
final class WaitingTests: XCTestCase {
    // MARK: End times

    func testARequestThatIsNotDoneInTimeTimesOut() throws {
        try onEachBackend { bench in
            let request = try Delay.send(.seconds(5), on: bench.events, under: bench.memory)
            try request.setEndTime(after: .seconds(3), on: bench.events)
            bench.logEnd(of: request) { try $0.receive() }
            try bench.run()
            XCTAssertEqual(bench.log.lines, ["callback timed out", "receive the request did not end in time"])
            XCTAssertEqual(bench.log.entries.map(\.time), [.seconds(3), .seconds(3)])
        }
    }

    func testARequestThatIsDoneInTimeNeverTimesOut() throws {
        try onEachBackend { bench in
            let request = try Delay.send(.seconds(2), value: 7, on: bench.events, under: bench.memory)
            try request.setEndTime(after: .seconds(3), on: bench.events)
            bench.logEnd(of: request) { try $0.receive() }
            try bench.run()
            XCTAssertEqual(bench.log.lines, ["callback done", "receive 7"])
        }
    }

    func testAnEndTimeSetAgainReplacesTheFirstWhetherLaterOrEarlier() throws {
        for (second, end) in [(6, "done"), (1, "timed out")] {
            try onEachBackend { bench in
                let request = try Delay.send(.seconds(5), on: bench.events, under: bench.memory)
                try request.setEndTime(after: .seconds(3), on: bench.events)
                try request.setEndTime(after: .seconds(second), on: bench.events)
                XCTAssertEqual(bench.events.timers.count, 2)
                bench.logEnd(of: request) { try $0.receive() }
                try bench.run()
                XCTAssertEqual(bench.log.lines[0], "callback \(end)")
            }
        }
    }

    func testAnEndTimeTakenAwayEndsNothing() throws {
        try onEachBackend { bench in
            let request = try Delay.send(.seconds(5), on: bench.events, under: bench.memory)
            try request.setEndTime(after: .seconds(3), on: bench.events)
            XCTAssertEqual(request.endTime, bench.events.now.advanced(by: .seconds(3)))
            request.resetEndTime()
            XCTAssertNil(request.endTime)
            bench.logEnd(of: request) { try $0.receive() }
            try bench.run()
            XCTAssertEqual(bench.log.lines[0], "callback done")
        }
    }

    func testTheTimerOfAnEndTimeIsUnderTheRequestAndGoesWithItsEnd() throws {
        try onEachBackend { bench in
            let request = try Delay.send(.seconds(5), on: bench.events, under: bench.memory)
            try request.setEndTime(after: .seconds(3), on: bench.events)
            XCTAssertEqual(request.children.map(\.name).filter { $0 == "struct tevent_timer" }.count, 2)
            request.finish()
            XCTAssertEqual(bench.events.timers.count, 1)
            request.free()
            XCTAssertEqual(bench.events.timers, [])
        }
    }

    func testWorkThatGoesOnAfterItsRequestTimedOutEndsItASecondTime() throws {
        let result = try runInChild(self) {
            let bench = try Bench("epoll")
            let request = try Delay.send(.seconds(2), on: bench.events, under: bench.memory)
            try request.setEndTime(after: .seconds(1), on: bench.events)
            request.setCallback { _ in }
            try bench.run()
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(result.stderr.contains("it had ended at the loop and is timed out"), result.stderr)
    }

    func testWorkThatItsCleanupFunctionStopsEndsItsRequestOnce() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            let timer = try bench.events.addTimer(after: .seconds(2), under: request) { _, _ in request.finish() }
            request.setCleanup { _, _ in if !timer.isFreed { timer.free() } }
            try request.setEndTime(after: .seconds(1), on: bench.events)
            request.setCallback { bench.log.add("callback", "\($0.status)") }
            try bench.run()
            XCTAssertEqual(bench.log.lines, ["callback timed out"])
        }
    }

    // MARK: Too early

    func testAPostedRequestCallsBackFromTheLoopAsImmediatesDo() throws {
        try onEachBackend { bench in
            try bench.events.addTimer(after: .zero) { _, _ in bench.log.add("timer", "runs") }
            try ImmediateEvent(under: bench.memory).schedule(on: bench.events) { _, _ in
                bench.log.add("immediate", "runs")
            }
            let request = try Request(Delay(value: 7), under: bench.memory)
            request.finish()
            request.post(on: bench.events)
            bench.logEnd(of: request) { try $0.receive() }
            XCTAssertEqual(bench.log.lines, [])
            try bench.run()
            XCTAssertEqual(bench.log.lines, ["immediate runs", "callback done", "receive 7", "timer runs"])
        }
    }

    func testPostingNeedsNoMemory() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            request.fail(Oops())
            let blocks = bench.memory.totalBlocks
            try bench.memory.setMemoryLimit(bytes: bench.memory.totalSize)
            request.post(on: bench.events)
            XCTAssertEqual(bench.memory.totalBlocks, blocks)
            bench.logEnd(of: request) { try $0.receive() }
            try bench.run()
            XCTAssertEqual(bench.log.lines[0], "callback failed")
        }
    }

    func testAPostedRequestThatIsFreedCallsNoCallback() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            request.finish()
            request.post(on: bench.events)
            bench.logEnd(of: request) { try $0.receive() }
            request.free()
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.lines, [])
        }
    }

    func testSettingACallbackAfterTheEndWithoutAPostIsATrap() throws {
        let result = try runInChild(self) {
            let request = try Request(Delay(value: 7), under: try TallocContext())
            request.finish()
            request.setCallback { _ in }
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(result.stderr.contains("call post(on:) where a request ends while it is made"), result.stderr)
    }

    func testPostingARequestInProgressIsATrap() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            try Request(Delay(value: 7), under: events).post(on: events)
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(result.stderr.contains("was posted while it is in progress"), result.stderr)
    }

    // MARK: Wakeups

    func testAWakeupExistsAtOnceAndEndsAtItsTime() throws {
        try onEachBackend { bench in
            let wakeup = try Wakeup.send(after: .seconds(2), on: bench.events, under: bench.memory)
            XCTAssertEqual(wakeup.status, .inProgress)
            bench.logEnd(of: wakeup) { try $0.receive() }
            try bench.run()
            XCTAssertEqual(bench.log.entries[0].time, .seconds(2))
            XCTAssertEqual(bench.log.lines, ["callback done", "receive ()"])
        }
    }

    func testACancelledWakeupThrowsThatWhenItIsReceived() throws {
        try onEachBackend { bench in
            let wakeup = try Wakeup.send(after: .seconds(2), on: bench.events, under: bench.memory)
            bench.logEnd(of: wakeup) { try $0.receive() }
            XCTAssertTrue(wakeup.cancel())
            XCTAssertEqual(bench.log.lines, ["callback failed", "receive the request was cancelled"])
            XCTAssertEqual(bench.events.timers, [])
        }
    }

    // MARK: Progress and polling

    func testNotifyCallsTheCallbackOfARequestThatGoesOn() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            request.setCallback { bench.log.add("callback", "\($0.status)") }
            request.notify()
            request.notify()
            request.finish()
            XCTAssertEqual(bench.log.lines, ["callback in progress", "callback in progress", "callback done"])
        }
    }

    func testPollRunsTheLoopUntilTheRequestHasEndedAndNoLonger() throws {
        try onEachBackend { bench in
            let request = try Delay.send(.zero, on: bench.events, under: bench.memory)
            try bench.events.addTimer(after: .zero) { _, _ in bench.log.add("timer", "runs") }
            XCTAssertEqual(try request.poll(on: bench.events), .finished)
            XCTAssertEqual(request.status, .done)
            XCTAssertEqual(bench.log.lines, [])
        }
    }

    func testPollSaysWhenNothingWillEverEndTheRequest() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            XCTAssertEqual(try request.poll(on: bench.events), .noEvents)
            XCTAssertEqual(request.status, .inProgress)
        }
    }

    func testADeferredCallbackIsCalledByTheLoopNotByFinish() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            request.deferCallback(on: bench.events)
            bench.logEnd(of: request) { try $0.receive() }
            request.finish()
            bench.log.add("after", "finish")
            try bench.run()
            XCTAssertEqual(bench.log.lines, ["after finish", "callback done", "receive 7"])
        }
    }
}
