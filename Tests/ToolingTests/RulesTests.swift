import Foundation
import TestSupport
import XCTest

/// A script checks the rules that no compiler checks.
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

    func testARoomOfTheEngineNamesOnlyTypesOfTheRoomsBeforeIt() throws {
        try fixture.write("Sources/Tevent/Events/Timer.swift", "package struct Timer {}\nprivate struct Own {}\n")
        try fixture.write("Sources/Tevent/Loop/Turn.swift", "// Request\nlet timer = Timer()\nfunc noteRequests() {}\n")
        try fixture.write("Sources/Tevent/Requests/Request.swift", "public struct Request {}\nstruct Own {}\n")
        XCTAssertEqual(try check().stderr, "")

        try fixture.append("Sources/Tevent/Events/Timer.swift", "var request: Request?\n")
        try fixture.write("Sources/Tevent/Stray.swift", "")
        let result = try check()
        XCTAssertTrue(
            result.stderr.contains("Sources/Tevent/Events/Timer.swift:3: Request is of Requests"), result.stderr)
        XCTAssertTrue(result.stderr.contains("belongs into a room"), result.stderr)
        XCTAssertEqual(result.exitCode, 1)
    }

    func testEveryPlaceNamesTheSameVersions() throws {
        try fixture.write("Package.swift", "// swift-tools-version: 9.8\n")
        try fixture.write("Scripts/setup", "least=9.8\n")
        try fixture.write("CHANGELOG.md", "## [Unreleased]\n\n## [2.1.0]\n")
        let readMe = "With [Swift](https://swift.org) 9.8 or newer.\n\nThis is version 2.1.0; it works.\n"
        try fixture.write("README.md", readMe)
        XCTAssertEqual(try check().stderr, "")

        try fixture.write("Scripts/setup", "least=9.7\n")
        try fixture.write("README.md", readMe.replacing("2.1.0", with: "2.0.0"))
        let result = try check()
        XCTAssertTrue(result.stderr.contains("requires Swift 9.8; this file says another version:\n    Scripts/setup"))
        XCTAssertTrue(result.stderr.contains("newest version is 2.1.0; this file says another:\n    README.md"))
        XCTAssertEqual(result.exitCode, 1)
    }

    func testStiffWordsAreFound() throws {
        for line in [
            "// It is drawn ane" + "w.", "/// Wh" + "o wants tea waits.", "// Nobod" + "y waits.",
            "// Lets the cup g" + "o.", "// It is told o" + "f the tea.", "func testTheCupIsLetG" + "o() {}",
        ] {
            try fixture.write("Sources/Tea/Cup.swift", "// ok\n\(line)\n")
            let result = try check()
            XCTAssertTrue(result.stderr.contains("Sources/Tea/Cup.swift:2:\(line)"), result.stderr)
            XCTAssertEqual(result.exitCode, 1, line)
        }
        try fixture.write("Sources/Tea/Cup.swift", "// Who drinks it? A shallow cup lets the tea go cold.\n")
        try fixture.write("Tutorial/3-milk.md", "The milk is poured ane" + "w.\n")
        XCTAssertEqual(try check().stderr, "")
        try fixture.write("README.md", "It pours for eve" + "r.\n")
        XCTAssertTrue(try check().stderr.contains("README.md:1:It pours"))
    }

    private func check() throws -> ProgramResult {
        try runProgram("/bin/sh", arguments: ["Scripts/check-rules"], directory: fixture.root.path())
    }
}
