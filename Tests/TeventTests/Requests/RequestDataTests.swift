import Talloc
import Tevent
import XCTest

/// The data of a callback, and requests whose state's type is unknown; the traps are in `RequestTrapTests`.
final class RequestDataTests: EngineTestCase {
    func testACallbackGetsItsDataTyped() throws {
        try withTallocContext { root in
            let data = try TallocChunk(["first"], under: root)
            let request = try Request(Work(), under: root)
            request.setCallback(data: data) { request in
                XCTAssertEqual(request.callbackData(of: [String].self), data)
                request.callbackData(of: [String].self).value.append("second")
            }
            request.finish()
            XCTAssertEqual(data.value, ["first", "second"])
        }
    }

    func testACallbackGetsItsDataUntyped() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            XCTAssertNil(request.callbackData)
            request.setCallback(data: root) { _ in }
            XCTAssertEqual(request.callbackData, root)
            XCTAssertEqual(AnyRequest(request).callbackData, root)
        }
    }

    func testTheDataStaysTheCallers() throws {
        try withTallocContext { root in
            let data = try TallocChunk(1, under: root)
            let request = try Request(Work(), under: root)
            request.setCallback(data: data) { _ in }
            request.free()
            XCTAssertEqual(data.value, 1)
        }
    }

    func testACallbackSetWithoutDataReplacesTheDataToo() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            request.setCallback(data: root) { _ in XCTFail("it was replaced") }
            request.setCallback { XCTAssertNil($0.callbackData) }
            XCTAssertNil(request.callbackData)
            request.finish()
        }
    }

    func testReceivingWithoutAFunctionOfItsOwnGivesTheState() throws {
        try withTallocContext { root in
            let numbers = try Request([1], under: root)
            numbers.state.append(2)
            numbers.finish()
            XCTAssertEqual(try numbers.receive(), [1, 2])
            XCTAssertEqual(numbers.status, .received)

            let failed = try Request("nothing", under: root)
            failed.fail(Oops())
            XCTAssertThrowsError(try failed.receive()) { XCTAssertEqual($0 as? Oops, Oops()) }
        }
    }

    func testAKindsOwnReceiveComesFirstEvenIfItIsGeneric() throws {
        try withTallocContext { root in
            let pair = try Request(Pair(first: 1, second: "two"), under: root)
            pair.finish()
            XCTAssertEqual(try pair.receive(), "1 two")
        }
    }

    func testARequestOfAnyKindGivesItsStateTypedAndUntyped() throws {
        try withTallocContext { root in
            let request = try Request(Work(answer: 1), under: root)
            let any = AnyRequest(request)
            XCTAssertEqual(any.request(of: Work.self), request)
            XCTAssertNil(any.request(of: Int.self))
            any.request(expecting: Work.self).state.answer = 2
            XCTAssertEqual(request.state.answer, 2)
            XCTAssertEqual(try any.state, try request.stateChunk.tallocContext)
            XCTAssertNil(try any.state.chunk(of: Int.self))
        }
    }

    func testTheStateMovesToAChunkOfItsOwnWhenThatIsAskedFor() throws {
        try withTallocContext { root in
            let token = Token()
            let request = try Request(Work(answer: 3, token: token), under: root)
            XCTAssertEqual(request.children, [])
            XCTAssertEqual(root.report().drawing(.names), "\(root.name)\n└─ struct tevent_req: Work")
            let chunk = try request.stateChunk
            XCTAssertEqual(try request.stateChunk, chunk)
            XCTAssertEqual(request.children, [chunk.tallocContext])
            XCTAssertEqual(chunk.name, "Work")
            request.state.answer += 1
            XCTAssertEqual(chunk.value.answer, 4)
            chunk.value.answer += 1
            XCTAssertEqual(request.state.answer, 5)
            XCTAssertIdentical(request.state.token, token)
            request.finish()
            XCTAssertEqual(try request.receive { $0.answer }, 5)
            XCTAssertTrue(chunk.isFreed)
        }
    }

    func testTheStateIsReleasedOnceWhereverItIs() throws {
        try withTallocContext { root in
            for isMoved in [false, true] {
                for isReceived in [false, true] {
                    weak var gone: Token?
                    let request = try { () -> Request<Work> in
                        let token = Token()
                        gone = token
                        return try Request(Work(token: token), under: root)
                    }()
                    if isMoved { _ = try request.stateChunk }
                    XCTAssertNotNil(gone)
                    if isReceived { request.discard() } else { request.free() }
                    XCTAssertNil(gone)
                    if isReceived { request.free() }
                }
            }
        }
    }

    func testWithoutMemoryForAChunkTheStateStaysWhereItIs() throws {
        try withTallocContext { root in
            let below = try TallocContext(under: root)
            let request = try Request(Work(answer: 7), under: below)
            try below.setMemoryLimit(bytes: 1)
            XCTAssertEqual(failure { try request.stateChunk }, .outOfMemory(name: "Work"))
            XCTAssertEqual(request.state.answer, 7)
            XCTAssertEqual(request.children, [])
        }
    }

    func testWhatIsBelowARequestGoesBeforeItsState() throws {
        try withTallocContext { root in
            var order: [String] = []
            struct Held { let witness: Witness }
            final class Witness {
                let gone: () -> Void
                init(_ gone: @escaping () -> Void) { self.gone = gone }
                deinit { gone() }
            }
            let request = try Request(Held(witness: Witness { order.append("state") }), under: root)
            _ = try TallocChunk(Witness { order.append("below") }, under: request)
            request.free()
            XCTAssertEqual(order, ["below", "state"])
        }
    }

    func testAnOwnersCallbackGetsBothRequests() throws {
        try withTallocContext { root in
            let owner = try Request(Work(), under: root)
            let request = try Request("part", under: owner)
            request.setCallback(for: owner) { request, owner in
                owner.state.answer = request.state.count
                request.free()
                owner.finish()
            }
            XCTAssertEqual(request.callbackData, owner.tallocContext)
            request.finish()
            XCTAssertEqual(owner.state.answer, 4)
            XCTAssertTrue(request.isFreed)
            XCTAssertEqual(owner.status, .done)
        }
    }

    func testAnOwnersCallbackMayHoldReferencesAndBeCalledAgain() throws {
        try withTallocContext { root in
            weak var gone: Token?
            let owner = try Request(Work(), under: root)
            let request = try Request(Work(), under: root)
            do {
                let token = Token()
                gone = token
                request.setCallback(for: owner) { _, owner in
                    owner.state.token = token
                    owner.state.answer += 1
                }
            }
            request.notify()
            request.notify()
            request.finish()
            XCTAssertEqual(owner.state.answer, 3)
            owner.state.token = nil
            XCTAssertNil(gone, "a callback goes when a request that has ended has called it")
            request.free()
        }
    }

    func testAnOwnersCallbackIsReplacedByOneWithoutAndTheOtherWayRound() throws {
        try withTallocContext { root in
            var calls: [String] = []
            let owner = try Request(Work(), under: root)
            let first = try Request(Work(), under: root)
            first.setCallback(for: owner) { _, _ in calls.append("with") }
            first.setCallback { _ in calls.append("without") }
            XCTAssertNil(first.callbackData)
            first.finish()
            let second = try Request(Work(), under: root)
            second.setCallback { _ in calls.append("without") }
            second.setCallback(for: owner) { _, _ in calls.append("with") }
            second.finish()
            XCTAssertEqual(calls, ["without", "with"])
        }
    }

    func testARequestOfAnyKindIsTheSameRequest() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            let any = AnyRequest(request)
            XCTAssertEqual(any, AnyRequest(any))
            XCTAssertNotEqual(any, AnyRequest(try Request(Work(), under: root)))
            var calls = 0
            request.setCallback { _ in calls += 1 }
            any.finish()
            XCTAssertEqual(calls, 1)
            XCTAssertEqual(request.status, .done)
            any.free()
            XCTAssertTrue(request.isFreed)
        }
    }

    func testTheStateIsChangedInPlace() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            let token = Token()
            request.state.token = token
            request.state.answer += 1
            XCTAssertIdentical(request.state.token, token)
            request.state = Work(answer: 9)
            XCTAssertEqual(request.state.answer, 9)
            XCTAssertNil(request.state.token)
        }
    }

    func testTheStateMayBeAParent() throws {
        try withTallocContext { root in
            let request = try Request(Work(), under: root)
            let below = try TallocChunk(1, under: try request.stateChunk)
            request.discard()
            XCTAssertTrue(below.isFreed)
        }
    }

    func testAStateOfAnySizeAndAlignmentFits() throws {
        try withTallocContext { root in
            let nothing = try Request((), under: root)
            nothing.finish()
            XCTAssertNoThrow(try nothing.receive { _ in })
            let wide = try Request((SIMD16<Double>(repeating: 1.5), "text"), under: root)
            wide.state.0[15] = 2
            wide.finish()
            XCTAssertEqual(try wide.receive { $0.0.sum() }, 24.5)
        }
    }
}

private struct Pair<First, Second> {
    var first: First
    var second: Second
}

extension Request {
    fileprivate func receive<First, Second>() throws -> String where State == Pair<First, Second> {
        try receive { "\($0.first) \($0.second)" }
    }
}
