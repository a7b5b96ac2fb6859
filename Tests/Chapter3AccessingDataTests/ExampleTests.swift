import Foundation
import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testRequestData() throws { try check("request-data") }

    func testWrongType() throws { try check("wrong-type") }

    func testCapturedData() throws { try check("captured-data") }

    func testStateLives() throws { try check("state-lives") }

    private func check(_ example: String) throws {
        try assertExample(example, chapterFolder: "3-AccessingData", backends: [])
    }

    func testInsistingOnAWrongTypeEndsTheProgramWithTheSentenceThatThePageQuotes() throws {
        let result = try runProgram("wrong-type", arguments: ["--wrong"])
        XCTAssertEqual(result.stdout, "", "the price must not be printed")
        let message = "a chunk of 'Extra' was used as a chunk of 'Price'; look at the type it was made with"
        XCTAssertEqual(result.stderr, "Error: \(message)\n")
        XCTAssertEqual(result.exitCode, 1)
        try assertPageShows(message)
    }
}
