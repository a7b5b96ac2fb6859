import Foundation
import TestSupport
import XCTest

/// Other packages can use this package.
final class DependentPackageTests: XCTestCase {
    func testTheFirstProgramOfTheReadmeRunsWithTheManifestThere() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "dependent-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        let program = root.appending(path: "my-program")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            at: root.appending(path: "swift-tevent"), withDestinationURL: projectFolder)
        try FileManager.default.copyItem(
            at: projectFolder.appending(path: "Tests/ToolingTests/FirstProgram"), to: program)

        let result = try runProgram(
            "/usr/bin/env", arguments: ["swift", "run", "--quiet", "--package-path", program.path(), "my-program"],
            timeout: .seconds(600))
        XCTAssertEqual(result.stdout, "a millisecond later\n", result.stderr)
        XCTAssertEqual(result.exitCode, 0, result.stderr)
    }

    /// A package with unsafe flags can only be a dependency by path.
    func testThePackageHasNoUnsafeFlags() throws {
        let manifest = try String(contentsOf: projectFolder.appending(path: "Package.swift"), encoding: .utf8)
        XCTAssertFalse(manifest.contains("unsafe" + "Flags"))
    }
}
