import Foundation
import TestSupport
import XCTest

/// The fuzzer finds faults, says how to reproduce them, and reports them with its exit code.
final class FuzzTests: XCTestCase {
    /// A finding, as the fuzzer describes it.
    private struct Finding {
        let seed: String
        let kept: String
        let steps: [Substring]
    }

    // MARK: What it finds

    func testCorrectProgramsYieldNoFinding() throws {
        // Programs of the class `depth` nest more deeply than the thread sanitizer can follow.
        let isLimited = levels(100_000) < 100_000
        let classes = isLimited ? ["events", "requests", "queues", "messages", "memory"] : []
        let result = try fuzz(arguments: ["--seeds", "1-32"] + classes.flatMap { ["--class", $0] })
        XCTAssertNotNil(
            result.stdout.firstMatch(of: /32 programs in .* s \(.* a minute\): 0 different findings, 0 more like them/),
            result.stdout)
        XCTAssertEqual(result.exitCode, 0)
    }

    func testATrapIsNoFindingWhereProgramsMisuseTheEngine() throws {
        let result = try fuzz("--seeds", "1-40", "--class", "traps")
        let match = try XCTUnwrap(result.stdout.firstMatch(of: /(\d+) right traps/), result.stdout)
        XCTAssertGreaterThan(try XCTUnwrap(Int(match.1)), 0)
        XCTAssertEqual(result.exitCode, 0, result.stdout)
    }

    func testALostEventIsFoundAndReducedToTheFewestSteps() throws {
        let finding = try findAndReduce("lost-timer", "complaint: the handler of #")
        XCTAssertLessThan(finding.steps.count, 12, "\(finding.steps)")
        XCTAssertTrue(finding.steps.contains { $0.contains("due in") }, "\(finding.steps)")
        try assertComesBack(finding, "lost-timer", "complaint: the handler of #")
    }

    func testATrapWithoutAMessageOfTheEngineIsFound() throws {
        let finding = try findAndReduce("trap", "trap without a message of the engine")
        try assertComesBack(finding, "trap", "trap without a message of the engine")
    }

    /// A sanitizer has its own message for it.
    func testACrashIsFound() throws {
        let finding = try findAndReduce("crash", "")
        try assertComesBack(finding, "crash", "")
    }

    func testAHangIsFound() throws {
        let result = try fuzz(
            "--seeds", "1-16", "--class", "events", "--fault", "hang", "--timeout", "2", "--findings", "1",
            "--no-shrink")
        XCTAssertTrue(result.stdout.contains("hang: it did not end in time"), result.stdout)
        XCTAssertFalse(result.stdout.contains("--keep"), result.stdout)
        XCTAssertEqual(result.exitCode, 1)
    }

    /// Makes the fuzzer find one of its own faults, and checks its report.
    private func findAndReduce(_ fault: String, _ words: String, line: UInt = #line) throws -> Finding {
        let result = try fuzz("--seeds", "1-60", "--class", "events", "--fault", fault, "--findings", "1")
        XCTAssertEqual(result.exitCode, 1, result.stdout, line: line)
        let report = try XCTUnwrap(
            result.stdout.firstMatch(
                of: /FAILED: class events, seed (\d+): (.*)\n.*\nWith these steps alone, --keep (\S+):\n((?: {4}.*\n)+)/
            ),
            result.stdout + result.stderr, line: line)
        XCTAssertTrue(words.isEmpty || report.2.contains(words), result.stdout, line: line)
        return Finding(
            seed: String(report.1), kept: String(report.3), steps: report.4.split(separator: "\n"))
    }

