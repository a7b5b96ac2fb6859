import Foundation
import TestSupport
import XCTest

/// What `make setup` does in addition to installing.
final class SetupTests: XCTestCase {
    func testGitOverlooksWhatAReaderWritesInScratch() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "setup-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for path in ["Scripts/setup", "Scratch/main.swift"] {
            let copy = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: projectFolder.appending(path: path), to: copy)
        }
        func run(_ command: String) throws -> String {
            let result = try runProgram("/bin/sh", arguments: ["-c", command], directory: root.path())
            XCTAssertEqual(result.exitCode, 0, result.stderr)
            return result.stdout + result.stderr
        }
        _ = try run("git init -q && git add . && git -c user.name=n -c user.email=e commit -qm clone")
        XCTAssertEqual(try run("Scripts/setup"), "")
        XCTAssertEqual(try run("echo '// mine' >>Scratch/main.swift && git status --porcelain"), "")
        XCTAssertTrue(try run("tail -n 1 Scratch/main.swift").contains("mine"))
    }
}
