import Glibc

/// The lines of the sources that a recording mentions, if they are on this machine.
enum SourceLines {
    /// The lines of the file that `#fileID` or a C compiler names; nil if there is none.
    static func find(_ name: String) -> [String]? { read(name) ?? path(ofFileID: name).flatMap(read) }

    /// The package of this project, where its own examples are.
    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        .joined(separator: "/")

    /// The file of a module: that of "turn_order/TurnOrder.swift" is in the folder of the example `turn-order`.
    private static func path(ofFileID name: String) -> String? {
        let parts = name.split(separator: "/")
        guard parts.count == 2 else { return nil }
        let (module, file) = (String(parts[0]), String(parts[1]))
        let example = module.replacing("_", "-")
        let chapters = entries("\(root)/Chapters").sorted()
        let folders =
            chapters.map { "Chapters/\($0)/\(example)" }
            + chapters.filter { "Chapter\($0.replacing("-", ""))" == module }.map { "Chapters/\($0)/Module" }
            + ["Sources/\(module)", "Tests/\(module)", "Scratch"]
        return folders.lazy.compactMap { find(file, in: "\(root)/\($0)", depth: 2) }.first
    }

    /// The path of a file in a folder, or in one of the folders in it.
    private static func find(_ file: String, in folder: String, depth: Int) -> String? {
        let entries = entries(folder)
        if entries.contains(file) { return "\(folder)/\(file)" }
        guard depth > 0 else { return nil }
        return entries.filter { !$0.contains(".") }.sorted().lazy
            .compactMap { find(file, in: "\(folder)/\($0)", depth: depth - 1) }.first
    }

    private static func entries(_ directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { names.append(String(cString: $0)) }
            }
        }
        return names.filter { !$0.hasPrefix(".") }
    }

    private static func read(_ path: String) -> [String]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        // Byte by byte, since "\r\n" is one character, which is no "\n".
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            let text = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
            return text.contains("// snippet") ? "" : text
        }
    }
}
