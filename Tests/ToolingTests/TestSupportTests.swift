import Foundation
import TestSupport
import XCTest

/// What the other suites rely on to run programs as a user would.
final class TestSupportTests: XCTestCase {
    func testMuchInputAndOutputAtOnceDoNotBlock() throws {
        let text = String(repeating: "0123456789abcdef\n", count: 200_000)
        let result = try runProgram("/bin/sh", arguments: ["-c", "tee /dev/stderr"], input: text)
        XCTAssertEqual(result.stdout.utf8.count, text.utf8.count)
        XCTAssertEqual(result.stderr.utf8.count, text.utf8.count)
        XCTAssertEqual(result.exitCode, 0)
    }

    func testInputThatIsNotReadIsDropped() throws {
        let text = String(repeating: "x", count: 1_000_000)
        XCTAssertEqual(try runProgram("/bin/true", input: text).exitCode, 0)
    }

    func testWithoutInputAProgramSeesTheEndAtOnce() throws {
        XCTAssertEqual(try runProgram("/bin/cat").stdout, "")
    }

    func testExitCodeAndSignalAreDistinguished() throws {
        let exited = try runProgram("/bin/sh", arguments: ["-c", "exit 9"])
        XCTAssertEqual(exited.exitCode, 9)
        XCTAssertNil(exited.signal)
        let killed = try runProgram("/bin/sh", arguments: ["-c", "kill -9 $$"])
        XCTAssertNil(killed.exitCode)
        XCTAssertEqual(killed.signal, 9)
    }

    func testTheEnvironmentIsInheritedAndCanBeChanged() throws {
        let script = "echo $MINE $SWIFT_BACKTRACE; test -n \"$PATH\""
        let result = try runProgram("/bin/sh", arguments: ["-c", script], environment: ["MINE": "yes"])
        XCTAssertEqual(result.stdout, "yes enable=no\n")
        XCTAssertEqual(result.exitCode, 0)
    }

    func testAProgramThatDoesNotEndIsKilled() throws {
        let script = "echo begun; sleep 1000"
        XCTAssertThrowsError(
            try runProgram("/bin/sh", arguments: ["-c", script], timeout: .milliseconds(200))
        ) { error in
            XCTAssertEqual((error as? ProgramTimeout)?.stdout, "begun\n")
        }
    }

    func testAProgramThatIsMissingIsAnError() {
        XCTAssertThrowsError(try runProgram("no-such-program")) { error in
            XCTAssertTrue("\(error)".contains("no-such-program: No such file or directory"), "\(error)")
        }
    }

    func testARunningProgramAnswersLineByLine() throws {
        let program = try startProgram("/bin/cat")
        program.send("one\ntwo\n")
        XCTAssertEqual(program.readLine(), "one")
        XCTAssertEqual(program.readLine(), "two")
        program.send("three")
        program.closeInput()
        XCTAssertEqual(program.readLine(), "three")
        XCTAssertNil(program.readLine())
        XCTAssertEqual(try program.wait().stdout, "one\ntwo\nthree")
    }

    func testARunningProgramGetsSignals() throws {
        let script = "trap 'echo caught; exit 5' INT; echo ready; read nothing"
        let program = try startProgram("/bin/sh", arguments: ["-c", script])
        XCTAssertEqual(program.readLine(), "ready")
        program.signal(SIGINT)
        XCTAssertEqual(program.readLine(), "caught")
        XCTAssertEqual(try program.wait().exitCode, 5)
    }

    func testAProgramCanBeRedirected() throws {
        let result = try runProgram("/bin/echo", arguments: ["a  b", "$HOME"], redirected: ">&2")
        XCTAssertEqual(result.stderr, "a  b $HOME\n")
        XCTAssertEqual(result.stdout, "")
    }

    func testOutputThatIsClosedIsABrokenPipe() throws {
        let program = try startProgram("/bin/cat")
        program.send("one\n")
        XCTAssertEqual(program.readLine(), "one")
        program.closeOutput()
        program.send("two\n")
        XCTAssertEqual(try program.wait().signal, SIGPIPE)
    }

    func testATrapInAChildIsSeenFromOutside() throws {
        let result = try runInChild(self) { fatalError("the rule that was broken") }
        XCTAssertTrue([SIGILL, SIGTRAP, SIGABRT].contains(try XCTUnwrap(result.signal)), "\(result)")
        XCTAssertTrue(result.stderr.contains("the rule that was broken"), result.stderr)
    }

    func testAChildThatDoesNotTrapExitsWithZero() throws {
        let result = try runInChild(self) { print("still here") }
        XCTAssertEqual(result.exitCode, 0)
        XCTAssertTrue(result.stdout.contains("still here"))
    }

    func testAnErrorThrownInAChildIsDistinguished() throws {
        let result = try runInChild(self) { throw POSIXError(.ENOMEM) }
        XCTAssertEqual(result.exitCode, 1)
    }
}
