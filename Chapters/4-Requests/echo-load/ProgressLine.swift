import Chapter4Requests
import Tevent

/// One line on the terminal that is written anew again and again; nothing at all where nobody looks.
struct ProgressLine {
    private let isShown = SystemIO.isTerminal(SystemIO.standardError)

    /// Shows several times a second how far the load has come.
    func keepUpToDate(with load: Request<EchoLoad>, on events: EventContext) throws {
        guard isShown else { return }
        try events.addTimer(after: .zero, under: load) { timer, _ in
            let summary = load.summary
            write("\(summary.messages) messages, \(whole(summary.messagesPerSecond)) a second")
            timer.update(after: .milliseconds(200))
        }
    }

    /// Leaves the line to others.
    func clear() { if isShown { write("") } }

    private func write(_ text: String) {
        // Back to the beginning of the line, the text, and nothing behind it.
        _ = try? SystemIO.write(SystemIO.standardError, "\r\(text)\u{1B}[K".utf8)
    }
}
