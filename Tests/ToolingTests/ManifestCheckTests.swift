import XCTest

/// The manifest and the folders must agree; each kind of difference is found and reported with what to do.
final class ManifestCheckTests: XCTestCase {
    private var fixture: Fixture!

    override func setUpWithError() throws { fixture = try Fixture() }

    override func tearDown() { fixture = nil }

    func testAnExampleTheManifestDoesNotNameIsFound() throws {
        try fixture.write("Chapters/1-Tea/pour-milk/PourMilk.swift", "")
        try assertFault("Chapters/1-Tea/pour-milk: the tour does not know this example")
    }

    func testWhatMustNotCompileIsNoExample() throws {
        try fixture.write("Chapters/1-Tea/does-not-compile/Spill.swift", "spill()\n")
        let result = try fixture.tour("text", "--check")
        XCTAssertEqual(result.exitCode, 0, result.stdout + result.stderr)
    }

    func testAListingInCIsNoExample() throws {
        try fixture.write("Chapters/1-Tea/C/spill.c", "void spill(void);\n")
        let result = try fixture.tour("text", "--check")
        XCTAssertEqual(result.exitCode, 0, result.stdout + result.stderr)
    }

    func testAChapterTheManifestDoesNotNameIsFound() throws {
        try fixture.write("Chapters/3-Soup/Module/Soup.swift", "")
        try assertFault("Chapters/3-Soup: the tour does not know this chapter")
    }

    func testAnExampleWithoutAProgramIsFound() throws {
        try fixture.remove("Chapters/2-Cake/mix-dough")
        try assertFault("Chapters/2-Cake/mix-dough/MixDough.swift: the example 'mix-dough' has no program")
    }

    func testAnExampleWithoutExpectedOutputIsFound() throws {
        try fixture.remove("Chapters/1-Tea/boil-water/expected.txt")
        try assertFault("Chapters/1-Tea/boil-water/expected.txt: there is no expected output for 'boil-water'")
    }

    func testAChapterWithoutTextIsFound() throws {
        try fixture.remove("Tutorial/2-cake.md")
        try assertFault("Tutorial/2-cake.md: chapter 2 has no text")
    }

    func testChaptersOutOfOrderAreFound() throws {
        try fixture.replace("Tutorial/tour.json", "\"number\": 2", "\"number\": 3")
        try assertFault("Tutorial/tour.json: the chapters are numbered [1, 3]")
    }

    func testTwoExamplesOfOneNameAreFound() throws {
        try fixture.replace("Tutorial/tour.json", "mix-dough", "boil-water")
        try assertFault("Tutorial/tour.json: two examples are called 'boil-water'")
    }

    /// Checks that both the whole tour and the text check find it, and say what to do in the next line.
    private func assertFault(_ fault: String, line: UInt = #line) throws {
        for result in [try fixture.show(), try fixture.tour("text", "--check")] {
            XCTAssertEqual(result.exitCode, 1, line: line)
            XCTAssertTrue(result.stdout.contains("\(fault)\n    "), result.stdout + result.stderr, line: line)
        }
    }
}
