import Talloc
import XCTest

@testable import Tevent

/// What a request's record owns, which is released only if there is any of it: nothing may be overlooked there.
final class RequestRecordTests: EngineTestCase {
    func testARecordOwnsNothingOutsideItsBelongings() throws {
        try withTallocContext { root in
            let record = try Request(Work(), under: root).record().pointee
            for (label, value) in Mirror(reflecting: record).children where label != "owned" {
                XCTAssertTrue(isPlainBytes(value), "\(label ?? "") owns something")
            }
        }
    }

    func testAnyBelongingKeepsARecordFromBeingEmpty() throws {
        XCTAssertTrue(RequestBelongings().isEmpty)
        for label in Mirror(reflecting: RequestBelongings()).children.map(\.label) {
            var owned = RequestBelongings()
            switch label {
            case "callback": owned.callback = RequestCallback { _ in }
            case "failure": owned.failure = .error(Oops())
            case "extras": owned.extras = RequestExtras()
            default: XCTFail("isEmpty must ask for \(label ?? "it"), too, and so must this test")
            }
            XCTAssertFalse(owned.isEmpty, label ?? "")
        }
    }

    private func isPlainBytes(_ value: some Any) -> Bool { _isPOD(type(of: value)) }
}
