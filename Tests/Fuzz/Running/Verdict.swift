import ChildProcess

/// How a program ended its process.
struct Verdict: Sendable, Equatable {
    enum Kind: String, Sendable {
        /// The engine ended it and gave the reason: correct for misuse, wrong for anything else.
        case trap = "trap"
        /// It was ended by something other than the engine.
        case foreignTrap = "trap without a message of the engine"
        case crash = "crash"
        case sanitizer = "sanitizer"
        case leak = "leak"
        case hang = "hang"
        case complaint = "complaint"
    }

    let kind: Kind
    let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The verdict on a process that ended with these errors; nil if all is well.
    init?(_ ending: Ending?, errors: String) {
        let lines = errors.split(separator: "\n").map(String.init)
        if lines.contains(where: { $0.contains("Sanitizer: stack-overflow") }) {
            // Where in a recursion the stack ended is different each time, and the summary is not always written.
            self.init(.sanitizer, "stack-overflow")
        } else if let summary = lines.first(where: { $0.hasPrefix("SUMMARY: ") }) {
            let isLeak = lines.contains { $0.contains("LeakSanitizer: detected memory leaks") }
            self.init(isLeak ? .leak : .sanitizer, String(summary.dropFirst("SUMMARY: ".count)))
        } else if let line = lines.first(where: Self.tellsOfTrap), case .signalled(let signal) = ending,
            Self.trapSignals.contains(signal)
        {
            let isOwn = line.hasPrefix("Talloc/Abort.swift:")
            self.init(isOwn ? .trap : .foreignTrap, isOwn ? Self.afterPlace(line) : line)
        } else {
            switch ending {
            case .exited(0): return nil
            case .exited(let code): self.init(.crash, "exit code \(code): \(lines.last ?? "")")
            case .signalled(let signal): self.init(.crash, "signal \(signal)")
            case nil: self.init(.hang, "it did not end in time")
            }
        }
    }

    /// Equal for all programs with the same fault: it contains no numbers or addresses.
    var signature: String {
        "\(kind.rawValue): \(message)".split(whereSeparator: \.isHexDigit).joined(separator: "#")
    }

    var description: String { "\(kind.rawValue): \(message)" }

    /// Whether a program of this class must not end like this.
    func isFinding(for programClass: ProgramClass) -> Bool { kind != .trap || !programClass.allowsTraps }

    private static func tellsOfTrap(_ line: String) -> Bool {
        line.contains("Fatal error: ") || line.contains("Fatal access conflict")
    }

    /// The signals of traps: `SIGILL`, `SIGTRAP` and `SIGABRT`.
    private static let trapSignals: Set<Int32> = [4, 5, 6]

    private static func afterPlace(_ line: String) -> String {
        String(line.split(separator: ": ", maxSplits: 2).last ?? "")
    }
}
