import Foundation
import TestSupport
import XCTest

/// The tour leads through a project in order, compares the output, and reports what is not as expected.
final class TourTests: XCTestCase {
    private var fixture: Fixture!

    override func setUpWithError() throws { fixture = try Fixture() }

    override func tearDown() { fixture = nil }

    // MARK: What it shows

    func testTheBareTourRunsEveryExampleInOrder() throws {
        let result = try fixture.show()
        XCTAssertEqual(result.exitCode, 0)
        let first = try XCTUnwrap(result.stdout.range(of: "    it boils\n"))
        let second = try XCTUnwrap(result.stdout.range(of: "    stir 3\n    of flour\n"))
        XCTAssertLessThan(first.upperBound, second.lowerBound)
    }

    func testAHeadingNamesChapterFileAndCommand() throws {
        let lines = try fixture.show().stdout.split(separator: "\n")
        XCTAssertTrue(lines.contains("── Chapter 1, Tea: boil-water (1 of 2)"))
        XCTAssertTrue(lines.contains("   file   Chapters/1-Tea/boil-water/BoilWater.swift"))
        XCTAssertTrue(lines.contains("   alone  swift run boil-water"))
        XCTAssertTrue(lines.contains("   alone  printf flour | swift run mix-dough --times 3"))
    }

    func testTheSummaryCountsExamples() throws {
        let last = try XCTUnwrap(fixture.show().stdout.split(separator: "\n").last)
        XCTAssertNotNil(last.wholeMatch(of: /2 examples run, 2 as expected, \d+\.\d\d s/), String(last))
    }

    func testATourThatCannotBeWrittenFailsAndSaysSo() throws {
        for (redirected, reason) in [(">/dev/full", "No space left on device"), ("<&- >&-", "Bad file descriptor")] {
            let result = try runProgram(
                "tour", arguments: ["--programs", "programs"], directory: fixture.root.path(), redirected: redirected)
            XCTAssertEqual(result.stderr, "tour: standard output: \(reason)\n")
            XCTAssertEqual(result.exitCode, 1)
        }
    }

    func testThePipedTourIsPlain() throws {
        XCTAssertFalse(try fixture.show().stdout.contains("\u{1B}"))
    }

    func testRunShowsOnlyTheNamedExamplesInTheGivenOrder() throws {
        let result = try fixture.show("run", "mix-dough", "boil-water")
        XCTAssertTrue(result.stdout.contains("mix-dough (1 of 2)"))
        XCTAssertTrue(result.stdout.contains("boil-water (2 of 2)"))
    }

    func testChapterShowsOnlyItsExamples() throws {
        for name in ["2", "cake", "2-Cake"] {
            let result = try fixture.show("chapter", name)
            XCTAssertTrue(result.stdout.contains("mix-dough (1 of 1)"), result.stderr)
            XCTAssertEqual(result.exitCode, 0)
        }
    }

    func testListNamesEveryChapterAndExample() throws {
        XCTAssertEqual(
            try fixture.tour("list").stdout,
            """
            1 Tea  (Tutorial/1-tea.md, about 5 minutes)
                boil-water  Water that boils
            2 Cake  (Tutorial/2-cake.md, about 9 minutes)
                mix-dough   Dough

            """)
    }

    func testTheProjectIsFoundFromAnyFolderBelowItsRoot() throws {
        XCTAssertEqual(try fixture.tour("list", below: "Chapters/1-Tea").exitCode, 0)
    }

    // MARK: What it finds wrong

    func testOutputThatDiffersFailsAndIsShown() throws {
        try fixture.program("boil-water", "echo it freezes")
        let result = try fixture.show()
        XCTAssertEqual(result.exitCode, 1)
        XCTAssertTrue(result.stdout.contains("      - it boils\n      + it freezes\n"), result.stdout)
        XCTAssertTrue(result.stdout.contains("2 examples run, 1 as expected"))
        XCTAssertTrue(result.stdout.contains("Not as expected: boil-water\n"))
        XCTAssertTrue(result.stdout.contains("swift run tour record boil-water\n"))
    }

    func testAMissingNewlineAtTheEndDiffers() throws {
        try fixture.program("boil-water", "printf 'it boils'")
        let result = try fixture.show("run", "boil-water")
        XCTAssertEqual(result.exitCode, 1)
        XCTAssertTrue(result.stdout.contains("+ it boils (no newline at the end)"), result.stdout)
    }

    func testAnExitCodeOtherThanZeroFails() throws {
        try fixture.program("boil-water", "echo it boils; echo spilt >&2; exit 3")
        let result = try fixture.show()
        XCTAssertEqual(result.exitCode, 1)
        XCTAssertTrue(result.stdout.contains("✗ it ended with exit code 3"), result.stdout)
        XCTAssertTrue(result.stdout.contains("spilt"), "standard error is shown")
    }

    func testAnEndBySignalFails() throws {
        try fixture.program("boil-water", "echo it boils; kill -SEGV $$")
        let result = try fixture.show()
        XCTAssertEqual(result.exitCode, 1)
        XCTAssertTrue(result.stdout.contains("✗ it was ended by signal 11"), result.stdout)
    }

