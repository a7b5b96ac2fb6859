import Foundation
import TestSupport
import XCTest

/// The chapter's programs, run as a reader runs them.
final class ExampleTests: XCTestCase {
    func testTimerOrder() throws { try check("timer-order") }

    func testTicker() throws { try check("ticker", ["--interval", "0.1", "--duration", "0.5"]) }

    func testImmediates() throws { try check("immediates") }

    func testCatchInterrupt() throws { try check("catch-interrupt", ["--send", "3"]) }

    func testWatchDescriptor() throws { try check("watch-descriptor") }

    func testReadLines() throws { try check("read-lines", ["--limit", "20"]) }

    func testWriteWhenReady() throws { try check("write-when-ready") }

    func testFreeInHandler() throws { try check("free-in-handler") }

    func testCloseOrder() throws { try check("close-order") }

    func testGiveWay() throws { try check("give-way") }

    private func check(_ example: String, _ arguments: [String] = []) throws {
        try assertExample(example, chapterFolder: "2-Events", arguments: arguments)
        try assertRefuses(["--backend", "kqueue"], by: example, saying: "Error: there is no backend 'kqueue'")
    }

    func testWrongNumbersAreUsageErrorsThatSayWhatIsRight() throws {
        for (example, arguments, message) in [
            ("ticker", ["--interval", "-1"], "--interval must be more than 0 s, not -1 s."),
            ("ticker", ["--interval", "0"], "--interval must be more than 0 s, not 0 s."),
            (
                "ticker", ["--interval", "3", "--duration", "2"],
                "--duration must be at least one interval, 3 s, not 2 s."
            ),
            ("ticker", ["--interval", "soon"], "The value 'soon' is invalid for '--interval <interval>'"),
            ("catch-interrupt", ["--last", "0"], "--last must be at least 1, not 0."),
            ("catch-interrupt", ["--send", "-2"], "--send cannot be negative, as -2 is."),
            ("read-lines", ["--limit", "0"], "--limit must be at least 1 byte, not 0."),
            ("write-when-ready", ["--size", "0"], "--size must be from 1 to 100000 kilobytes, not 0."),
        ] {
            try assertRefuses(arguments, by: example, saying: "Error: \(message)")
        }
    }

    func testReadLinesReadsRealStandardInput() throws {
        for (input, output) in [
            ("one\ntwo\n", "  line \"one\"\n  line \"two\"\n  end\n"),
            ("no break", "  line \"no break\"\n  end\n"),
            ("", "  end\n"),
        ] {
            for backend in ["epoll", "poll"] {
                let result = try runProgram("read-lines", arguments: ["--stdin", "--backend", backend], input: input)
                XCTAssertEqual(result.stdout, output)
                XCTAssertEqual(result.stderr, "")
                XCTAssertEqual(result.exitCode, 0)
            }
        }
    }

    func testReadLinesShowsEachLineAsItComes() throws {
        let program = try startProgram("read-lines", arguments: ["--stdin"])
        program.send("one\ntw")
        XCTAssertEqual(program.readLine(), "  line \"one\"")
        program.send("o\n")
        XCTAssertEqual(program.readLine(), "  line \"two\"")
        program.closeInput()
        XCTAssertEqual(program.readLine(), "  end")
        XCTAssertEqual(try program.wait().exitCode, 0)
    }

    func testAProgramThatShowsEachLineAtOnceEndsWhenItsReaderHasExited() throws {
        for before in ["", "trap '' PIPE;"] {
            let path = programsFolder.appending(path: "ticker").path()
            let program = try startProgram(
                "/bin/sh",
                arguments: ["-c", "\(before) exec \"$0\" \"$@\"", path, "--interval", "0.001", "--duration", "1000"])
            XCTAssertNotNil(program.readLine())
            program.closeOutput()
            let result = try program.wait()
            XCTAssertEqual(result.signal, SIGPIPE, before)
            XCTAssertEqual(result.stderr, "", before)
        }
    }

