import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testHelloTimerPrintsWhatTheTutorialShows() throws {
        let result = try runProgram("hello-timer", arguments: ["--interval", "0.01"])
        XCTAssertEqual(result.stdout, try expectedOutput(chapterFolder: "2-Events", example: "hello-timer"))
        XCTAssertEqual(result.stderr, "")
        XCTAssertEqual(result.exitCode, 0)
    }
}
