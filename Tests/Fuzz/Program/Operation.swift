/// One step of a random program.
///
/// Everything that it does is decided when the program is generated: which registers it uses, which values, and what
/// the foreign code does that it passes to the engine. A step can therefore be left out without changing the others.
struct Operation: Sendable {
    /// The number of the step, counted through all scripts; `--keep` selects steps by it.
    let number: Int
    let kind: Kind
    // Numbers below 64, which each kind reads in its own way.
    let a: Int
    let b: Int
    let c: Int
    let d: Int
    /// Whether it checks nothing before it acts, so that it may be the misuse that the engine has to notice.
    let isCareless: Bool
    /// What the foreign code does each time the engine calls it.
    let script: [Operation]
    /// What the foreign code does when it is released.
    let farewell: [Operation]

    /// The step in one line, and the scripts of its foreign code below it.
    func lines(_ indent: String = "", where isKept: (Operation) -> Bool = { _ in true }) -> [String] {
        guard isKept(self) else { return [] }
        var lines = ["\(indent)#\(number) \(isCareless ? "carelessly: " : "")\(words)"]
        lines += script.flatMap { $0.lines(indent + "    ", where: isKept) }
        let farewell = farewell.flatMap { $0.lines(indent + "    ", where: isKept) }
        return lines + (farewell.isEmpty ? [] : ["\(indent)  when it is released:"] + farewell)
    }

    /// A step without scripts that belongs to no program, and is always done.
    static func fixed(_ kind: String, a: Int = 0, b: Int = 0, c: Int = 0, d: Int = 0) -> Operation {
        Operation(
            number: 0, kind: .named(kind), a: a, b: b, c: c, d: d, isCareless: false, script: [], farewell: [])
    }

    /// The step and all steps of its scripts.
    var flattened: [Operation] { [self] + (script + farewell).flatMap(\.flattened) }

    /// What it does, with its own registers and values in place of `{…}`.
    var words: String { words(of: kind.words[...]) }

    private func words(of text: Substring) -> String {
        var words = ""
        var rest = text
        while let open = rest.firstIndex(of: "{"), let close = closingBrace(in: rest[open...]) {
            words += rest[..<open] + value(of: rest[rest.index(after: open)..<close])
            rest = rest[rest.index(after: close)...]
        }
        return words + rest
    }

    /// The end of the brace that a text begins with; there may be others in between.
    private func closingBrace(in text: Substring) -> Substring.Index? {
        var depth = 0
        return text.indices.first { index in
            depth += text[index] == "{" ? 1 : text[index] == "}" ? -1 : 0
            return depth == 0
        }
    }

    /// The text for a placeholder: `a` is a register, `a@` an object of any kind, `a#` the number itself, and `a:x|y` a
    /// choice, which may contain placeholders.
    private func value(of placeholder: Substring) -> String {
        let number = ["a": a, "b": b, "c": c, "d": d][placeholder.prefix(1)] ?? 0
        switch placeholder.dropFirst().first {
        case "@": return Register(any: number).description
        case "#": return String(number)
        case ":":
            let choices = placeholder.dropFirst(2).split(separator: "|", omittingEmptySubsequences: false)
            return words(of: choices[number % choices.count])
        default: return String(number % Register.count)
        }
    }
}

/// A kind of step.
final class Kind: Sendable {
    /// The foreign code that a step of this kind passes to the engine.
    enum ForeignCode: Sendable {
        case none
        /// A script that runs now, as part of the step.
        case inside
        /// A closure or value that the engine keeps, with a script for when it is released.
        case kept
        /// An async function, some of whose steps wait.
        case task
    }

    /// Its name on the command line and in the tables of the classes.
    let name: String
    /// What a step of it does, with placeholders for registers and values.
    let words: String
    /// How often it comes, relative to the others of its table.
    let share: Int
    let foreign: ForeignCode
    let perform: @Sendable (World, Operation) throws -> Void
    /// What it does instead if only a task can do it, because it waits.
    let wait: (@Sendable (World, Operation, TaskModel) async throws -> Void)?

    init(
        _ name: String, _ words: String, share: Int = 2, _ foreign: ForeignCode = .none,
        _ perform: @escaping @Sendable (World, Operation) throws -> Void
    ) {
        self.name = name
        self.words = words
        self.share = share
        self.foreign = foreign
        self.perform = perform
        wait = nil
    }

    /// A kind of step that waits, and comes only in tasks.
    init(
        waiting name: String, _ words: String, share: Int = 2, _ foreign: ForeignCode = .none,
        _ wait: @escaping @Sendable (World, Operation, TaskModel) async throws -> Void
    ) {
        self.name = name
        self.words = words
        self.share = share
        self.foreign = foreign
        perform = { _, _ in }
        self.wait = wait
    }
}