    func testAProgramThatShowsEachLineAtOnceNamesAFullDisk() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "full-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // A disk of one page, which disappears with the process that has mounted it.
        let script = """
            mount -t tmpfs -o size=4k none "$1" && head -c 4096 /dev/zero >"$1/all" || exit 99
            exec "$0" --interval 0.001 --duration 0.005 >"$1/log"
            """
        let path = programsFolder.appending(path: "ticker").path()
        let result = try runProgram(
            "/usr/bin/unshare", arguments: ["-rm", "/bin/sh", "-c", script, path, folder.path()])
        try XCTSkipIf(
            result.exitCode == 99 || result.stderr.contains("unshare"), "no disk can be mounted here: \(result.stderr)")
        XCTAssertEqual(result.stderr, "ticker: standard output: No space left on device\n")
        XCTAssertEqual(result.exitCode, 1)
    }

    func testReadLinesReadsARegularFile() throws {
        for backend in ["epoll", "poll"] {
            let result = try shell("read-lines --stdin --backend \(backend) <Package.swift")
            XCTAssert(result.stdout.hasPrefix("  line \"// swift-tools-version: "), result.stdout)
            XCTAssert(result.stdout.hasSuffix("  line \")\"\n  end\n"), result.stdout)
            XCTAssertEqual(result.exitCode, 0)
        }
    }

    func testReadLinesWithClosedOrUnreadableInputFailsAndSaysWhy() throws {
        for backend in ["epoll", "poll"] {
            let closed = try shell("read-lines --stdin --backend \(backend) <&-")
            XCTAssert(closed.stderr.hasPrefix("Error: "), closed.stderr)
            XCTAssertEqual(closed.exitCode, 1)
            let folder = try shell("read-lines --stdin --backend \(backend) <Chapters")
            XCTAssertEqual(folder.stderr, "Error: read failed: Is a directory\n")
            XCTAssertEqual(folder.exitCode, 1)
        }
    }

    /// Runs a program of the chapter with standard input set up by a shell.
    private func shell(_ command: String) throws -> ProgramResult {
        try runProgram(
            "/bin/sh", arguments: ["-c", "exec \(programsFolder.path())/\(command)"], directory: projectFolder.path())
    }

    func testCatchInterruptCatchesRealInterruptsAndEndsWithTheSecond() throws {
        for backend in ["epoll", "poll"] {
            let program = try startProgram("catch-interrupt", arguments: ["--backend", backend])
            XCTAssertEqual(program.readLine(), "Waiting for 2 interrupts; press Ctrl-C.")
            program.signal(SIGINT)
            XCTAssertEqual(program.readLine(), "handler called: SIGINT, 1 since the last call, 1 in all")
            program.signal(SIGINT)
            XCTAssertEqual(program.readLine(), "handler called: SIGINT, 1 since the last call, 2 in all")
            XCTAssertEqual(program.readLine(), "No event is left; Ctrl-C does again what it did before.")
            let result = try program.wait()
            XCTAssertEqual(result.exitCode, 0)
            XCTAssertEqual(result.stderr, "")
        }
    }

    func testCatchInterruptLeavesOtherSignalsAlone() throws {
        let program = try startProgram("catch-interrupt")
        XCTAssertNotNil(program.readLine())
        program.signal(SIGTERM)
        XCTAssertEqual(try program.wait().signal, SIGTERM)
    }

    func testUsingAFreedEventEndsTheProgramWithTheSentenceThatTheChapterQuotes() throws {
        let result = try runProgram("free-in-handler", arguments: ["--wrong"])
        XCTAssertEqual(result.exitCode, 1)
        let sentence =
            "FDEvent.flags was called on a freed FDEvent; "
            + "a handle does not keep its object alive, ask 'isFreed' first if you cannot know"
        XCTAssertEqual(result.stderr, "Error: \(sentence)\n")
        let chapter = try String(contentsOf: projectFolder.appending(path: "Tutorial/2-events.md"), encoding: .utf8)
        let words = chapter.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        XCTAssert(words.contains(sentence), "the chapter quotes another sentence")
    }
}
