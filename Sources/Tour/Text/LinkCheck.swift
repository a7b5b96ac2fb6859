import Foundation

/// Checks that what the pages link to inside the project exists: files, pictures and headings.
struct LinkCheck {
    let repository: Repository
    let pages: [Page]

    func faults() -> [Fault] {
        pages.flatMap { page in
            page.links.compactMap { link in
                problem(of: link.target, in: page).map {
                    Fault(
                        path: page.path, line: link.line, problem: "the link to '\(link.target)' \($0)",
                        remedy: "Correct it, or take it out.")
                }
            }
        }
    }

    private func problem(of target: String, in page: Page) -> String? {
        if target.prefixMatch(of: /[A-Za-z][A-Za-z0-9+.-]*:|\/\//) != nil { return nil }
        let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let file = parts[0].removingPercentEncoding ?? String(parts[0])
        let path = file.isEmpty ? page.path : resolved(file, from: page.path)
        guard let path else { return "leads out of the project" }
        guard repository.exists(path) else { return "points to nothing" }
        guard parts.count > 1 else { return nil }
        guard path.hasSuffix(".md") else { return "names a place in a file that is no page; link to the file" }
        let text = pages.first { $0.path == path } ?? Page(path: path, text: (try? repository.read(path)) ?? "")
        return text.headings.contains(String(parts[1])) ? nil : "names a heading that \(path) does not have"
    }

    /// The path from the root, or nil if it leads out of the project.
    private func resolved(_ target: String, from page: String) -> String? {
        var folders = target.hasPrefix("/") ? [] : Array(page.split(separator: "/").dropLast())
        for part in target.split(separator: "/") where part != "." {
            if part != ".." {
                folders.append(part)
            } else if folders.popLast() == nil {
                return nil
            }
        }
        return folders.joined(separator: "/")
    }
}

extension Page {
    /// The targets of the links in the prose, with their lines; links in code do not count.
    fileprivate var links: [(target: String, line: Int)] {
        parts.flatMap { part -> [(target: String, line: Int)] in
            guard case .prose(let line, let number) = part else { return [] }
            let prose = line.replacing(/`[^`]*`/, with: "")
            let inline = prose.matches(of: /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/).map { $0.1 }
            let references = prose.matches(of: /^\s*\[[^\]]+\]:\s*<?([^\s>]+)/).map { $0.1 }
            let tags = prose.matches(of: /(?:src|href)="([^"]+)"/).map { $0.1 }
            return (inline + references + tags).map { (String($0), number) }
        }
    }

    /// The names by which links reach headings, formed as GitHub does.
    fileprivate var headings: Set<String> {
        var names = Set<String>()
        for case .prose(let line, _) in parts {
            for match in line.matches(of: /<a (?:id|name)="([^"]+)"/) { names.insert(String(match.1)) }
            guard let match = line.wholeMatch(of: /\s{0,3}#{1,6}\s+(.*?)\s*#*\s*/) else { continue }
            let text = match.1.replacing(/!?\[([^\]]*)\]\([^)]*\)/) { $0.1 }
            let name = text.lowercased().compactMap { character -> Character? in
                if character == " " { return "-" }
                return character.isLetter || character.isNumber || character == "-" || character == "_"
                    ? character : nil
            }
            let slug = String(name)
            let twin = (1...).first { !names.contains("\(slug)-\($0)") }
            names.insert(names.contains(slug) ? "\(slug)-\(twin ?? 1)" : slug)
        }
        return names
    }
}
