import ArgumentParser
import Foundation

/// The files of the project, by paths relative to its root.
struct Repository {
    let root: String

    /// The repository around the working directory.
    static func find() throws -> Repository {
        var folder = URL(filePath: FileManager.default.currentDirectoryPath).standardizedFileURL
        while true {
            let repository = Repository(root: folder.path())
            if repository.exists("Package.swift"), repository.exists(Manifest.path) { return repository }
            let parent = folder.deletingLastPathComponent().standardizedFileURL
            guard parent.path() != folder.path() else {
                throw Complaint(
                    "Not inside the project: no folder from here upward holds Package.swift and "
                        + "\(Manifest.path). Change into your clone and try again.")
            }
            folder = parent
        }
    }

    /// The content of `Tutorial/tour.json`, or an error that says what in it cannot be read.
    func manifest() throws -> Manifest {
        do {
            return try JSONDecoder().decode(Manifest.self, from: Data(read(Manifest.path).utf8))
        } catch let error as DecodingError {
            throw Complaint("\(Manifest.path) cannot be read: \(error.reason)")
        }
    }

    func absolute(_ path: String) -> String { URL(filePath: root).appending(path: path).path() }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: absolute(path)) }

    func read(_ path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: absolute(path)) else {
            throw Complaint("\(path) is missing or cannot be read.")
        }
        return String(decoding: data, as: UTF8.self)
    }

    func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: absolute(path)))
    }

    /// The names in a folder, sorted, without hidden ones; empty if there is no such folder.
    func names(in folder: String) -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: absolute(folder))
        return (names ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: absolute(path), isDirectory: &isFolder) && isFolder.boolValue
    }

    /// Every file below a folder, sorted, without hidden ones.
    func files(under folder: String) -> [String] {
        names(in: folder).flatMap { name in
            let path = "\(folder)/\(name)"
            return isFolder(path) ? files(under: path) : [path]
        }
    }
}

/// An error that says in one sentence what to do.
struct Complaint: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension DecodingError {
    fileprivate var reason: String {
        switch self {
        case .keyNotFound(let key, let context): "'\(key.stringValue)' is missing\(Self.place(context))."
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            "\(context.debugDescription)\(Self.place(context))"
        @unknown default: String(describing: self)
        }
    }

    private static func place(_ context: Context) -> String {
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? "." + $0.stringValue }.joined()
        return path.isEmpty ? "" : " in \(path.trimmingPrefix("."))"
    }
}
