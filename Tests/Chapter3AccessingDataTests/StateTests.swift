import Chapter3AccessingData
import Talloc
import Tevent
import XCTest

/// The state of a request: what owns it, how it is changed, and when it is released.
final class StateTests: XCTestCase {
    private struct Oops: Error {}

    /// A state whose release can be seen.
    private struct Work {
        var steps = 0
        let witness: Witness
    }

    func testFooBeginsWithTenAndGivesItWhenReceived() throws {
        try onBench { bench in
            let request = try bench.request()
            XCTAssertEqual(request.state.x, 10)
            XCTAssertEqual(request.status, .inProgress)
            request.finish()
            XCTAssertEqual(try request.receive(), 10)
        }
    }

    func testEachRequestHasAStateOfItsOwn() throws {
        try onBench { bench in
            let (one, other) = (try bench.request(), try bench.request())
            one.state.x += 1
            XCTAssertEqual([one.state.x, other.state.x], [11, 10])
        }
    }

    func testACopyOfTheHandleReachesTheSameState() throws {
        try onBench { bench in
            let request = try bench.request()
            let copy = request
            copy.state.x = 3
            XCTAssertEqual(request.state.x, 3)
        }
    }

    func testTheStateIsChangedInPlaceWithoutACopy() throws {
        struct Owner {
            var box = Witness("box") { _ in }
            mutating func isAlone() -> Bool { isKnownUniquelyReferenced(&box) }
        }
        try onBench { bench in
            let request = try Request(Owner(), under: bench.memory)
            XCTAssertTrue(request.state.isAlone())
            XCTAssertTrue(try request.stateChunk.value.isAlone())
        }
    }

    func testTheStateLivesUntilTheResultIsReceived() throws {
        try onBench { bench in
            let request = try Request(Work(witness: bench.witness("state")), under: bench.memory)
            let buffer = try TallocChunk(bench.witness("buffer"), under: request)
            request.state.steps += 1
            request.finish()
            XCTAssertEqual(request.state.steps, 1)
            XCTAssertEqual(bench.gone, [])
            XCTAssertEqual(try request.receive { $0.steps }, 1)
            XCTAssertEqual(Set(bench.gone), ["state", "buffer"])
            XCTAssertTrue(buffer.isFreed)
            XCTAssertFalse(request.isFreed)
            XCTAssertEqual(request.status, .received)
        }
    }

    func testReceivingAFailureAlsoReleasesTheState() throws {
        try onBench { bench in
            let request = try Request(Work(witness: bench.witness()), under: bench.memory)
            request.fail(Oops())
            XCTAssertEqual(bench.gone, [])
            XCTAssertThrowsError(try request.receive { $0.steps })
            XCTAssertEqual(bench.gone, ["witness"])
        }
    }

    func testTheStateOfAFreedRequestGoes() throws {
        try onBench { bench in
            let request = try Request(Work(witness: bench.witness()), under: bench.memory)
            let state = try request.stateChunk
            request.free()
            XCTAssertEqual(bench.gone, ["witness"])
            XCTAssertTrue(state.isFreed)
        }
    }

    func testTheStateGoesWithAParentOfTheRequest() throws {
        try onBench { bench in
            let parent = try TallocContext(under: bench.memory)
            let request = try Request(Work(witness: bench.witness()), under: parent)
            parent.free()
            XCTAssertTrue(request.isFreed)
            XCTAssertEqual(bench.gone, ["witness"])
        }
    }

    func testReceiveMovesOutWhatMustOutliveTheRequest() throws {
        struct Copying { var text: TallocChunk<String> }
        try onBench { bench in
            let text = try TallocChunk("a result", under: bench.memory)
            let request = try Request(Copying(text: text), under: bench.memory)
            text.move(under: request)
            request.finish()
            let result = try request.receive { state in
                state.text.move(under: bench.memory)
                return state.text
            }
            request.free()
            XCTAssertEqual(result.value, "a result")
        }
    }

    func testTheStateGetsAChunkBelowItsRequestWhenItIsToBeAParent() throws {
        try onBench { bench in
            let request = try bench.request()
            XCTAssertEqual(request.children, [])
            let below = try TallocChunk(1, under: try request.stateChunk)
            XCTAssertEqual(try request.stateChunk.parent, request.tallocContext)
            request.finish()
            _ = try request.receive()
            XCTAssertTrue(below.isFreed)
        }
    }

    func testARequestOfUnknownKindGivesItsStateByType() throws {
        try onBench { bench in
            let request = try bench.request()
            let unknown = AnyRequest(request)
            unknown.request(expecting: Foo.self).state.x = 11
            XCTAssertEqual(request.state.x, 11)
            XCTAssertEqual(unknown.request(of: Foo.self)?.state.x, 11)
            XCTAssertNil(unknown.request(of: Extra.self))
            XCTAssertEqual(try unknown.state.name, "Foo")
        }
    }
}