    /// Checks that a finding is reproduced with its seed and its steps, but not with one step less, nor without the
    /// fault.
    private func assertComesBack(_ finding: Finding, _ fault: String, _ words: String, line: UInt = #line) throws {
        let program = ["--class", "events", "--seed", finding.seed]
        let kept = program + ["--keep", finding.kept, "--no-shrink"]
        let again = try fuzz(arguments: kept + ["--fault", fault])
        XCTAssertTrue(words.isEmpty || again.stdout.contains(words), again.stdout, line: line)
        XCTAssertEqual(again.exitCode, 1, line: line)
        XCTAssertEqual(try fuzz(arguments: kept).exitCode, 0, line: line)
        let shown = try fuzz(arguments: program + ["--keep", finding.kept, "--show"])
        XCTAssertEqual(
            shown.stdout.split(separator: "\n").map { "    " + $0 }, finding.steps.map(String.init), line: line)
        for number in numbers(finding.kept) {
            let rest = numbers(finding.kept).filter { $0 != number }
            guard !rest.isEmpty else { continue }
            let less = try fuzz(
                arguments: program + [
                    "--keep", rest.map(String.init).joined(separator: ","), "--fault", fault, "--no-shrink",
                ])
            XCTAssertEqual(less.exitCode, 0, "without #\(number): \(less.stdout)", line: line)
        }
    }

    private func numbers(_ list: String) -> [Int] {
        list.split(separator: ",").flatMap { part in
            let ends = part.split(separator: "-").compactMap { Int($0) }
            return Array(ends[0]...ends[ends.count - 1])
        }
    }

    // MARK: Its options

    func testHelpAndListsShowEverything() throws {
        let help = try fuzz("--help")
        XCTAssertEqual(help.exitCode, 0)
        for option in ["--seeds", "--seed", "--class", "--seconds", "--keep", "--trace", "--fault"] {
            XCTAssertTrue(help.stdout.contains(option), option)
        }
        let list = try fuzz("--list")
        XCTAssertEqual(list.exitCode, 0)
        XCTAssertTrue(list.stdout.contains("memory: trees, values"), list.stdout)
    }

    func testAProgramIsTheSameEachTime() throws {
        let program = ["--class", "all", "--seed", "7", "--show"]
        let first = try fuzz(arguments: program).stdout
        XCTAssertTrue(first.hasPrefix("#1 e0 = an event context with epoll\n"), first)
        XCTAssertEqual(try fuzz(arguments: program).stdout, first)
        XCTAssertNotEqual(try fuzz("--class", "all", "--seed", "8", "--show").stdout, first)
    }

    func testATraceNamesEachStepAsItIsDone() throws {
        let result = try fuzz("--class", "memory", "--seed", "3", "--keep", "1-4", "--trace")
        let lines = result.stderr.split(separator: "\n")
        XCTAssertEqual(lines.map { $0.prefix { $0 != " " } }, ["#1", "#2", "#3", "#4"])
        XCTAssertEqual(result.exitCode, 0)
    }

    func testArgumentsThatMakeNoSenseAreRefused() throws {
        for (arguments, words) in [
            ("", "Say which programs to run"), ("--seeds x", "'x' is invalid"), ("--seeds 5-3", "'5-3' is invalid"),
            ("--seeds 1-2-3", "is invalid"), ("--seeds 1,,2-", "is invalid"), ("--seed=-1", "not negative"),
            ("--seed 1 --seeds 2", "only one of"), ("--seed 1 --seconds 2", "only one of"),
            ("--seeds 1 --class cake", "There is no class 'cake'; --list names them all."),
            ("--seeds 1 --keep 3", "Give the program with --seed."), ("--seeds 1 --jobs 0", "at least 1"),
            ("--seconds 0", "at least 1"), ("--seeds 1 --fault cake", "'cake' is invalid"),
        ] {
            let result = try fuzz(arguments: arguments.split(separator: " ").map(String.init))
            XCTAssertTrue(result.stderr.contains(words), "\(arguments): \(result.stderr)")
            XCTAssertEqual(result.exitCode, 64, arguments)
        }
    }

    func testItEndsWhenItIsAskedTo() throws {
        for signal in [SIGINT, SIGTERM] {
            let program = try startProgram("fuzz", arguments: ["--seconds", "50", "--class", "memory"])
            XCTAssertTrue(try XCTUnwrap(program.readLine()).hasPrefix("seeds from "))
            program.signal(signal)
            let result = try program.wait()
            XCTAssertTrue(result.stdout.contains(" 0 different findings"), result.stdout)
            XCTAssertEqual(result.exitCode, 130, result.stderr)
        }
    }

    private func fuzz(_ arguments: String...) throws -> ProgramResult { try fuzz(arguments: arguments) }

    private func fuzz(arguments: [String]) throws -> ProgramResult {
        try runProgram("fuzz", arguments: arguments, timeout: .seconds(240))
    }
}
