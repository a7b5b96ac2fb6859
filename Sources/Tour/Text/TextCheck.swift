extension TutorialText {
    /// Everything that is wrong with the text and with what it is made of.
    func faults() -> [Fault] {
        repository.faults(of: manifest)
            + sources.keys.sorted().flatMap { sources[$0]?.faults ?? [] }
            + pages.flatMap(faults(in:))
            + unusedSnippets()
            + outputsNotShown()
            + LinkCheck(repository: repository, pages: pages).faults()
    }

    private func faults(in page: Page) -> [Fault] {
        page.blocks.compactMap { block in
            problem(of: block, in: page).map {
                Fault(path: page.path, line: block.line, problem: $0.problem, remedy: $0.remedy)
            }
        }
    }

    private func problem(of block: Page.Block, in page: Page) -> (problem: String, remedy: String)? {
        if case .typed = block.source {
            if !block.isComplete { return ("the fence never ends", "End it with ``` on a line of its own.") }
            guard block.language == "swift", page.path.hasPrefix("Tutorial/") else { return nil }
            return (
                "Swift code that was typed, not cut from a file that compiles",
                "Put it into a source between snippet markers, and <!-- code: PATH#NAME --> above the fence."
            )
        }
        guard let content = content(for: block) else { return unknownSource(of: block) }
        guard block.isComplete else {
            return ("no complete fence follows the comment", "Run: make text")
        }
        if block.language == content.language, block.body == content.body { return nil }
        return ("not what its source says now", "Run: make text")
    }

    private func unknownSource(of block: Page.Block) -> (problem: String, remedy: String)? {
        switch block.source {
        case .typed:
            return nil
        case .output(let example):
            let names = manifest.stops.map(\.example.name)
            if names.contains(example) { return nil }
            return ("no example is called '\(example)'", suggestion(for: example, among: names))
        case .code(let path, let name):
            guard let file = sources[path] else {
                return ("there is no source file '\(path)'", suggestion(for: path, among: Array(sources.keys).sorted()))
            }
            return ("\(path) has no snippet '\(name)'", suggestion(for: name, among: file.snippets.map(\.name)))
        }
    }

    private func suggestion(for name: String, among names: [String]) -> String {
        nearest(to: name, among: names).map { "Did you mean '\($0)'?" } ?? "There is none to choose from yet."
    }

    private func unusedSnippets() -> [Fault] {
        let used = pages.flatMap(\.blocks).map(\.source)
        return sources.keys.sorted().flatMap { path in
            (sources[path]?.snippets ?? []).filter { !used.contains(.code(path: path, snippet: $0.name)) }.map {
                Fault(
                    path: path, line: $0.line, problem: "no page shows the snippet '\($0.name)'",
                    remedy: "Show it with <!-- code: \(path)#\($0.name) -->, or remove its markers.")
            }
        }
    }

    private func outputsNotShown() -> [Fault] {
        let shown = pages.filter { $0.path.hasPrefix("Tutorial/") }.flatMap(\.blocks).map(\.source)
        return manifest.stops.filter { !shown.contains(.output(example: $0.example.name)) }.map { stop in
            Fault(
                path: stop.chapter.text, problem: "no page shows what '\(stop.example.name)' prints",
                remedy: "Show it with <!-- output: \(stop.example.name) --> here.")
        }
    }
}
