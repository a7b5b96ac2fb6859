import Foundation
import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testRequestData() throws { try check("request-data") }

    private func check(_ example: String) throws {
        try assertExample(example, chapterFolder: "3-AccessingData", backends: [])
    }
}
