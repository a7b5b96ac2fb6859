import XCTest

/// Checks that a chapter's program serves its readers: it runs on its own, with each backend and for its help, rejects
/// an unknown option, and fails when its output cannot be written.
///
/// - Parameters:
///   - example: The name of the program.
///   - chapterFolder: The chapter's folder, such as "2-Events".
///   - arguments: The arguments that the tour passes.
///   - backends: What its `--backend` accepts; empty if it has no such option.
public func assertExample(
    _ example: String, chapterFolder: String, arguments: [String] = [], backends: [String] = ["epoll", "poll"]
) throws {
    let expected = try expectedOutput(chapterFolder: chapterFolder, example: example)
    XCTAssertFalse(expected.isEmpty)
    for backend in [[]] + backends.map({ ["--backend", $0] }) {
        let result = try runProgram(example, arguments: arguments + backend)
        XCTAssertEqual(result.stdout, expected, "\(backend)")
        XCTAssertEqual(result.stderr, "")
        XCTAssertEqual(result.exitCode, 0)
    }

    let help = try runProgram(example, arguments: ["--help"])
    XCTAssert(help.stdout.hasPrefix("OVERVIEW: "), help.stdout)
    XCTAssert(help.stdout.contains("USAGE: \(example)"), help.stdout)
    XCTAssertEqual(help.exitCode, 0)

    try assertRefuses(["--colour"], by: example, saying: "Error: Unknown option '--colour'")

    for arguments in [arguments, ["--help"]] {
        let full = try runProgram(example, arguments: arguments, redirected: ">/dev/full")
        XCTAssertEqual(full.stderr, "\(example): standard output: No space left on device\n")
        XCTAssertEqual(full.exitCode, 1)
    }
}

/// Checks that a program rejects its arguments with a usage error that names the mistake.
public func assertRefuses(_ arguments: [String], by example: String, saying message: String) throws {
    let result = try runProgram(example, arguments: arguments)
    XCTAssert(result.stderr.hasPrefix(message), result.stderr)
    XCTAssertEqual(result.stdout, "")
    XCTAssertEqual(result.exitCode, 64)
}
