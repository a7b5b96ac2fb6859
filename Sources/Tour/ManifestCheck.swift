/// Something wrong at one place of the project, and how to fix it.
struct Fault: CustomStringConvertible {
    let path: String
    var line: Int?
    let problem: String
    let remedy: String

    var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(problem)\n    \(remedy)" }
}

extension Repository {
    /// The differences between the manifest and the folders.
    func faults(of manifest: Manifest) -> [Fault] {
        disorder(in: manifest) + missing(from: manifest) + orphans(of: manifest)
    }

    private func disorder(in manifest: Manifest) -> [Fault] {
        var faults: [Fault] = []
        let numbers = manifest.chapters.map(\.number)
        if numbers != numbers.indices.map({ $0 + 1 }) {
            faults.append(
                Fault(
                    path: Manifest.path, problem: "the chapters are numbered \(numbers)",
                    remedy: "Number them 1, 2, 3 … in order."))
        }
        let names = Dictionary(grouping: manifest.stops.map(\.example.name)) { $0 }
        for name in names.filter({ $0.value.count > 1 }).keys.sorted() {
            faults.append(
                Fault(
                    path: Manifest.path, problem: "two examples are called '\(name)'",
                    remedy: "Rename one, here, its folder and in Package.swift."))
        }
        return faults
    }

    private func missing(from manifest: Manifest) -> [Fault] {
        var faults: [Fault] = []
        for chapter in manifest.chapters where !exists(chapter.text) {
            faults.append(
                Fault(
                    path: chapter.text, problem: "chapter \(chapter.number) has no text",
                    remedy: "Write it, or correct 'text' in \(Manifest.path)."))
        }
        for stop in manifest.stops {
            let name = stop.example.name
            if !exists(stop.source) {
                faults.append(
                    Fault(
                        path: stop.source, problem: "the example '\(name)' has no program",
                        remedy: "Write it, or take the example out of \(Manifest.path) and Package.swift."))
            } else if !exists(stop.expectedPath) {
                faults.append(
                    Fault(
                        path: stop.expectedPath, problem: "there is no expected output for '\(name)'",
                        remedy: "Look at its output, then: swift run tour record \(name)"))
            }
        }
        return faults
    }

    private func orphans(of manifest: Manifest) -> [Fault] {
        let known = Set(manifest.stops.map(\.folder))
        let chapters = Set(manifest.chapters.map(\.folder))
        return names(in: "Chapters").flatMap { name -> [Fault] in
            let chapter = "Chapters/\(name)"
            guard isFolder(chapter) else { return [] }
            guard chapters.contains(chapter) else {
                return [
                    Fault(
                        path: chapter, problem: "the tour does not know this chapter",
                        remedy: "Add it to \(Manifest.path) and Package.swift, or remove the folder.")
                ]
            }
            // The chapter's library, its C listings and the files that must not compile are not examples.
            let others = ["C", "Module", "does-not-compile"]
            let folders = names(in: chapter).filter { !others.contains($0) }.map { "\(chapter)/\($0)" }
            return folders.filter { isFolder($0) && !known.contains($0) }.map { folder in
                Fault(
                    path: folder, problem: "the tour does not know this example",
                    remedy: "Add it to \(Manifest.path) and Package.swift, or remove the folder.")
            }
        }
    }
}
