import Tevent

/// Remembers who did what, in order, and prints it in columns.
///
/// It is a class because handlers share it: each writes its line into the same log.
public final class EventLog: CustomStringConvertible {
    /// One line of the log.
    public struct Entry: Equatable, Sendable {
        /// What a manual clock showed, counted from when the log was made; nil without such a clock.
        public let time: Duration?
        /// Who did something: a kind of event, a context, a call.
        public let who: String
        /// What was done.
        public let what: String
    }

    /// The lines, oldest first.
    public private(set) var entries: [Entry] = []

    private let clock: ManualClock?
    private let start: EventInstant

    /// Makes an empty log.
    ///
    /// - Parameter clock: A clock whose time stands before each line. Real time does not: it differs with each run.
    public init(clock: ManualClock? = nil) {
        self.clock = clock
        start = clock?.now ?? .zero
    }

    /// Adds a line.
    public func add(_ who: String, _ what: String) {
        entries.append(Entry(time: clock.map { start.duration(to: $0.now) }, who: who, what: what))
    }

    /// Who did something, in order.
    public var who: [String] { entries.map(\.who) }

    /// The lines in columns, without a line break at the end.
    public var description: String {
        let rows = entries.map { entry in [entry.time.map(inSeconds), entry.who, entry.what].compactMap { $0 } }
        let widths = (rows.first ?? []).indices.dropLast().map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count + 2) }.joined() + (row.last ?? "")
        }.joined(separator: "\n")
    }
}

/// A duration in words that are short for whole seconds, such as "2 s" or "0.25 s".
public func inSeconds(_ duration: Duration) -> String {
    let text = "\(duration / .seconds(1))"
    return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " s"
}
