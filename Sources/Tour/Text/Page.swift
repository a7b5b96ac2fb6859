/// A Markdown page, split into prose and fenced blocks.
struct Page {
    /// Where the content of a fenced block comes from, according to the comment directly above it.
    enum Source: Equatable {
        /// `<!-- code: PATH#SNIPPET -->`.
        case code(path: String, snippet: String)
        /// `<!-- output: EXAMPLE -->`.
        case output(example: String)
        /// No comment: the content was typed.
        case typed
    }

    /// A fenced block.
    struct Block {
        let source: Source
        /// The line of the comment, or of the fence if there is no comment.
        let line: Int
        let indentation: String
        let language: String
        let body: [String]
        /// Whether a fence follows the comment, and is closed.
        let isComplete: Bool
    }

    enum Part {
        case prose(Substring, line: Int)
        case block(Block)
    }

    let path: String
    let text: String
    let parts: [Part]

    var blocks: [Block] {
        parts.compactMap { if case .block(let block) = $0 { block } else { nil } }
    }

    init(path: String, text: String) {
        self.path = path
        self.text = text
        var reader = PageReader(lines: text.lines)
        parts = reader.parts()
    }

    /// The page with the body of each block replaced; nil leaves a block unchanged.
    func text(replacing body: (Block) -> (language: String, body: [String])?) -> String {
        let original = text.lines
        var lines: [String] = []
        var next = 0
        for part in parts {
            switch part {
            case .prose(let line, _):
                lines.append(String(line))
                next += 1
            case .block(let block):
                let end = next + block.lineCount
                if let (language, body) = body(block) {
                    lines.append(String(original[next]))
                    let fence = fence(for: body)
                    lines += ([fence + language] + body + [fence]).map { $0.isEmpty ? "" : block.indentation + $0 }
                } else {
                    lines += original[next..<end].map(String.init)
                }
                next = end
            }
        }
        return lines.joined(separator: "\n")
    }

    /// A fence longer than any in the body.
    private func fence(for body: [String]) -> String {
        let longest = body.map { $0.drop(while: \.isWhitespace).prefix { $0 == "`" }.count }.max() ?? 0
        return String(repeating: "`", count: max(3, longest + 1))
    }
}

extension Page.Block {
    /// How many lines of the page the block takes, including comment and fences.
    fileprivate var lineCount: Int {
        let comment = source == .typed ? 0 : 1
        return isComplete ? comment + body.count + 2 : max(1, comment) + body.count
    }
}

/// Reads a page from top to bottom.
private struct PageReader {
    let lines: [Substring]
    var next = 0

    init(lines: [Substring]) { self.lines = lines }

    mutating func parts() -> [Page.Part] {
        var parts: [Page.Part] = []
        while next < lines.count {
            let line = lines[next]
            let start = next
            next += 1
            if let source = source(line) {
                parts.append(
                    .block(block(source, from: start, indentation: String(line.prefix(while: \.isWhitespace)))))
            } else if line.wholeMatch(of: fencePattern) != nil {
                next = start
                parts.append(.block(block(.typed, from: start, indentation: "")))
            } else {
                parts.append(.prose(line, line: start + 1))
            }
        }
        return parts
    }

    private func source(_ line: Substring) -> Page.Source? {
        if let match = line.wholeMatch(of: /\s{0,3}<!--\s*code:\s*(.*?)\s*-->\s*/) {
            let parts = match.1.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            return .code(path: String(parts[0]), snippet: parts.count > 1 ? String(parts[1]) : "")
        }
        if let match = line.wholeMatch(of: /\s{0,3}<!--\s*output:\s*(.*?)\s*-->\s*/) {
            return .output(example: String(match.1))
        }
        return nil
    }

    /// Reads the fence at the next line, if there is one, up to its end.
    private mutating func block(_ source: Page.Source, from start: Int, indentation: String) -> Page.Block {
        func made(language: String, body: [String], isComplete: Bool) -> Page.Block {
            Page.Block(
                source: source, line: start + 1, indentation: indentation, language: language, body: body,
                isComplete: isComplete)
        }
        guard next < lines.count, let match = lines[next].wholeMatch(of: fencePattern) else {
            return made(language: "", body: [], isComplete: false)
        }
        let language = String(match.2.prefix { !$0.isWhitespace })
        guard let end = lines[(next + 1)...].firstIndex(where: { isEnd($0, of: match.1) }) else {
            let body = lines[(next + (source == .typed ? 1 : 0))...].map(String.init)
            next = lines.count
            return made(language: language, body: body, isComplete: false)
        }
        let body = lines[(next + 1)..<end].map { line in
            String(line.hasPrefix(indentation) ? line.dropFirst(indentation.count) : line)
        }
        next = end + 1
        return made(language: language, body: body, isComplete: true)
    }

    private func isEnd(_ line: Substring, of fence: Substring) -> Bool {
        let line = line.drop(while: \.isWhitespace)
        return line.hasPrefix(fence) && line.allSatisfy { $0 == fence.first || $0.isWhitespace }
    }
}

private var fencePattern: Regex<(Substring, Substring, Substring)> { /\s{0,3}(`{3,}|~{3,})\s*([^`]*)/ }
