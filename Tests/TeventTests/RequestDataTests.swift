import Talloc
import Tevent
import XCTest

/// The data of a callback, and requests whose state's type is not known; the traps are in `RequestTrapTests`.
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

    func testARequestOfAnyKindGivesItsStateTypedAndUntyped() throws {
        try withTallocContext { root in
            let request = try Request(Work(answer: 1), under: root)
            let any = AnyRequest(request)
            XCTAssertEqual(any.state(of: Work.self), request.stateChunk)
            any.state(of: Work.self).value.answer = 2
            XCTAssertEqual(request.state.answer, 2)
            XCTAssertEqual(any.state, request.stateChunk.tallocContext)
            XCTAssertNil(any.state.chunk(of: Int.self))
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
            let below = try TallocChunk(1, under: request.stateChunk)
            request.received()
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
