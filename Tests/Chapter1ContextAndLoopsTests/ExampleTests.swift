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

    func testRecordARun() throws {
        try check("record-a-run")
        let file = FileManager.default.temporaryDirectory.appending(path: "record-a-run-\(getpid()).html")
        defer { try? FileManager.default.removeItem(at: file) }
        XCTAssertEqual(try runProgram("record-a-run", arguments: [file.path]).exitCode, 0)
        XCTAssert(try String(contentsOf: file, encoding: .utf8).hasPrefix("<!DOCTYPE html>"))
    }

    private func check(_ example: String, backends: [String] = ["epoll", "poll"]) throws {
        try assertExample(example, chapterFolder: "1-ContextAndLoops", backends: backends)
    }

    func testAnUnknownBackendIsAUsageErrorThatListsTheKnownOnes() throws {
        for example in ["create-context", "once-or-wait", "turn-order", "two-contexts", "nested-loop"] {
            let result = try runProgram(example, arguments: ["--backend", "kqueue"])
            let lines = result.stderr.split(separator: "\n").map(String.init)
            XCTAssertEqual(lines.first, "Error: there is no backend 'kqueue'; choose one of: epoll, poll")
            XCTAssertEqual(result.exitCode, 64)
            if example == "turn-order" { try assertPageShows(lines.joined(separator: "\n")) }
        }
    }

    func testThePictureInTheTutorialIsWhatCreateContextDraws() throws {
        let result = try runProgram("create-context", arguments: ["--svg"])
        let picture = try String(
            contentsOf: projectFolder.appending(path: "Tutorial/pictures/context.svg"), encoding: .utf8)
        XCTAssertEqual(
            result.stdout, picture, "To draw it again: swift run create-context --svg > Tutorial/pictures/context.svg")
    }
}
