import Talloc
import Tevent

/// A snapshot of a context's lists of events, one list for each kind.
///
/// Each list is in the order in which the loop serves it, and each event is named after its place: the first timer is
/// "timer 1".
public struct EventLists: CustomStringConvertible {
    /// A kind of event, in the order in which a turn of the loop looks for them.
    public enum Kind: String, CaseIterable, Sendable {
        /// Events that happen when a signal arrives.
        case signal
        /// Events that happen as soon as the loop runs.
        case immediate
        /// Events that happen at a point in time.
        case timer
        /// Events that happen when a descriptor is ready.
        case descriptor
    }

    /// One event of a list.
    public struct Entry {
        /// The list that it is in.
        public let kind: Kind
        /// Its place in the list; the first is 1.
        public let place: Int
        /// What it waits for, such as "SIGINT" or "in 2 s".
        public let waitsFor: String
        /// The event's chunk, to find it in a tree.
        public let memory: TallocContext

        /// Its kind and place, such as "timer 1".
        public var name: String { "\(kind.rawValue) \(place)" }
    }

    /// All events: the signals first, then the immediates, the timers and the descriptors.
    public let entries: [Entry]

    // snippet: lists
    /// Takes a snapshot of a context's lists.
    public init(of events: EventContext) {
        let now = events.now
        entries =
            Self.list(.signal, events.signals) { "\($0.signal)" }
            + Self.list(.immediate, events.immediates) { _ in "next turn" }
            + Self.list(.timer, events.timers) { $0.deadline.map { "in \(inSeconds(now.duration(to: $0)))" } ?? "" }
            + Self.list(.descriptor, events.descriptors) { "\($0.descriptor), \($0.flags)" }
    }
    // snippet-end: lists

    private static func list<Kept: Event>(
        _ kind: Kind, _ events: [Kept], waitsFor: (Kept) -> String
    ) -> [Entry] {
        events.enumerated().map { index, event in
            Entry(kind: kind, place: index + 1, waitsFor: waitsFor(event), memory: event.tallocContext)
        }
    }

    /// The events of one kind, in the order in which the loop serves them.
    public subscript(kind: Kind) -> [Entry] { entries.filter { $0.kind == kind } }

    /// One line for each kind, without a newline at the end.
    public var description: String {
        Kind.allCases.map { kind in
            let events = self[kind].map { "[\($0.waitsFor)]" }.joined(separator: " ")
            let title = "\(kind.rawValue)s"
            return title + String(repeating: " ", count: 13 - title.count) + (events.isEmpty ? "none" : events)
        }.joined(separator: "\n")
    }
}
