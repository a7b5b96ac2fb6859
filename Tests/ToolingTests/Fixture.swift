import Foundation
import TestSupport

/// A small project in its own folder, for the tour to lead through; everything is in order until a test breaks it.
final class Fixture {
    let root: URL

    /// Two chapters with one example each; the programs are shell scripts.
    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "tour-\(UUID().uuidString)")
        try write("Package.swift", "// the mark of a package\n")
        try write("Tutorial/tour.json", manifest)
        try write("Chapters/1-Tea/boil-water/BoilWater.swift", source(snippet: "boil", code: "boil(water)"))
        try write("Chapters/1-Tea/boil-water/expected.txt", "it boils\n")
        try write("Chapters/1-Tea/Module/Kettle.swift", "struct Kettle {}\n")
        try write("Chapters/2-Cake/mix-dough/MixDough.swift", source(snippet: "mix", code: "mix(dough)"))
        try write("Chapters/2-Cake/mix-dough/expected.txt", "stir 3\nof flour\n")
        try write(
            "Tutorial/1-tea.md", page("Chapters/1-Tea/boil-water/BoilWater.swift#boil", "boil(water)", "boil-water"))
        try write("Tutorial/2-cake.md", page("Chapters/2-Cake/mix-dough/MixDough.swift#mix", "mix(dough)", "mix-dough"))
        try program("boil-water", "echo it boils")
        try program("mix-dough", "echo stir $2; echo of $(cat)")
        try replace("Tutorial/1-tea.md", "OUTPUT", "it boils")
        try replace("Tutorial/2-cake.md", "OUTPUT", "stir 3\nof flour")
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func write(_ path: String, _ text: String) throws {
        let file = root.appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func read(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }

    func replace(_ path: String, _ old: String, _ new: String) throws {
        let text = try read(path)
        precondition(text.contains(old), "\(path) does not contain '\(old)'")
        try write(path, text.replacing(old, with: new))
    }

    func append(_ path: String, _ text: String) throws { try write(path, read(path) + text) }

    func remove(_ path: String) throws { try FileManager.default.removeItem(at: root.appending(path: path)) }

    /// Puts a shell script in place of a built program.
    func program(_ name: String, _ script: String) throws {
        try write("programs/\(name)", "#!/bin/sh\n\(script)\n")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: root.appending(path: "programs/\(name)").path())
    }

    /// Runs the built tour in the fixture, or in a folder below it.
    func tour(_ arguments: String..., below folder: String = "") throws -> ProgramResult {
        try runProgram(
            "tour", arguments: arguments, environment: colourful, directory: root.appending(path: folder).path())
    }

    /// Runs examples through the tour, with the fixture's programs.
    func show(_ arguments: String...) throws -> ProgramResult {
        try runProgram(
            "tour", arguments: arguments + ["--programs", "programs"], environment: colourful, directory: root.path())
    }

    /// The environment of a terminal that can show colours, so that only the pipe makes the tour plain.
    private var colourful: [String: String] { ["TERM": "xterm", "NO_COLOR": ""] }

    /// A Swift file with one snippet.
    func source(snippet name: String, code: String) -> String {
        "func run() {\n    // snippet: \(name)\n    \(code)\n    // snippet-end: \(name)\n}\n"
    }

    private func page(_ code: String, _ text: String, _ example: String) -> String {
        """
        # A page

        <!-- code: \(code) -->
        ```swift
        \(text)
        ```

        <!-- output: \(example) -->
        ```text
        OUTPUT
        ```

        """
    }

    private let manifest = """
        { "chapters": [
          { "number": 1, "title": "Tea", "folder": "Chapters/1-Tea", "text": "Tutorial/1-tea.md", "minutes": 5,
            "examples": [ { "name": "boil-water", "summary": "Water that boils" } ] },
          { "number": 2, "title": "Cake", "folder": "Chapters/2-Cake", "text": "Tutorial/2-cake.md", "minutes": 9,
            "examples": [ { "name": "mix-dough", "summary": "Dough", "arguments": ["--times", "3"], "input": "flour" } ] }
        ] }
        """
}
