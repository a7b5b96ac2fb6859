import Talloc
import TestSupport
import Tevent
import XCTest

/// The data that is passed with a request's callback.
final class CallbackDataTests: EngineTestCase {
    private struct Foo {}

    func testACallbackSetWithoutDataTakesTheDataOfTheOneBeforeAway() throws {
        let root = try TallocContext()
        defer { root.free() }
        let request = try Request(Foo(), under: root)
        let (first, second) = (try TallocChunk(1, under: root), try TallocChunk(2, under: root))
        request.setCallback(data: first) { _ in }
        XCTAssertEqual(request.callbackData(of: Int.self), first)
        request.setCallback(data: second) { _ in }
        XCTAssertEqual(request.callbackData(of: Int.self), second)
        request.setCallback { _ in }
        XCTAssertNil(request.callbackData)
    }

    func testTheDataIsThereWhenLettingTheOldCallbackGoEndsTheRequest() throws {
        let root = try TallocContext()
        defer { root.free() }
        let request = try Request(Foo(), under: root)
        let data = try TallocChunk(1, under: root)
        var old: Token? = Token()
        old?.onEnd = { request.finish() }
        request.setCallback { [old] _ in _ = old }
        old = nil
        var found: Int?
        request.setCallback(data: data) { request in found = request.callbackData(of: Int.self).value }
        XCTAssertEqual(found, 1)
    }

    func testDataThatHasBeenFreedIsRefused() throws {
        let result = try runInChild(self) {
            let request = try Request(Foo(), under: TallocContext())
            let data = try TallocChunk(1)
            data.free()
            request.setCallback(data: data) { _ in }
        }
        XCTAssertNotNil(result.signal)
        let message = "TallocChunk<Int>.setCallback(data:_:) was called on a freed TallocChunk<Int>"
        XCTAssert(result.stderr.contains(message), result.stderr)
    }
}
