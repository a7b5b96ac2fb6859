import Foundation
import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testFirstAwait() throws { try check("first-await") }

    func testBothWays() throws { try check("both-ways") }

    func testCancelTask() throws { try check("cancel-task") }

    func testTaskDeadline() throws { try check("task-deadline") }

    func testTaskGroup() throws { try check("task-group") }

    func testAsyncLines() throws { try check("async-lines") }

    func testWrongMain() throws { try check("wrong-main") }

    func testStarvingTask() throws { try check("starving-task") }

    func testAsyncEcho() throws { try check("async-echo", ["--demo"]) }

    private func check(_ example: String, _ arguments: [String] = []) throws {
        try assertExample(example, chapterFolder: "7-AsyncAwait", arguments: arguments)
        try assertRefuses(["--backend", "kqueue"], by: example, saying: "Error: there is no backend 'kqueue'")
        try assertCanBeRecorded(example, arguments)
    }

    /// Checks that a recording changes nothing about what the program prints.
    private func assertCanBeRecorded(_ example: String, _ arguments: [String]) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(example)-\(UUID().uuidString).html")
        defer { try? FileManager.default.removeItem(at: file) }
        let result = try runProgram(example, arguments: arguments + ["--record", file.path()])
        XCTAssertEqual(result.stdout, try expectedOutput(chapterFolder: "7-AsyncAwait", example: example))
        XCTAssertEqual(result.exitCode, 0)
        XCTAssert(try String(contentsOf: file, encoding: .utf8).hasPrefix("<!DOCTYPE html>"))
    }

    // MARK: The wrong one

    func testRunOnTheMainActorEndsTheProgramAsTheChapterSays() throws {
        for backend in ["epoll", "poll"] {
            let result = try runProgram("wrong-main", arguments: ["--wrong", "--backend", backend])
            XCTAssertEqual(result.stdout, "")
            XCTAssertEqual(result.exitCode, 1)
            XCTAssertEqual(result.stderr.filter { $0 == "\n" }.count, 1, result.stderr)
            let message = try XCTUnwrap(result.stderr.dropLast().components(separatedBy: "Error: ").last)
            XCTAssert(message.contains("'nonisolated static func main()'"), message)
            let page = projectFolder.appending(path: "Tutorial/7-async-await.md")
            let words = try String(contentsOf: page, encoding: .utf8).split(whereSeparator: \.isWhitespace)
            XCTAssert(words.joined(separator: " ").contains(message), "the chapter quotes another message: \(message)")
        }
    }
}
