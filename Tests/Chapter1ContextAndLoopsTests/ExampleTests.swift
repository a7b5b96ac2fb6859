import Foundation
import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testTallocTree() throws { try check("talloc-tree", backends: []) }

    func testFirstLoop() throws { try check("first-loop", backends: []) }

    func testCreateContext() throws { try check("create-context") }

    func testOnceOrWait() throws { try check("once-or-wait") }

    func testTurnOrder() throws { try check("turn-order") }

    func testTwoContexts() throws { try check("two-contexts") }

    func testNestedLoop() throws { try check("nested-loop") }

    /// Runs a program without arguments, with each backend, for its help, and with an argument that it does not know.
    private func check(_ example: String, backends: [String] = ["epoll", "poll"]) throws {
        let expected = try expectedOutput(chapterFolder: "1-ContextAndLoops", example: example)
        XCTAssertFalse(expected.isEmpty)
        for arguments in [[]] + backends.map({ ["--backend", $0] }) {
            let result = try runProgram(example, arguments: arguments)
            XCTAssertEqual(result.stdout, expected, "\(arguments)")
            XCTAssertEqual(result.stderr, "")
            XCTAssertEqual(result.exitCode, 0)
        }

        let help = try runProgram(example, arguments: ["--help"])
        XCTAssert(help.stdout.hasPrefix("OVERVIEW: "), help.stdout)
        XCTAssert(help.stdout.contains("USAGE: \(example)"), help.stdout)
        XCTAssertEqual(help.exitCode, 0)

        let wrong = try runProgram(example, arguments: ["--colour"])
        XCTAssert(wrong.stderr.hasPrefix("Error: Unknown option '--colour'"), wrong.stderr)
        XCTAssertEqual(wrong.stdout, "")
        XCTAssertEqual(wrong.exitCode, 64)
    }

    func testAnUnknownBackendIsAnErrorOfUseThatListsThoseThereAre() throws {
        for example in ["create-context", "once-or-wait", "turn-order", "two-contexts", "nested-loop"] {
            let result = try runProgram(example, arguments: ["--backend", "kqueue"])
            let message = try XCTUnwrap(result.stderr.split(separator: "\n").first.map(String.init))
            XCTAssertEqual(message, "Error: there is no backend 'kqueue'; choose one of: epoll, poll")
            XCTAssertEqual(result.exitCode, 64)
            try assertPageShows(message)
        }
    }

    func testThePictureInTheTutorialIsWhatCreateContextDraws() throws {
        let result = try runProgram("create-context", arguments: ["--svg"])
        let picture = try String(
            contentsOf: projectFolder.appending(path: "Tutorial/pictures/context.svg"), encoding: .utf8)
        XCTAssertEqual(
            result.stdout, picture, "To draw it anew: swift run create-context --svg > Tutorial/pictures/context.svg")
    }
}
