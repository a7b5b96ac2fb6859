import Chapter1ContextAndLoops
import Chapter4Requests
import Talloc
import TestSupport
import Tevent
import XCTest

/// What owns what, what is cleaned up in which order, and what a profile shows.
final class OwnershipTests: XCTestCase {
    // MARK: Subrequests

    func testFreeingARequestFreesItsSubrequestsAndTakesTheirEventsOutOfTheLoop() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            let below = try Delay.send(.seconds(1), on: bench.events, under: request)
            below.setCallback { _ in bench.log.add("never", "called") }
            request.free()
            XCTAssertTrue(below.isFreed)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.lines, [])
        }
    }

    func testASubrequestUnderTheContextOutlivesItsRequestAndTrapsWhenItCallsBack() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            let request = try Request(Delay(value: 7), under: events)
            try Delay.send(.zero, on: events, under: events).setCallback { _ in request.finish() }
            request.free()
            try events.loopWait()
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(
            result.stderr.contains("Request<Delay>.finish() was called on a freed Request<Delay>"), result.stderr)
    }

    func testTheErrorOfASubrequestBecomesItsRequestsWithOneAttempt() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            bench.logEnd(of: request) { try $0.receive() }
            let below = try Delay.send(.seconds(1), on: bench.events, under: request)
            below.setCallback { below in
                guard request.attempt({ try below.receive() }) != nil else { return }
                request.finish()
            }
            below.fail(Oops())
            XCTAssertEqual(bench.log.lines, ["callback failed", "receive Oops()"])
            XCTAssertTrue(below.isFreed)
        }
    }

    // MARK: Cleanup and cancel

    func testCleanupComesBeforeTheCallbackAndAgainWhenItIsReceived() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            request.setCleanup { bench.log.add("cleanup", "\($1), \($0.state.value)") }
            bench.logEnd(of: request) { try $0.receive() }
            request.finish()
            XCTAssertEqual(
                bench.log.lines, ["cleanup done, 7", "callback done", "cleanup received, 7", "receive 7"])
        }
    }

    func testARequestFreedInProgressIsCleanedUpOnceAndCallsNoCallback() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            request.setCleanup { bench.log.add("cleanup", "\($1), \($0.state.value)") }
            request.setCallback { _ in bench.log.add("never", "called") }
            request.free()
            XCTAssertEqual(bench.log.lines, ["cleanup received, 7"])
        }
    }

    func testCancelCallsTheCancelFunctionOfARequestInProgressAndReturnsItsResult() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            XCTAssertFalse(request.cancel(), "without a cancel function nothing can be stopped")
            var canBeStopped = false
            request.setCancel { _ in canBeStopped }
            XCTAssertFalse(request.cancel())
            XCTAssertTrue(request.isInProgress, "whether and when it ends is the function's task")
            canBeStopped = true
            XCTAssertTrue(request.cancel())
            request.finish()
            XCTAssertFalse(request.cancel(), "what has ended cannot be stopped")
        }
    }

    // MARK: Cascades

    func testEachCallbackRunsInsideTheOneBelow() throws {
        struct Level { let number: Int; let above: Request<Level>? }
        let root = try TallocContext()
        defer { root.free() }
        var (inside, deepest, order) = (0, 0, [Int]())
        func done(_ request: Request<Level>) {
            inside += 1
            deepest = max(deepest, inside)
            let (number, above) = (request.state.number, request.state.above)
            order.append(number)
            request.free()
            above?.finish()
            inside -= 1
        }
        var innermost = try Request(Level(number: 0, above: nil), under: root)
        innermost.setCallback(done)
        for number in 1..<1000 {
            innermost = try Request(Level(number: number, above: innermost), under: innermost)
            innermost.setCallback(done)
        }
        innermost.finish()
        XCTAssertEqual(deepest, 1000)
        XCTAssertEqual(order, (0..<1000).reversed())
        XCTAssertEqual(root.children, [])
    }

    // MARK: Profiles

    func testAProfileRecordsWhenEachSubrequestBeganAndEndedAndOutlivesThem() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            let profile = request.startProfile(on: bench.events)
            try Delay.send(.seconds(2), on: bench.events, under: request).setCallback { below in
                below.free()
                request.fail(Oops())
            }
            XCTAssertEqual(profile.subprofiles.map(\.status), [.inProgress])
            XCTAssertNil(profile.stop)
            request.setCallback { $0.free() }
            try bench.run()
            XCTAssertTrue(request.isFreed)
            XCTAssertEqual(
                "\(profile)",
                """
                Delay: 0.000 to 2000.000 ms, failed, Oops()
                  Delay: 0.000 to 2000.000 ms, done
                """)
        }
    }

    func testWhatWasMadeBeforeProfilingBeganIsNotInTheProfile() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 7), under: bench.memory)
            _ = try Delay.send(.seconds(2), on: bench.events, under: request)
            let profile = request.startProfile(on: bench.events)
            XCTAssertEqual(profile.subprofiles.count, 0)
        }
    }
}
