import Foundation

/// What the tour prints: in colour on a terminal, plain otherwise.
struct Report {
    let style: Style

    func isBuilding() { say(style.dim("Building the examples …")) }

    func heading(_ stop: Stop, number: Int, of count: Int) {
        let chapter = "Chapter \(stop.chapter.number), \(stop.chapter.title)"
        say(
            """

            \(style.bold("── \(chapter): \(stop.example.name)")) \(style.dim("(\(number) of \(count))"))
               \(stop.example.summary)
               \(style.dim("file   \(stop.source)"))
               \(style.dim("alone  \(stop.command)"))

            """)
    }

    func outputLine(_ line: Substring) { say(line.isEmpty ? "" : "    " + line) }

    /// Prints the result of a run; returns true if everything was as expected.
    func verdict(on run: Run, expected: String?, after time: Duration) -> Bool {
        if !run.errors.isEmpty { say("\n   standard error:\n" + run.errors.indented) }
        var problems = run.failure.map { [$0] } ?? []
        if let expected, run.output != expected {
            let differences = lineDiff(expected: expected, actual: run.output)
            problems.append(
                "it does not print what \(run.stop.expectedPath) says (- expected, + printed):\n"
                    + differences.map(coloured).joined(separator: "\n").indented)
        }
        if expected == nil {
            problems.append(
                "there is no \(run.stop.expectedPath); if the output is right: "
                    + "swift run tour record \(run.stop.example.name)")
        }
        say(run.output.isEmpty ? "" : "\n", terminator: "")
        for problem in problems { say("   \(style.red("✗")) \(problem)") }
        if problems.isEmpty { say("   \(style.green("✓")) as expected \(style.dim("(\(time.inSeconds))"))") }
        return problems.isEmpty
    }

    func summary(of stops: [Stop], unexpected: [Stop], after time: Duration) {
        let good = stops.count - unexpected.count
        let line =
            "\(stops.count) \(stops.count == 1 ? "example" : "examples") run, \(good) as expected, \(time.inSeconds)"
        say("\n" + (unexpected.isEmpty ? style.green(line) : style.red(line)))
        guard !unexpected.isEmpty else { return }
        say("Not as expected: \(unexpected.map(\.example.name).joined(separator: ", "))")
        say(
            "If what is printed now is right, make it so: swift run tour record "
                + unexpected.map(\.example.name).joined(separator: " "))
    }

    private func coloured(_ line: String) -> String {
        switch line.first {
        case "-": style.red(line)
        case "+": style.green(line)
        default: line
        }
    }
}

/// Colours, or none.
struct Style {
    let isColoured: Bool

    /// Colours on a terminal that can show them, unless the user has set `NO_COLOR`.
    static var forStandardOutput: Style {
        let environment = ProcessInfo.processInfo.environment
        let refuses = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
        return Style(isColoured: isatty(STDOUT_FILENO) == 1 && !refuses)
    }

    func bold(_ text: String) -> String { wrap(text, "1") }
    func dim(_ text: String) -> String { wrap(text, "2") }
    func red(_ text: String) -> String { wrap(text, "31") }
    func green(_ text: String) -> String { wrap(text, "32") }

    private func wrap(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// Prints immediately, so that a reader behind a pipe keeps up.
func say(_ text: String, terminator: String = "\n") {
    print(text, terminator: terminator)
    fflush(nil)
}
