import Foundation

/// Reports progress on standard error, where it does not mix with the table.
///
/// On a terminal, one line is overwritten again and again; elsewhere, such as in a log, each step has its own line.
struct Progress {
    private let isTerminal = isatty(STDERR_FILENO) == 1

    /// Shows a step, with a detail that appears only on terminals.
    func show(_ step: String, _ detail: String) {
        if isTerminal { write("\r\u{1B}[K\(step): \(detail)") }
    }

    /// Starts a step.
    func begin(_ step: String) { write(isTerminal ? "\r\u{1B}[K\(step)" : step + "\n") }

    /// Prints a line that stays.
    func say(_ words: String) { write((isTerminal ? "\r\u{1B}[K" : "") + words + "\n") }

    /// Clears the progress line.
    func end() { if isTerminal { write("\r\u{1B}[K") } }

    private func write(_ words: String) { FileHandle.standardError.write(Data(words.utf8)) }
}
