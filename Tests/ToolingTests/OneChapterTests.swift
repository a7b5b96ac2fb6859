import Foundation
import TestSupport
import XCTest

/// `CHAPTER=2` builds and tests a single chapter.
final class OneChapterTests: XCTestCase {
    /// Reads the manifest in a separate folder, since the build that runs the tests has locked the project's.
    private func manifest(chapter: String) throws -> ProgramResult {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "chapter-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        return try runProgram(
            "/usr/bin/env",
            arguments: [
                "CHAPTER=\(chapter)", "swift", "package", "--package-path", projectFolder.path(), "--scratch-path",
                scratch.path(), "dump-package",
            ], timeout: .seconds(120))
    }

    private struct Manifest: Decodable {
        struct Target: Decodable { let name: String }
        let targets: [Target]
    }

    func testOneChapterNeedsTheEngineTheModulesBeforeItAndItsOwnPrograms() throws {
        let result = try manifest(chapter: "2")
        XCTAssertEqual(result.exitCode, 0, result.stderr)
        let manifest = try JSONDecoder().decode(Manifest.self, from: Data(result.stdout.utf8))
        let targets = Set(manifest.targets.map(\.name))
        for needed in [
            "Talloc", "Tevent", "Chapter1ContextAndLoops", "Chapter2Events", "Chapter2EventsTests", "ticker",
        ] {
            XCTAssertTrue(targets.contains(needed), needed)
        }
        for unneeded in ["Chapter1ContextAndLoopsTests", "first-loop", "Chapter3AccessingData", "TeventTests", "tour"] {
            XCTAssertFalse(targets.contains(unneeded), unneeded)
        }
    }

    func testAChapterThatDoesNotExistIsNamed() throws {
        let result = try manifest(chapter: "9")
        XCTAssertNotEqual(result.exitCode, 0)
        XCTAssertTrue((result.stdout + result.stderr).contains("CHAPTER is '9'; give 1 to 7"), result.stderr)
    }
}
