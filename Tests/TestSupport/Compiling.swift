import Foundation
import XCTest

/// Checks that the compiler refuses a Swift file for exactly the marked lines, and accepts it without them.
///
/// A line comment quotes words of the error on its line. Every error must be announced, and every announced error must
/// occur:
///
///     inbox.free()  // error: cannot find 'inbox' in scope
///
/// To make sure that nothing else is wrong with the file, it is compiled again without those lines. A line that ends in
/// `{` before its comment stays, since half a statement would be left; `// without` marks another line to remove in its
/// place.
///
/// An error in a type hides errors in sending, which the compiler checks later, so such errors need files of their own.
/// The file is compiled as a library in Swift 6, with the modules of the running tests.
///
/// - Parameters:
///   - path: The file, relative to the root of the project, such as
///     `Chapters/6-Threads/does-not-compile/use-after-sending.swift`; it must be in a folder that no target compiles.
///   - strictly: Whether to compile it as the chapters are, with strict memory safety and warnings as errors.
///   - nonsending: Whether to compile it as programs with tasks are, whose async functions run where their caller does.
public func assertDoesNotCompile(
    _ path: String, strictly: Bool = false, nonsending: Bool = false, file: StaticString = #filePath, line: UInt = #line
) throws {
    let snippet = try MarkedFile(path: path)
    XCTAssertFalse(snippet.expected.isEmpty, "\(path) names no error", file: file, line: line)

    let (missing, unexpected) = snippet.compare(
        with: try compile(snippet.lines, strictly: strictly, nonsending: nonsending))
    XCTAssertEqual(missing, [], "\(path): these errors did not come", file: file, line: line)
    XCTAssertEqual(unexpected, [], "\(path): no line names these errors", file: file, line: line)
    XCTAssertEqual(
        try compile(snippet.linesWithoutErrors, strictly: strictly, nonsending: nonsending), [],
        "\(path) should compile without its errors", file: file, line: line)
}

/// Checks that the compiler accepts a Swift file, in the same way.
public func assertCompiles(
    _ path: String, nonsending: Bool = false, file: StaticString = #filePath, line: UInt = #line
) throws {
    let snippet = try MarkedFile(path: path)
    XCTAssertEqual(snippet.expected, [], "\(path) names errors", file: file, line: line)
    XCTAssertEqual(try compile(snippet.lines, nonsending: nonsending), [], path, file: file, line: line)
}

/// An error, as reported by the compiler or announced by a comment.
struct CompilerError: Hashable, CustomStringConvertible {
    let line: Int
    let message: String

    var description: String { "line \(line): \(message)" }

    func isMet(by error: CompilerError) -> Bool { line == error.line && error.message.contains(message) }
}

/// A Swift file whose comments announce its errors.
struct MarkedFile {
    let lines: [String]
    /// The errors that comments announce.
    let expected: [CompilerError]
    /// The file as it should compile; each line keeps its number.
    let linesWithoutErrors: [String]

    init(path: String) throws {
        let text = try String(contentsOf: projectFolder.appending(path: path), encoding: .utf8)
        self.init(lines: text.components(separatedBy: "\n"))
    }

    init(lines: [String]) {
        self.lines = lines
        expected = lines.enumerated().flatMap { index, line in
            line.components(separatedBy: "// error: ").dropFirst().map {
                CompilerError(line: index + 1, message: $0.trimmingCharacters(in: .whitespaces))
            }
        }
        linesWithoutErrors = lines.map { line in
            guard let error = line.range(of: "// error: ") else { return line.hasSuffix("// without") ? "" : line }
            let code = line[..<error.lowerBound]
            return code.trimmingCharacters(in: .whitespaces).hasSuffix("{") ? String(code) : ""
        }
    }

    /// Which of the announced errors did not occur, and which errors were not announced.
    func compare(with found: [CompilerError]) -> (missing: [CompilerError], unexpected: [CompilerError]) {
        var unexpected = found
        var missing: [CompilerError] = []
        for mark in expected {
            if let index = unexpected.firstIndex(where: { mark.isMet(by: $0) }) {
                unexpected.remove(at: index)
            } else {
                missing.append(mark)
            }
        }
        return (missing, unexpected)
    }
}

/// Compiles a file far enough to find all its errors: sending is checked late.
func compile(_ lines: [String], strictly: Bool = false, nonsending: Bool = false) throws -> [CompilerError] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "snippet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = folder.appending(path: "Snippet.swift")
    try lines.joined(separator: "\n").write(to: source, atomically: true, encoding: .utf8)

    let built = programsFolder.path()
    let result = try runProgram(
        try compiler(),
        arguments: [
            "-emit-sil", "-o", "/dev/null", "-parse-as-library", "-swift-version", "6", "-module-name", "Snippet",
            "-diagnostic-style", "llvm", "-no-color-diagnostics", "-module-cache-path", "\(built)/SnippetModuleCache",
            "-I", "\(built)/Modules", "-I", projectFolder.appending(path: "Sources/CTalloc").path(),
            "-Xcc", "-fmodule-map-file=\(built)/CLinux.build/module.modulemap",
            "-Xcc", "-fmodule-map-file=\(built)/CPlayer.build/module.modulemap", source.path(),
        ] + (strictly ? ["-strict-memory-safety", "-warnings-as-errors"] : [])
            + (nonsending ? ["-enable-upcoming-feature", "NonisolatedNonsendingByDefault"] : []), timeout: .seconds(300)
    )
    let errors = errors(in: result.stderr, of: source.path())
    guard (result.exitCode == 0) == errors.isEmpty else {
        throw CompilerTrouble(description: "the compiler ended with \(result.exitCode ?? -1):\n\(result.stderr)")
    }
    return errors
}

/// The errors with a place in the file; an error that is reported in several ways counts once.
private func errors(in report: String, of path: String) -> [CompilerError] {
    var errors: [CompilerError] = []
    for line in report.components(separatedBy: "\n") where line.hasPrefix("\(path):") {
        let parts = line.dropFirst(path.count + 1).split(separator: ":", maxSplits: 2)
        guard parts.count == 3, let number = Int(parts[0]), parts[2].hasPrefix(" error: ") else { continue }
        let error = CompilerError(line: number, message: String(parts[2].dropFirst(" error: ".count)))
        if !errors.contains(error) { errors.append(error) }
    }
    return errors
}

/// The compiler that belongs to the runtime library of the running tests, and can therefore read their modules.
private func compiler() throws -> String {
    let maps = String(
        decoding: try FileHandle(forReadingFrom: URL(filePath: "/proc/self/maps")).readToEnd() ?? Data(), as: UTF8.self)
    let end = "/lib/swift/linux/libswiftCore.so"
    guard let library = maps.split(separator: "\n").first(where: { $0.hasSuffix(end) }),
        let start = library.firstIndex(of: "/")
    else { throw CompilerTrouble(description: "no Swift library is loaded, so its compiler cannot be found") }
    return "\(library[start...].dropLast(end.count))/bin/swiftc"
}

/// The compiler failed without reporting an error in the file.
private struct CompilerTrouble: Error, CustomStringConvertible {
    let description: String
}
