import Glibc

/// The lines of the sources that a recording mentions, if they are on this machine.
enum SourceLines {
    /// The lines of the file that `#fileID` or a C compiler names; nil if there is none, or several could be meant.
    static func find(_ name: String) -> [String]? {
        read(name) ?? candidates(name).lazy.compactMap { read("\(root)/\($0)") }.first
    }

    /// The package of this project, where its own examples are.
    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        .joined(separator: "/")

    /// Where the file of a module may be: "turn_order/TurnOrder.swift" is in the folder of the example `turn-order`.
    private static func candidates(_ name: String) -> [String] {
        let parts = name.split(separator: "/")
        guard parts.count == 2 else { return [] }
        let (module, file) = (String(parts[0]), parts[1])
        let folder = module.replacing("_", "-")
        let chapters = entries("\(root)/Chapters").sorted()
        return chapters.map { "Chapters/\($0)/\(folder)/\(file)" }
            + chapters.filter { "Chapter\($0.replacing("-", ""))" == module }.map {
                "Chapters/\($0)/Module/\(file)"
            }
            + ["Sources/\(module)/\(file)", "Tests/\(module)/\(file)", "Scratch/\(file)"]
            + (module == "Tevent" ? entries("\(root)/Sources/Tevent").map { "Sources/Tevent/\($0)/\(file)" } : [])
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
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.contains("// snippet") ? "" : String($0) }
    }
}
