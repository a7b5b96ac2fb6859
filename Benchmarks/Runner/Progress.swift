import Foundation

/// Tells what is under way, on the standard errors, where it does not mix with the table.
///
/// On a terminal one line is written again and again; elsewhere, such as in a log, there is a line for each step.
struct Progress {
    private let isTerminal = isatty(STDERR_FILENO) == 1

    /// A step, with what is done at the moment: that is shown on terminals only.
    func show(_ step: String, _ detail: String) {
        if isTerminal { write("\r\u{1B}[K\(step): \(detail)") }
    }

    /// Begins a step.
    func begin(_ step: String) { write(isTerminal ? "\r\u{1B}[K\(step)" : step + "\n") }

    /// Says something that is to stay.
    func say(_ words: String) { write((isTerminal ? "\r\u{1B}[K" : "") + words + "\n") }

    /// Takes the line away.
    func end() { if isTerminal { write("\r\u{1B}[K") } }

    private func write(_ words: String) { FileHandle.standardError.write(Data(words.utf8)) }
}
