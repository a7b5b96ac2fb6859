import Chapter4Requests
import Tevent

/// A line on the terminal that is overwritten again and again; nothing if there is no terminal.
struct ProgressLine {
    private let isShown = SystemIO.isTerminal(SystemIO.standardError)

    /// Updates the line several times a second while the load runs.
    func keepUpToDate(with load: Request<EchoLoad>, on events: EventContext) throws {
        guard isShown else { return }
        try events.addTimer(after: .zero, under: load) { timer, _ in
            let summary = load.summary
            write("\(summary.messages) messages, \(whole(summary.messagesPerSecond)) a second")
            timer.update(after: .milliseconds(200))
        }
    }

    /// Clears the line for other output.
    func clear() { if isShown { write("") } }

    private func write(_ text: String) {
        // Return to the start of the line, print the text, and clear the rest.
        _ = try? SystemIO.write(SystemIO.standardError, "\r\(text)\u{1B}[K".utf8)
    }
}