    func testAnExampleThatHangsIsKilledWithAllItStarted() throws {
        try fixture.program("boil-water", "sleep 1000 & echo $!; wait")
        let result = try fixture.show("run", "boil-water", "--timeout", "0.1")
        XCTAssertEqual(result.exitCode, 1)
        XCTAssertTrue(result.stdout.contains("✗ killed: it did not end within 0.1 s"), result.stdout)
        assertGone(try processID(in: result.stdout))
    }

    func testAProgramThatIsNotBuiltFails() throws {
        try fixture.remove("programs/boil-water")
        let result = try fixture.show()
        XCTAssertEqual(result.exitCode, 1)
        XCTAssertTrue(result.stdout.contains("✗ there is no program 'boil-water'"), result.stdout)
    }

    func testAnUnknownExampleSuggestsTheNearest() throws {
        let result = try fixture.show("run", "boil-watter")
        XCTAssertEqual(result.exitCode, 64)
        XCTAssertTrue(result.stderr.contains("no example 'boil-watter'. Did you mean 'boil-water'?"), result.stderr)
        XCTAssertEqual(result.stdout, "")
    }

    func testANameLikeNoneGetsNoSuggestion() throws {
        let result = try fixture.show("run", "foo")
        XCTAssertEqual(result.exitCode, 64)
        XCTAssertTrue(result.stderr.contains("no example 'foo'. `tour list` shows all."), result.stderr)
    }

    func testOptionsMayStandBeforeTheCommand() throws {
        let after = try fixture.tour("chapter", "2", "--programs", "programs", "--timeout", "20")
        let before = try fixture.tour("--programs", "programs", "--timeout=20", "chapter", "2")
        XCTAssertEqual(before.exitCode, 0, before.stderr)
        XCTAssertTrue(before.stdout.contains("mix-dough (1 of 1)"), before.stdout)
        let untimed = [before, after].map { $0.stdout.replacing(/\d+\.\d\d s/, with: "") }
        XCTAssertEqual(untimed[0], untimed[1])
    }

    func testAnUnknownChapterSuggestsTheNearest() throws {
        for (name, suggestion) in [("kake", "Cake"), ("9", "2"), ("0", "1")] {
            let result = try fixture.show("chapter", name)
            XCTAssertEqual(result.exitCode, 64)
            XCTAssertTrue(result.stderr.contains("no chapter '\(name)'. Did you mean '\(suggestion)'?"), result.stderr)
        }
    }

    func testOutsideAProjectItSaysSo() throws {
        try fixture.remove("Tutorial/tour.json")
        let result = try fixture.tour("list")
        XCTAssertEqual(result.exitCode, 1)
        XCTAssertTrue(result.stderr.contains("Not inside the project"), result.stderr)
    }

    func testAManifestThatCannotBeReadNamesThePlace() throws {
        try fixture.replace("Tutorial/tour.json", "\"minutes\": 9", "\"minutes\": \"nine\"")
        let result = try fixture.tour("list")
        XCTAssertEqual(result.exitCode, 1)
        XCTAssertTrue(result.stderr.contains("chapters[1].minutes"), result.stderr)
    }

    // MARK: Ctrl-C

    func testCtrlCEndsTheTourAndTheExampleItRuns() throws {
        try fixture.program("boil-water", "echo $$; exec sleep 1000")
        let tour = try startProgram(
            "tour", arguments: ["run", "boil-water", "--programs", "programs"], directory: fixture.root.path())
        var line = tour.readLine()
        while let text = line, Int32(text.trimmingPrefix("    ")) == nil { line = tour.readLine() }
        let example = try XCTUnwrap(line.flatMap { Int32($0.trimmingPrefix("    ")) })
        tour.signal(SIGINT)
        XCTAssertEqual(try tour.wait().signal, SIGINT)
        assertGone(example)
    }

    // MARK: Recording

    func testRecordMakesThePresentOutputTheExpectedOne() throws {
        try fixture.program("boil-water", "echo it sings")
        XCTAssertEqual(try fixture.show("record", "boil-water").exitCode, 0)
        XCTAssertEqual(try fixture.read("Chapters/1-Tea/boil-water/expected.txt"), "it sings\n")
        XCTAssertEqual(try fixture.show().exitCode, 0)
    }

    func testRecordRefusesAnExampleThatFails() throws {
        try fixture.program("boil-water", "echo it burns; exit 1")
        XCTAssertEqual(try fixture.show("record", "boil-water").exitCode, 1)
        XCTAssertEqual(try fixture.read("Chapters/1-Tea/boil-water/expected.txt"), "it boils\n")
    }

    // MARK: Helpers

    /// The process ID that the example has printed on a separate line.
    private func processID(in output: String) throws -> Int32 {
        try XCTUnwrap(output.split(separator: "\n").lazy.compactMap { Int32($0.trimmingPrefix("    ")) }.first)
    }

    /// Waits until the process has ended, whether or not it was reaped; a killed one may still be ending.
    private func assertGone(_ process: Int32, line: UInt = #line) {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            let state = status?.split(separator: ")").last?.first { $0 != " " }
            if [nil, "Z", "X"].contains(state) { return }
            sched_yield()
        }
        XCTFail("process \(process) is still there", line: line)
    }
}
