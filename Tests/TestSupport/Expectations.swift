import Foundation

/// The root of the project, which contains `Chapters/`, `Tutorial/` and everything else.
public let projectFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The checked output of an example, such as `expectedOutput(chapterFolder: "2-Events", example: "hello-timer")`.
public func expectedOutput(chapterFolder: String, example: String) throws -> String {
    let file = projectFolder.appending(path: "Chapters/\(chapterFolder)/\(example)/expected.txt")
    return try String(contentsOf: file, encoding: .utf8)
}
