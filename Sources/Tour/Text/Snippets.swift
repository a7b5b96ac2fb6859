/// A stretch of a source file that the tutorial can show, between `// snippet: NAME` and `// snippet-end: NAME`.
struct Snippet {
    let name: String
    /// The line where it begins, for messages.
    let line: Int
    /// Its code, without the markers and without the indentation that all its lines share.
    let code: [String]
}

/// The snippets of one source file, and the errors in its markers.
struct SnippetFile {
    let path: String
    private(set) var snippets: [Snippet] = []
    private(set) var faults: [Fault] = []

    /// Finds the snippets; they may nest and overlap.
    init(path: String, text: String) {
        self.path = path
        var open: [(name: String, line: Int, code: [String])] = []
        for (index, line) in text.lines.enumerated() {
            switch Marker(line) {
            case nil:
                for i in open.indices { open[i].code.append(String(line)) }
            case .begin(let name):
                begin(name, at: index + 1, &open)
            case .end(let name):
                guard let i = open.firstIndex(where: { $0.name == name }) else {
                    fault(index + 1, "'snippet-end: \(name)' ends what never began", "Put 'snippet: \(name)' above it.")
                    continue
                }
                close(open.remove(at: i))
            }
        }
        for (name, line, _) in open {
            fault(line, "the snippet '\(name)' has no end", "Put 'snippet-end: \(name)' where it ends.")
        }
    }

    private mutating func begin(_ name: String, at line: Int, _ open: inout [(name: String, line: Int, code: [String])])
    {
        if name.isEmpty || !name.allSatisfy({ $0.isLowercase || $0.isNumber || $0 == "-" }) {
            fault(line, "'\(name)' is no name for a snippet", "Use small letters, digits and hyphens.")
        }
        if snippets.contains(where: { $0.name == name }) || open.contains(where: { $0.name == name }) {
            fault(line, "the file has another snippet called '\(name)'", "Rename one of the two.")
        }
        open.append((name, line, []))
    }

    private mutating func close(_ snippet: (name: String, line: Int, code: [String])) {
        let code = trimmed(snippet.code)
        if code.isEmpty {
            fault(snippet.line, "the snippet '\(snippet.name)' is empty", "Move its end below the code, or remove it.")
        }
        snippets.append(Snippet(name: snippet.name, line: snippet.line, code: code))
    }

    private mutating func fault(_ line: Int, _ problem: String, _ remedy: String) {
        faults.append(Fault(path: path, line: line, problem: problem, remedy: remedy))
    }
}

/// A line that begins or ends a snippet: nothing but a `//` or `#` comment.
private enum Marker {
    case begin(String)
    case end(String)

    init?(_ line: Substring) {
        guard let match = line.wholeMatch(of: /\s*(?:\/\/|#)\s*(snippet|snippet-end):\s*(.*?)\s*/) else { return nil }
        self = match.1 == "snippet" ? .begin(String(match.2)) : .end(String(match.2))
    }
}

/// Drops empty lines at both ends, and the indentation that all lines share.
private func trimmed(_ lines: [String]) -> [String] {
    let isBlank = { (line: String) in line.allSatisfy(\.isWhitespace) }
    guard let first = lines.firstIndex(where: { !isBlank($0) }), let last = lines.lastIndex(where: { !isBlank($0) })
    else { return [] }
    let kept = lines[first...last]
    let indentation = kept.filter { !isBlank($0) }.map { $0.prefix(while: \.isWhitespace).count }.min() ?? 0
    return kept.map { isBlank($0) ? "" : String($0.dropFirst(indentation)) }
}
