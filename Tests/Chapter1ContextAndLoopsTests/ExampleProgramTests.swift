import Foundation
import TestSupport
import XCTest

/// What the programs of all chapters do when their standard streams are closed or fail.
final class ExampleProgramTests: XCTestCase {
    private let lines = "The kettle is on.\nThe kettle boils.\nThere is nothing left to wait for.\n"

    func testOutputThatCannotBeWrittenIsOneLineOnStandardErrorAndExitCode1() throws {
        for (redirected, reason) in [
            (">/dev/full", "No space left on device"), (">&-", "Bad file descriptor"),
            (">&- <&-", "Bad file descriptor"),
        ] {
            let result = try runProgram("first-loop", redirected: redirected)
            XCTAssertEqual(result.stderr, "first-loop: standard output: \(reason)\n", redirected)
            XCTAssertEqual(result.exitCode, 1, redirected)
        }
        try assertPageShows("first-loop: standard output: No space left on device")
    }

    func testWithoutStandardErrorTheExitCodeIsTheSame() throws {
        for redirected in [">/dev/full 2>&1", ">/dev/full 2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
            let result = try runProgram("first-loop", redirected: redirected)
            XCTAssertEqual(result.exitCode, 1, redirected)
            XCTAssertEqual(result.stdout + result.stderr, "", redirected)
        }
    }

    func testAProgramThatPrintsNothingNeedsNoOutput() throws {
        for redirected in [">/dev/full", ">&-"] {
            let result = try runProgram("turn-order", arguments: ["--backend", "kqueue"], redirected: redirected)
            XCTAssert(result.stderr.hasPrefix("Error: there is no backend 'kqueue'"), result.stderr)
            XCTAssertFalse(result.stderr.contains("standard output"), result.stderr)
            XCTAssertEqual(result.exitCode, 64)
        }
    }

    func testInputAndStandardErrorMayBeClosed() throws {
        for redirected in ["<&-", "2>&-", "<&- 2>&-"] {
            let result = try runProgram("first-loop", redirected: redirected)
            XCTAssertEqual(result.stdout, lines, redirected)
            XCTAssertEqual(result.exitCode, 0, redirected)
        }
    }

    func testOutputThatIsNotReadEndsTheProgramQuietlyAlsoWhereTheSignalWasIgnored() throws {
        let path = programsFolder.appending(path: "first-loop").path()
        for before in ["", "trap '' PIPE;"] {
            // The program starts only after the reader of its output has ended.
            let program = try startProgram("/bin/sh", arguments: ["-c", "\(before) read line; exec \"$0\"", path])
            program.closeOutput()
            program.send("begin\n")
            let result = try program.wait()
            XCTAssertEqual(result.signal, SIGPIPE, before)
            XCTAssertEqual(result.stderr, "", before)
        }
    }
}
