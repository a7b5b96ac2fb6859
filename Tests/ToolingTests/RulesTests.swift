import Foundation
import TestSupport
import XCTest

/// The rules that no compiler checks are checked by a script.
final class RulesTests: XCTestCase {
    private var fixture: Fixture!

    override func setUpWithError() throws {
        fixture = try Fixture()
        let script = try String(contentsOf: projectFolder.appending(path: "Scripts/check-rules"), encoding: .utf8)
        try fixture.write("Scripts/check-rules", script)
    }

    override func tearDown() { fixture = nil }

    func testAProjectWithinTheRulesPasses() throws {
        try fixture.write("Chapters/1-Tea/Module/Kettle.swift", "import Chapter0Cups\n")
        let result = try check()
        XCTAssertEqual(result.stderr, "")
        XCTAssertEqual(result.exitCode, 0)
    }

    func testWhatAChapterMustDoWithoutIsFound() throws {
        for line in [
            "let p = unsafe x", "var p: UnsafeMutablePointer<Int>", "import CTalloc", "@testable import Tevent",
        ] {
            try fixture.write("Chapters/1-Tea/Module/Kettle.swift", "// ok\n\(line)\n")
            let result = try check()
            XCTAssertTrue(result.stderr.contains("Chapters/1-Tea/Module/Kettle.swift:2:\(line)"), result.stderr)
            XCTAssertEqual(result.exitCode, 1, line)
        }
    }

    func testUnsafeFlagsAreFound() throws {
        try fixture.append("Package.swift", ".unsafe" + "Flags([])\n")
        XCTAssertEqual(try check().exitCode, 1)
    }

    private func check() throws -> ProgramResult {
        try runProgram("/bin/sh", arguments: ["Scripts/check-rules"], directory: fixture.root.path())
    }
}
