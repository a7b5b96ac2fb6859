import Foundation
import TestSupport
import XCTest

/// The package is of use to other packages.
final class DependentPackageTests: XCTestCase {
    func testAnotherPackageBuildsOnTallocAndTevent() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "dependent-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        let sources = root.appending(path: "Sources/dependent")
        try FileManager.default.createDirectory(at: sources, withIntermediateDirectories: true)
        try Data(manifest.utf8).write(to: root.appending(path: "Package.swift"))
        try Data(program.utf8).write(to: sources.appending(path: "Dependent.swift"))

        let result = try runProgram(
            "/usr/bin/env", arguments: ["swift", "run", "--quiet", "--package-path", root.path(), "dependent"],
            timeout: .seconds(600))
        XCTAssertEqual(result.stdout, "a millisecond later\n", result.stderr)
        XCTAssertEqual(result.exitCode, 0, result.stderr)
    }

    /// A package with unsafe flags can only be depended on by path.
    func testThePackageHasNoUnsafeFlags() throws {
        let manifest = try String(contentsOf: projectFolder.appending(path: "Package.swift"), encoding: .utf8)
        XCTAssertFalse(manifest.contains("unsafe" + "Flags"))
    }

    private var manifest: String {
        """
        // swift-tools-version: 6.2
        import PackageDescription

        let package = Package(
            name: "dependent",
            dependencies: [.package(name: "swift-tevent", path: "\(projectFolder.path())")],
            targets: [
                .executableTarget(
                    name: "dependent",
                    dependencies: [
                        .product(name: "Talloc", package: "swift-tevent"),
                        .product(name: "Tevent", package: "swift-tevent"),
                    ],
                    swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)])
            ])
        """
    }

    /// What a newcomer would write first; it is checked for memory safety as strictly as a chapter.
    private let program = """
        import Talloc
        import Tevent

        @main
        struct Dependent {
            static func main() throws {
                // snippet: first-program
                try withTallocContext(named: "program") { memory in
                    let events = try EventContext(under: memory)
                    try events.addTimer(after: .milliseconds(1), under: memory) { _, _ in print("a millisecond later") }
                    try events.loopWait()
                }
                // snippet-end: first-program
            }
        }
        """
}
