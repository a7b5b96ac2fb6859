import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testCreateContextPrintsWhatTheTutorialShows() throws {
        let result = try runProgram("create-context")
        XCTAssertEqual(result.stdout, try expectedOutput(chapterFolder: "1-ContextAndLoops", example: "create-context"))
        XCTAssertEqual(result.stderr, "")
        XCTAssertEqual(result.exitCode, 0)
    }
}
