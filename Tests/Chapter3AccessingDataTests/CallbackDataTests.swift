import Chapter3AccessingData
import Talloc
import Tevent
import XCTest

/// The data passed with a callback: the request hands it back, and owns none of it.
final class CallbackDataTests: XCTestCase {
    func testTheCallbackFindsTheDataTypedAndUntyped() throws {
        try onBench { bench in
            let extra = try TallocChunk(Extra(y: 9), under: bench.memory)
            let request = try bench.request()
            var found: [Int?] = []
            request.setCallback(data: extra) { request in
                found.append(request.state.x)
                found.append(request.callbackData(of: Extra.self).value.y)
                found.append(request.callbackData?.chunk(of: Extra.self)?.value.y)
            }
            request.finish()
            XCTAssertEqual(found, [10, 9, 9])
        }
    }

    func testWithoutDataThereIsNone() throws {
        try onBench { bench in
            let request = try bench.request()
            XCTAssertNil(request.callbackData)
            request.setCallback { _ in }
            XCTAssertNil(request.callbackData)
        }
    }

    func testTheDataIsFoundWithoutTheStatesType() throws {
        try onBench { bench in
            let extra = try TallocChunk(Extra(y: 9), under: bench.memory)
            let request = try bench.request()
            request.setCallback(data: extra) { _ in }
            XCTAssertEqual(AnyRequest(request).callbackData(of: Extra.self), extra)
            XCTAssertEqual(AnyRequest(request).callbackData, extra.tallocContext)
        }
    }

    func testWhatTheCallbackChangesTheOwnerSees() throws {
        try onBench { bench in
            let extra = try TallocChunk(Extra(y: 9), under: bench.memory)
            let request = try bench.request()
            request.setCallback(data: extra) { request in
                request.callbackData(of: Extra.self).value.y += request.state.x
            }
            request.finish()
            XCTAssertEqual(extra.value.y, 19)
        }
    }

    func testTheDataStaysTheCallersWhateverBecomesOfTheRequest() throws {
        for end in [
            { (request: Request<Foo>) in _ = request.free() }, { $0.finish() }, { $0.discard() },
            { $0.setCallback { _ in } },
        ] {
            try onBench { bench in
                let data = try TallocChunk(bench.witness(), under: bench.memory)
                let request = try bench.request()
                request.setCallback(data: data) { _ in }
                XCTAssertEqual(data.parent, bench.memory)
                end(request)
                XCTAssertFalse(data.isFreed)
                XCTAssertEqual(bench.gone, [])
            }
        }
    }

    func testTheDataIsStillHandedBackAfterTheResultWasReceived() throws {
        try onBench { bench in
            let extra = try TallocChunk(Extra(y: 9), under: bench.memory)
            let request = try bench.request()
            request.setCallback(data: extra) { request in
                let x = sure { try request.receive() }
                request.callbackData(of: Extra.self).value.y += x
            }
            request.finish()
            XCTAssertEqual(extra.value.y, 19)
        }
    }

    func testDataUnderTheRequestGoesWithItsResult() throws {
        try onBench { bench in
            let request = try bench.request()
            // snippet: under-request
            let extra = try TallocChunk(Extra(y: 9), under: request)
            request.setCallback(data: extra) { request in
                print("y is \(request.callbackData(of: Extra.self).value.y)")
            }
            // snippet-end: under-request
            request.finish()
            XCTAssertFalse(extra.isFreed)
            _ = try request.receive()
            XCTAssertTrue(extra.isFreed)
        }
    }

    func testAWrongTypeAskedGentlyIsNil() throws {
        try onBench { bench in
            let request = try bench.request()
            request.setCallback(data: try TallocChunk(9, under: bench.memory, named: "Extra")) { _ in }
            XCTAssertNil(request.callbackData?.chunk(of: Extra.self), "a name is not a type")
            XCTAssertNil(request.callbackData?.chunk(of: UInt.self), "nor is a size")
            XCTAssertEqual(request.callbackData?.chunk(of: Int.self)?.value, 9)
        }
    }

    func testTypesOfTheSameNameAreTwoTypes() throws {
        enum Elsewhere { struct Extra { var text = "" } }
        try onBench { bench in
            let request = try bench.request()
            request.setCallback(data: try TallocChunk(Elsewhere.Extra(), under: bench.memory)) { _ in }
            XCTAssertEqual(request.callbackData?.name, "Extra")
            XCTAssertNil(request.callbackData?.chunk(of: Extra.self))
        }
    }

    func testAnyObjectOfTheEngineCanBeTheData() throws {
        try onEachBackend { bench, events in
            let request = try bench.request()
            request.setCallback(data: events) { _ in }
            XCTAssertEqual(request.callbackData, events.tallocContext)
            XCTAssertNil(request.callbackData?.chunk(of: Extra.self))
        }
    }
}
