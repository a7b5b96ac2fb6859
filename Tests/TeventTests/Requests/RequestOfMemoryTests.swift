import Talloc
import TestSupport
import Tevent
import XCTest

/// Finding requests in a tree of memory.
final class RequestOfMemoryTests: EngineTestCase {
    private struct Foo {}

    func testAPieceOfMemoryThatIsARequestCanBeUsedAsOne() throws {
        let root = try TallocContext(named: "root")
        defer { root.free() }
        let request = try Request(Foo(), under: root)
        let found = try XCTUnwrap(AnyRequest(root.children[0]))
        XCTAssertEqual(found, AnyRequest(request))
        XCTAssertEqual(found.status, .inProgress)
    }

    func testOtherMemoryIsNoRequest() throws {
        try onBothBackends { events, _ in
            let request = try Request(Foo(), under: events)
            let timer = try events.addTimer(after: .zero) { _, _ in }
            for memory in [events.tallocContext, timer.tallocContext, try request.stateChunk.tallocContext] {
                // Not XCTAssertNil, which would describe an object that is not a request.
                XCTAssertTrue(AnyRequest(memory) == nil)
            }
        }
    }

    func testAskingFreedMemoryIsATrap() throws {
        let result = try runInChild(self) {
            let root = try TallocContext()
            let memory = try Request(Foo(), under: root).tallocContext
            root.free()
            _ = AnyRequest(memory)
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(result.stderr.contains("TallocContext.init(_:) was called on a freed TallocContext"), result.stderr)
    }
}
