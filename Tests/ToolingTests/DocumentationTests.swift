import Foundation
import XCTest

@testable import TestSupport

/// The examples of the reference, in documentation comments and in the articles of the catalogues.
final class DocumentationTests: XCTestCase {
    func testEveryExampleOfTheReferenceCompiles() throws {
        let examples = try referenceFiles().flatMap { try Example.all(in: $0, of: text(of: $0)) }
        XCTAssertGreaterThan(examples.count, 50)
        XCTAssertEqual(try errors(in: examples), [])
    }

    func testABrokenExampleIsReportedWithItsFileAndLine() throws {
        let comment = """
            /// Waits.
            ///
            /// ```swift
            /// let request = try Wakeup.send(after: .seconds(1), on: events, under: memory)
            /// request.finnish()
            /// ```
            struct Waiting {}
            """
        let article = """
            # Threads

            ```swift
            import Tevent

            let name = thread
            ```
            """
        let examples =
            try Example.all(in: "Waiting.swift", of: comment) + Example.all(in: "Threads.md", of: article)
        let errors = try errors(in: examples)
        XCTAssertEqual(errors.count, 2, "\(errors)")
        XCTAssertTrue(errors.first?.hasPrefix("Waiting.swift:5: ") == true, "\(errors)")
        XCTAssertEqual(errors.last, "Threads.md:6: cannot find 'thread' in scope")
    }

    func testAFenceWithoutALanguageOrAnEndIsRefused() {
        XCTAssertThrowsError(try Example.all(in: "Page.md", of: "```\nprint(1)\n```"))
        XCTAssertThrowsError(try Example.all(in: "Page.md", of: "```swift\nprint(1)"))
    }

    func testEveryTypeOfTheRoomsOnTopHasAnExample() throws {
        let rooms = ["Requests", "Queues", "Threads", "Operations"].map { "Sources/Tevent/\($0)/" }
        for path in try referenceFiles() where rooms.contains(where: path.hasPrefix) {
            for (name, comment) in try publicTypes(in: text(of: path)) {
                XCTAssertTrue(comment.contains("/// ```swift"), "\(name) of \(path) has no example")
            }
        }
    }

    /// What DocC would put into a list of its own, without an order.
    func testEveryTypeAndFunctionHasATopic() throws {
        for library in libraries {
            let landing = try text(of: "Sources/\(library)/\(library).docc/\(library).md")
            for path in try referenceFiles() where path.hasPrefix("Sources/\(library)/") && path.hasSuffix(".swift") {
                for name in publicNames(in: try text(of: path)) {
                    XCTAssertTrue(landing.contains("- ``\(name)"), "\(name) of \(path) has no topic")
                }
            }
        }
    }
}

/// The libraries of the reference.
private let libraries = ["Talloc", "Tevent", "TeventTasks", "TeventExtras", "TeventRecording"]

/// What an example may use without declaring it.
private let parameters =
    "memory: TallocContext, events: EventContext, queue: RequestQueue, descriptor: Int32, listener: Int32"

/// A Swift example in a documentation comment, or in an article.
private struct Example {
    let file: String
    /// The number of its first line in the file.
    let firstLine: Int
    let lines: [String]

    /// Whether it is a file of its own, not the body of a function.
    var isFile: Bool { lines.contains { $0.hasPrefix("import ") || $0.hasPrefix("extension ") } }

    static func all(in file: String, of text: String) throws -> [Example] {
        var examples: [Example] = []
        var open: (language: String, line: Int, lines: [String])?
        for (index, line) in text.components(separatedBy: "\n").enumerated() {
            guard let line = file.hasSuffix(".swift") ? commentText(line) : line else {
                if open != nil { break }
                continue
            }
            if let fence = open, line.trimmingCharacters(in: .whitespaces) == "```" {
                if fence.language == "swift" {
                    examples.append(Example(file: file, firstLine: fence.line + 1, lines: fence.lines))
                }
                open = nil
            } else if open != nil {
                open?.lines.append(line)
            } else if line.hasPrefix("```") {
                guard line != "```" else { throw FenceError(description: "\(file):\(index + 1): name a language") }
                open = (String(line.dropFirst(3)), index + 1, [])
            }
        }
        if let open { throw FenceError(description: "\(file):\(open.line): the fence has no end") }
        return examples
    }

    /// What a line of a documentation comment says; nil for any other line.
    private static func commentText(_ line: String) -> String? {
        let line = line.drop { $0 == " " }
        guard line.hasPrefix("///") else { return nil }
        return String(line.hasPrefix("/// ") ? line.dropFirst(4) : line.dropFirst(3))
    }
}

private struct FenceError: Error, CustomStringConvertible { let description: String }

/// What the compiler has against examples, each as "file:line: message".
private func errors(in examples: [Example]) throws -> [String] {
    try errors(compiling: examples.filter { !$0.isFile })
        + examples.filter(\.isFile).flatMap { try errors(compiling: [$0]) }
}

/// Compiles a file of its own, or functions together in one file, as strictly as a chapter.
private func errors(compiling examples: [Example]) throws -> [String] {
    var lines: [String] = []
    var origins: [Int: String] = [:]
    for (number, example) in examples.enumerated() {
        if !example.isFile, number == 0 {
            lines += ["import Tevent", "import TeventTasks", "import TeventExtras", "import TeventRecording"]
        }
        if !example.isFile { lines.append("func example\(number)(\(parameters)) throws {") }
        for (index, line) in example.lines.enumerated() {
            lines.append(line)
            origins[lines.count] = "\(example.file):\(example.firstLine + index)"
        }
        if !example.isFile { lines.append("}") }
        if !example.isFile { origins[lines.count] = "\(example.file):\(example.firstLine)" }
    }
    return try compile(lines, strictly: true, nonsending: true).map {
        "\(origins[$0.line] ?? "line \($0.line)"): \($0.message)"
    }
}

/// The sources and the articles of the libraries, from the root of the project.
private func referenceFiles() throws -> [String] {
    try libraries.map { "Sources/\($0)" }.flatMap { folder in
        try FileManager.default.subpathsOfDirectory(atPath: projectFolder.appending(path: folder).path())
            .filter { $0.hasSuffix(".swift") || $0.contains(".docc/") && $0.hasSuffix(".md") }
            .map { "\(folder)/\($0)" }
    }
    .sorted()
}

private func text(of path: String) throws -> String {
    try String(contentsOf: projectFolder.appending(path: path), encoding: .utf8)
}

/// The public types that a file declares, in other types too, with the comments above them.
private func publicTypes(in text: String) -> [(name: String, comment: String)] {
    var comment: [Substring] = []
    var types: [(String, String)] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map({ $0.drop { $0 == " " } }) {
        if line.hasPrefix("///") {
            comment.append(line)
        } else if !line.hasPrefix("@") {
            if let type = line.firstMatch(of: /^public (final )?(struct|enum|class|protocol) (?<name>\w+)/) {
                types.append((String(type.name), comment.joined(separator: "\n")))
            }
            comment = []
        }
    }
    return types
}

/// The public types and functions that a file declares at its top level.
private func publicNames(in text: String) -> [String] {
    text.components(separatedBy: "\n").compactMap { line in
        guard line.hasPrefix("public ") else { return nil }
        let words = line.split { !$0.isLetter && !$0.isNumber }
        let kinds: [Substring] = ["struct", "enum", "class", "protocol", "typealias", "func"]
        return words.firstIndex { kinds.contains($0) }.map { String(words[$0 + 1]) }
    }
}
