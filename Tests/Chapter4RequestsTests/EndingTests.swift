import Talloc
import TestSupport
import Tevent
import XCTest

/// How requests end, and what happens to them afterwards.
final class EndingTests: XCTestCase {
    private struct Foo { var value = 0 }
    private enum Code: UInt64 { case first = 1, other = 99 }

    private func withRequest(_ body: (TallocContext, Request<Foo>) throws -> Void) throws {
        let root = try TallocContext(named: "test")
        defer { root.free() }
        try body(root, try Request(Foo(), under: root))
    }

    // MARK: By hand

    func testFinishCallsTheCallbackBeforeItReturns() throws {
        try withRequest { _, request in
            var order: [String] = []
            request.setCallback { order.append("callback, \($0.status)") }
            request.finish()
            order.append("after finish")
            XCTAssertEqual(order, ["callback, done", "after finish"])
        }
    }

    func testFailKeepsASwiftErrorForTheReceiver() throws {
        try withRequest { _, request in
            request.fail(Oops())
            XCTAssertEqual(request.status, .failed)
            XCTAssertThrowsError(try request.receive { $0.value }) { XCTAssert($0 is Oops) }
        }
    }

    func testACodeThatIsNotZeroIsAnError() throws {
        for code in [Code.first, .other] {
            try withRequest { _, request in
                guard request.fail(code: code.rawValue) else { return XCTFail("\(code) was taken for no error") }
                XCTAssertEqual(request.status, .failed)
                XCTAssertThrowsError(try request.receive { $0.value }) {
                    XCTAssertEqual($0 as? RequestError, .code(code.rawValue))
                }
            }
        }
    }

    func testCodeZeroIsNoErrorAndTheRequestGoesOn() throws {
        try withRequest { _, request in
            var calls = 0
            request.setCallback { _ in calls += 1 }
            XCTAssertFalse(request.fail(code: 0))
            XCTAssertEqual(request.status, .inProgress)
            XCTAssertEqual(calls, 0)
        }
    }

    func testAnAttemptThatSucceedsGivesItsValueAndLeavesTheRequestAlone() throws {
        try withRequest { _, request in
            XCTAssertEqual(request.attempt { 7 }, 7)
            XCTAssertTrue(request.isInProgress)
        }
    }

    func testAnAttemptThatThrowsEndsTheRequestWithThatError() throws {
        try withRequest { _, request in
            XCTAssertNil(request.attempt { throw Oops() })
            XCTAssertEqual(request.status, .failed)
            XCTAssert(request.error is Oops)
        }
    }

    // MARK: Statuses

    func testEachEndLeadsToReceivedAndNoneToAnotherEnd() throws {
        let ends: [(RequestStatus, (Request<Foo>) -> Void)] = [
            (.done, { $0.finish() }),
            (.failed, { $0.fail(Oops()) }),
            (.noMemory, { $0.fail(TallocError.outOfMemory(name: "x")) }),
        ]
        for (status, end) in ends {
            try withRequest { _, request in
                XCTAssertEqual(request.status, .inProgress)
                end(request)
                XCTAssertEqual(request.status, status)
                _ = try? request.receive { $0.value }
                XCTAssertEqual(request.status, .received)
            }
        }
    }

    func testReceivingFreesTheStateAndAllBelowTheRequestButNotTheRequest() throws {
        final class Witness {}
        try withRequest { root, _ in
            weak var witness: Witness?
            let request: Request<(Witness, Int)>
            do {
                let held = Witness()
                witness = held
                request = try Request((held, 7), under: root)
            }
            let below = try TallocContext(under: request, named: "below")
            request.finish()
            XCTAssertNotNil(witness)
            XCTAssertEqual(try request.receive { $0.1 }, 7)
            XCTAssertNil(witness)
            XCTAssertTrue(below.isFreed)
            XCTAssertFalse(request.isFreed)
            XCTAssertEqual(request.children, [])
        }
    }

    func testWhatReceiveMovesAwaySurvives() throws {
        try withRequest { root, request in
            let result = try TallocContext(under: request, named: "result")
            request.finish()
            try request.receive { _ in result.move(under: root) }
            XCTAssertFalse(result.isFreed)
            XCTAssertEqual(result.parent, root)
        }
    }

    func testReceivingTooEarlyIsATrap() throws {
        let early = try runInChild(self) {
            let request = try Request(Foo(), under: try TallocContext())
            _ = try request.receive { $0.value }
        }
        XCTAssertNotNil(early.signal)
        XCTAssert(early.stderr.contains("was received before it had ended"), early.stderr)
    }

    func testReceivingTwiceIsATrap() throws {
        let result = try runInChild(self) {
            let request = try Request(Foo(), under: try TallocContext())
            request.finish()
            for _ in 1...2 { _ = try request.receive { $0.value } }
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(result.stderr.contains("was received twice"), result.stderr)
    }

    func testASecondEndIsATrapThatNamesAllThreePlaces() throws {
        let result = try runInChild(self) {
            let request = try Request(Foo(), under: try TallocContext())
            request.fail(Oops())
            request.finish()
        }
        XCTAssertNotNil(result.signal)
        let place = "Chapter4RequestsTests/EndingTests.swift:"
        XCTAssertEqual(result.stderr.components(separatedBy: place).count - 1, 3, result.stderr)
        XCTAssert(result.stderr.contains("A 'return' after the first end may be missing"), result.stderr)
    }

    // MARK: Memory

    func testTheStateIsInTheRequestUntilItIsNeededAsAParent() throws {
        try withRequest { root, request in
            XCTAssertEqual(root.report().drawing(.names), "test\n└─ struct tevent_req: Foo")
            let state = try request.stateChunk
            XCTAssertEqual(root.report().entries.map(\.name), ["test", "struct tevent_req", "Foo"])
            XCTAssertEqual(request.children, [state.tallocContext])
        }
    }

    func testNoMemoryForTheRequestItselfIsThrownToItsCreator() throws {
        let root = try TallocContext(named: "test")
        defer { root.free() }
        try root.setMemoryLimit(bytes: 100)
        XCTAssertThrowsError(try Request(Foo(), under: root)) {
            XCTAssertEqual($0 as? TeventError, .outOfMemory(name: "struct tevent_req"))
        }
        XCTAssertEqual(root.children, [])
    }

    func testNoMemoryLaterEndsTheRequestAsSuch() throws {
        try withRequest { root, request in
            try root.setMemoryLimit(bytes: root.totalSize + 1000)
            var statuses: [RequestStatus] = []
            request.setCallback { statuses.append($0.status) }
            XCTAssertNil(request.attempt { try TallocPool(objects: 1, bytes: 5000, under: request) })
            XCTAssertEqual(statuses, [.noMemory])
            XCTAssertThrowsError(try request.receive { $0.value }) {
                XCTAssertEqual($0 as? TallocError, .outOfMemory(name: "TallocPool"))
            }
        }
    }
}
