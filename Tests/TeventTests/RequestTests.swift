import Talloc
import Tevent
import XCTest

final class RequestTests: EngineTestCase {
    private struct Foo { var answer = 0 }
    private struct Oops: Error, Equatable { let reason: String }

    func testFinishCallsTheCallbackOnceAndReceiveGivesTheResult() throws {
        let root = try TallocContext()
        defer { root.free() }
        let request = try Request(Foo(), under: root)
        XCTAssertEqual(request.status, .inProgress)
        var calls: [Int] = []
        request.setCallback { request in
            XCTAssertEqual(request.status, .done)
            calls.append(sure { try request.receive { $0.answer } })
            XCTAssertEqual(request.status, .received)
            request.free()
        }
        request.state.answer = 42
        request.finish()
        XCTAssertEqual(calls, [42])
        XCTAssertTrue(request.isFreed)
    }

    func testReceiveThrowsTheErrorARequestFailedWith() throws {
        let root = try TallocContext()
        defer { root.free() }
        let request = try Request(Foo(), under: root)
        request.fail(Oops(reason: "why not"))
        XCTAssertEqual(request.status, .failed)
        XCTAssertThrowsError(try request.receive { $0.answer }) { XCTAssertEqual($0 as? Oops, Oops(reason: "why not")) }
    }

    func testTenThousandNestedRequestsNeedNoDeepStack() throws {
        struct Nested { var above: Request<Nested>? }
        let root = try TallocContext()
        defer { root.free() }
        var ends = 0
        var request = try Request(Nested(), under: root)
        request.setCallback { request in
            ends += 1
            request.free()
        }
        for _ in 1..<10_000 {
            let below = try Request(Nested(above: request), under: request)
            below.setCallback { request in
                ends += 1
                let above = request.state.above!
                request.free()
                above.finish()
            }
            request = below
        }
        request.finish()
        XCTAssertEqual(ends, 10_000)
        XCTAssertEqual(root.totalBlocks, 1)
    }

    func testAPostedRequestCallsBackFromTheLoop() throws {
        try onBothBackends { events, _ in
            var called = false
            let request = try Request(Foo(), under: events)
            request.finish()
            request.post(on: events).setCallback { request in
                called = true
                request.free()
            }
            XCTAssertFalse(called)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertTrue(called)
        }
    }

    func testARequestTimesOut() throws {
        try onBothBackends { events, clock in
            let request = try Request(Foo(), under: events)
            try request.setEndTime(after: .seconds(1), on: events)
            try request.setEndTime(after: .seconds(2), on: events)
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(request.status, .timedOut)
            XCTAssertThrowsError(try request.receive { $0.answer }) {
                XCTAssertEqual($0 as? RequestError, .timedOut)
            }
        }
    }
}
