/// The tutorial's pages, the sources they are cut from, and the connection between the two.
struct TutorialText {
    let repository: Repository
    let manifest: Manifest
    let sources: [String: SnippetFile]
    private(set) var pages: [Page]

    /// Reads every page, and every source file that a snippet can be cut from.
    init(repository: Repository, manifest: Manifest) throws {
        self.repository = repository
        self.manifest = manifest
        let folders = ["Chapters", "Sources", "Tests", "Benchmarks"]
        let paths = folders.flatMap(repository.files(under:)) + ["Package.swift", "Makefile"].filter(repository.exists)
        var sources: [String: SnippetFile] = [:]
        for path in paths where language(of: path) != nil {
            sources[path] = SnippetFile(path: path, text: try repository.read(path))
        }
        self.sources = sources
        let outside = ["README.md", "CONTRIBUTING.md"].filter(repository.exists)
        let tutorial = repository.files(under: "Tutorial").filter { $0.hasSuffix(".md") }
        pages = try (outside + tutorial).map { Page(path: $0, text: try repository.read($0)) }
    }

    /// Fills every block from its source, and returns the names of the pages that this changed.
    mutating func rewrite() throws -> [String] {
        var changed: [String] = []
        for (index, page) in pages.enumerated() {
            let text = page.text { block in block.isComplete || block.body.isEmpty ? content(for: block) : nil }
            guard text != page.text else { continue }
            try repository.write(text, to: page.path)
            pages[index] = Page(path: page.path, text: text)
            changed.append(page.path)
        }
        return changed
    }

    /// What a block should contain, or nil if it is typed or its source does not exist.
    func content(for block: Page.Block) -> (language: String, body: [String])? {
        switch block.source {
        case .typed:
            return nil
        case .code(let path, let name):
            guard let snippet = sources[path]?.snippets.first(where: { $0.name == name }) else { return nil }
            return (language(of: path) ?? "", snippet.code)
        case .output(let example):
            guard let stop = manifest.stops.first(where: { $0.example.name == example }),
                let output = try? repository.read(stop.expectedPath)
            else { return nil }
            var lines = output.lines.map(String.init)
            if lines.last == "" { lines.removeLast() }
            return ("text", lines)
        }
    }
}

/// The language of the fence for a source file; nil for a file that snippets are not cut from.
private func language(of path: String) -> String? {
    let name = path.split(separator: "/").last ?? ""
    if name == "Makefile" { return "make" }
    return switch name.split(separator: ".").last {
    case "swift": "swift"
    case "c", "h": "c"
    default: nil
    }
}
