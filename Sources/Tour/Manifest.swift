import ArgumentParser
import Foundation

/// The content of `Tutorial/tour.json`: every chapter and every example, in order.
struct Manifest: Decodable {
    static let path = "Tutorial/tour.json"

    let chapters: [Chapter]

    /// Every example with its chapter, in the order of the tour.
    var stops: [Stop] {
        chapters.flatMap { chapter in chapter.examples.map { Stop(chapter: chapter, example: $0) } }
    }

    /// The example with that name, or an error that suggests the nearest.
    func stop(named name: String) throws -> Stop {
        if let stop = stops.first(where: { $0.example.name == name }) { return stop }
        throw unknown("example", name, among: stops.map(\.example.name))
    }

    /// The chapter with that number, title or folder, or an error that suggests the nearest.
    func chapter(named name: String) throws -> Chapter {
        let named = chapters.first { chapter in
            name == String(chapter.number) || name.lowercased() == chapter.title.lowercased()
                || chapter.folder.hasSuffix("/" + name)
        }
        if let named { return named }
        if let number = Int(name), let last = chapters.last {
            throw unknown("chapter", name, nearest: String(number < 1 ? 1 : last.number))
        }
        throw unknown("chapter", name, among: chapters.map(\.title))
    }

    private func unknown(_ kind: String, _ name: String, among names: [String]) -> ValidationError {
        unknown(kind, name, nearest: nearest(to: name, among: names))
    }

    private func unknown(_ kind: String, _ name: String, nearest: String?) -> ValidationError {
        let suggestion = nearest.map { " Did you mean '\($0)'?" } ?? ""
        return ValidationError("There is no \(kind) '\(name)'.\(suggestion) `tour list` shows all.")
    }
}

/// A chapter: its place, its text and its examples.
struct Chapter: Decodable {
    let number: Int
    let title: String
    let folder: String
    let text: String
    let minutes: Int
    let examples: [Example]
}

/// An example: a program and how the tour runs it.
struct Example: Decodable {
    let name: String
    let summary: String
    /// The name of the program's type and file, unless it is the example's name in camel case.
    let type: String?
    /// The arguments that the tour passes, such as a short interval.
    let arguments: [String]?
    /// The text that the tour writes to standard input.
    let input: String?
}

/// An example of the tour, with the chapter it belongs to.
struct Stop {
    let chapter: Chapter
    let example: Example

    var folder: String { "\(chapter.folder)/\(example.name)" }
    var expectedPath: String { "\(folder)/expected.txt" }

    /// The file that holds the program: `create-context/CreateContext.swift`.
    var source: String { "\(folder)/\(example.type ?? camelCase(example.name)).swift" }

    private func camelCase(_ name: String) -> String {
        name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// The command to run the example on its own, as the tour runs it.
    var command: String {
        let command = (["swift run", example.name] + (example.arguments ?? []).map(quoted)).joined(separator: " ")
        guard let input = example.input else { return command }
        let text = input.replacing("\\", with: "\\\\").replacing("%", with: "%%").replacing("\n", with: "\\n")
        return "printf \(quoted(text)) | \(command)"
    }

    private func quoted(_ word: String) -> String {
        let plain = CharacterSet.alphanumerics.union(.init(charactersIn: "-_./=:,"))
        if !word.isEmpty, word.unicodeScalars.allSatisfy(plain.contains) { return word }
        return "'\(word.replacing("'", with: "'\\''"))'"
    }
}
