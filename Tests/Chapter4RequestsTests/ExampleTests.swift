import Foundation
import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testAddLater() throws { try check("add-later") }

    func testFinishOrFail() throws { try check("finish-or-fail", needsLoop: false) }

    func testOutOfMemory() throws { try check("out-of-memory") }

    func testEndTime() throws { try check("end-time") }

    func testEndsEarly() throws { try check("ends-early") }

    func testCascade() throws { try check("cascade") }

    func testDeepCascade() throws {
        // It nests more deeply than the thread sanitizer can follow; the next test covers that.
        if levels(10_000) == 10_000 { try check("deep-cascade", needsLoop: false) }
    }

    func testWakeup() throws { try check("wakeup") }

    func testCancelCleanup() throws { try check("cancel-cleanup") }

    func testProgress() throws { try check("progress") }

    func testDeferCallback() throws { try check("defer-callback") }

    func testProfile() throws { try check("profile") }

    func testFinishTwice() throws { try check("finish-twice", needsLoop: false) }

    func testWrongParent() throws { try check("wrong-parent") }

    func testNotReady() throws { try check("not-ready") }

    func testForgottenFinish() throws { try check("forgotten-finish") }

    private func check(_ example: String, needsLoop: Bool = true) throws {
        try assertExample(example, chapterFolder: "4-Requests", backends: needsLoop ? ["epoll", "poll"] : [])
        guard needsLoop else { return }
        try assertRefuses(["--backend", "kqueue"], by: example, saying: "Error: there is no backend 'kqueue'")
    }

    func testWrongNumbersAreUsageErrorsThatSayWhatIsRight() throws {
        for (example, arguments, message) in [
            ("deep-cascade", ["--depth", "0"], "--depth must be at least 1, not 0."),
            ("progress", ["--last", "0"], "--last must be from 1 to 1000, not 0."),
            ("add-later", ["one", "2"], "The value 'one' is invalid for '<left>'"),
        ] {
            try assertRefuses(arguments, by: example, saying: "Error: \(message)")
        }
    }

    func testAddLaterTakesItsNumbersAndSaysWhenTheSumIsTooLarge() throws {
        let sum = try runProgram("add-later", arguments: ["1", "2"])
        XCTAssert(sum.stdout.contains("receive   3\n"), sum.stdout)
        let tooLarge = try runProgram("add-later", arguments: ["\(Int.max)", "1"])
        XCTAssert(tooLarge.stdout.contains("receive   tooLarge\n"), tooLarge.stdout)
        XCTAssertEqual(tooLarge.exitCode, 0)
    }

    func testCascadesOfAnyDepthEnd() throws {
        for depth in [1, 64, levels(100_000)] {
            let result = try runProgram("deep-cascade", arguments: ["--depth", "\(depth)"])
            XCTAssertEqual(
                result.stdout,
                """
                \(depth) of \(depth) requests have ended, 0 are left.
                At most \(depth) callbacks were inside each other.

                """)
        }
    }

    func testAWakeupSetsTheCascadeOffAsTheChapterSays() throws {
        let line = "wakeup   test     test send  the loop   wrapper"
        for backend in ["epoll", "poll"] {
            let run = try runProgram("cascade", arguments: ["--wakeup", "--backend", backend])
            let lines = run.stdout.split(separator: "\n").map(String.init)
            XCTAssert(lines.contains(line), run.stdout)
            let functions = lines.dropFirst().prefix(9).map { $0.prefix(9).trimmingCharacters(in: .whitespaces) }
            XCTAssertEqual(
                functions,
                [
                    "run", "foo send", "bar send", "test send", "wrapper", "test done", "bar done", "foo done",
                    "run done",
                ])
            XCTAssertEqual(lines.last, "The result: test, bar, foo")
        }
        let page = try String(contentsOf: projectFolder.appending(path: "Tutorial/4-requests.md"), encoding: .utf8)
        XCTAssert(page.contains(line), "the chapter quotes another line")
    }

    func testThePictureOfTheCascadeIsWhatTheProgramDraws() throws {
        let drawn = try runProgram("cascade", arguments: ["--svg"])
        let picture = projectFolder.appending(path: "Tutorial/pictures/cascade.svg")
        XCTAssertEqual(drawn.stdout, try String(contentsOf: picture, encoding: .utf8))
    }

    // MARK: The wrong ones

    func testAForgottenPostEndsTheProgramAsTheChapterSays() throws {
        _ = try assertTrap("ends-early", saying: "call post(on:) where a request ends while it is made")
    }

    func testEndingARequestTwiceEndsTheProgramAsTheChapterSays() throws {
        let output = try assertTrap("finish-twice", saying: "A 'return' after the first end may be missing")
        XCTAssert(output.hasSuffix("receive throws: tooLittleMoney\n"), "the first end counts: \(output)")
    }

    func testASubrequestThatOutlivesItsRequestEndsTheProgramAsTheChapterSays() throws {
        let output = try assertTrap(
            "wrong-parent", saying: "Request<Call>.finish() was called on a freed Request<Call>")
        XCTAssert(output.hasSuffix("The client goes away, and its request with it.\n"), output)
    }

    /// Runs a program with `--wrong`, and checks that it traps with exactly the message that the chapter quotes.
    private func assertTrap(_ example: String, saying part: String) throws -> String {
        let result = try runProgram(example, arguments: ["--wrong"])
        XCTAssertEqual(result.exitCode, 1)
        XCTAssertEqual(result.stderr.filter { $0 == "\n" }.count, 1, result.stderr)
        let message = try XCTUnwrap(result.stderr.dropLast().components(separatedBy: "Error: ").last)
        XCTAssert(message.contains(part), message)
        let chapter = try String(contentsOf: projectFolder.appending(path: "Tutorial/4-requests.md"), encoding: .utf8)
        let words = chapter.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        XCTAssert(words.contains(message), "the chapter quotes another message than: \(message)")
        return result.stdout
    }
}
