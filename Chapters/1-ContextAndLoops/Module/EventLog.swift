import Tevent

/// A log of what happened, in order, printed in columns.
///
/// It is a class because handlers share it: all of them write to the same log.
public final class EventLog: CustomStringConvertible {
    /// One line of the log.
    public struct Entry: Equatable, Sendable {
        /// The time on the manual clock since the log was created; nil without such a clock.
        public let time: Duration?
        /// What acted: a kind of event, a context, a call.
        public let who: String
        /// What it did.
        public let what: String
    }

    /// The lines, oldest first.
    public private(set) var entries: [Entry] = []

    private let clock: ManualClock?
    private let start: EventInstant

    /// Creates an empty log.
    ///
    /// - Parameter clock: A clock whose time precedes each line. Real time does not, since it differs in each run.
    public init(clock: ManualClock? = nil) {
        self.clock = clock
        start = clock?.now ?? .zero
    }

    /// Adds a line.
    public func add(_ who: String, _ what: String) {
        entries.append(Entry(time: clock.map { start.duration(to: $0.now) }, who: who, what: what))
    }

    /// What acted, in order.
    public var who: [String] { entries.map(\.who) }

    /// The lines in columns, without a newline at the end.
    public var description: String {
        let rows = entries.map { entry in [entry.time.map(inSeconds), entry.who, entry.what].compactMap { $0 } }
        let widths = (rows.first ?? []).indices.dropLast().map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count + 2) }.joined() + (row.last ?? "")
        }.joined(separator: "\n")
    }
}

/// A duration as text, short for whole seconds: "2 s" or "0.25 s".
public func inSeconds(_ duration: Duration) -> String {
    let text = "\(duration / .seconds(1))"
    return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " s"
}
