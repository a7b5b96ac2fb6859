import Talloc
import Tevent

extension EventRecording {
    /// One life of an object: memory that is freed and allocated again is a new object.
    public struct Object: Sendable {
        /// What it is.
        public internal(set) var kind: Kind
        /// Its talloc name, or the type of a request's state; a place in `strings`.
        public internal(set) var name: Int
        /// The file that made it, or 0; a place in `strings`.
        public internal(set) var file = 0
        /// The line that made it, or 0.
        public internal(set) var line = 0
        /// The number that the program gave to it last.
        public internal(set) var tag: UInt64 = 0
        /// The thread that made it.
        public let thread: Int
    }

    /// The kinds of objects.
    public enum Kind: String, Sendable {
        /// An event context.
        case context
        /// A timer.
        case timer
        /// An immediate.
        case immediate
        /// A signal event.
        case signal
        /// An event of a file descriptor.
        case fd
        /// A request.
        case request
        /// A request queue.
        case queue
        /// A request's place in a queue.
        case entry
        /// An inbox, or a threaded immediate.
        case inbox
        /// A task of Swift's, which runs between two awaits as a handler does.
        case task
        /// Plain talloc memory.
        case memory

        init(_ kind: ObjectKind?) {
            self =
                switch kind {
                case .eventContext: .context
                case .timer: .timer
                case .immediate: .immediate
                case .signal: .signal
                case .descriptor: .fd
                case .receiver: .inbox
                case .request: .request
                case .queue: .queue
                case .queueEntry: .entry
                case .jobs: .task
                default: .memory
                }
        }
    }

    /// One thing that happened.
    public struct Step: Sendable {
        /// Nanoseconds since the recording began, on the system's monotonic clock.
        public let time: Int64
        /// The thread on which it happened; a place in `threads`.
        public let thread: Int
        /// What happened.
        public let what: What
        /// The object to which it happened; -1 for none.
        public internal(set) var object = -1
        /// A second object, such as the parent of what was made; -1 for none.
        public internal(set) var other = -1
        /// A number, such as a timer's deadline; `Player/README.md` lists what it means in each case.
        public internal(set) var value: Int64 = 0
        /// A second number, such as the flags of a descriptor.
        public internal(set) var detail: Int64 = 0
        /// A text, such as the program's note; a place in `strings`.
        public internal(set) var text = 0
        /// The line, in the file that is the text.
        public internal(set) var line = 0
    }

    // The order of `Record.What`, so that one becomes the other by its number.

    /// What can happen.
    public enum What: String, Sendable, CaseIterable {
        /// Memory was made, named, tagged, moved, or freed. No step is `named` or `tagged`: objects have their last
        /// name and tag from the beginning.
        case made, named, tagged, moved, freed
        /// A turn began or ended; the loop began to wait, or had waited.
        case turnBegin, turnEnd, waitBegin, waitEnd
        /// An event joined its loop's list, was changed, or left.
        case attached, changed, detached
        /// A handler, trigger or callback began, or returned.
        case begin, end
        /// A request ended, or was received; a task began to wait for a request.
        case ended, received, awaits
        /// An entry joined or left its queue; a queue was stopped or started.
        case joined, left, stopped, started
        /// A message was sent to another thread, or its loop found it; or a signal arrived.
        case sent, arrived
        /// The program made a remark, or printed something.
        case note, output

        init(_ what: Record.What) { self = Self.allCases[Int(what.rawValue)] }
    }
}

extension EventRecording: CustomStringConvertible {
    /// The steps, one line each, with microseconds since the beginning.
    public var description: String {
        steps.map { "\($0.time / 1000) µs  \(describe($0))" }.joined(separator: "\n")
    }

    /// A step in one line, without its time: what happened to which object, and what is known about it.
    public func describe(_ step: Step) -> String {
        var words = ["\(step.what)"]
        if step.object >= 0 { words.append(label(of: step.object)) }
        if step.other >= 0 { words.append("with \(label(of: step.other))") }
        if step.value != 0 { words.append("value \(step.value)") }
        if step.detail != 0 { words.append("detail \(step.detail)") }
        if step.text != 0 { words.append(strings[step.text]) }
        if step.line != 0 { words.append("line \(step.line)") }
        return words.joined(separator: " ")
    }

    /// What an object is called: its kind, with its name if the program gave it one, and the line that made it.
    public func label(of number: Int) -> String {
        subject(of: number) + (origin(of: number).map { " \($0)" } ?? "")
    }

    func subject(of number: Int) -> String {
        let object = objects[number]
        let name = strings[object.name]
        let isNamed: Bool
        switch object.kind {
        case .request, .memory: isNamed = !name.isEmpty
        // The engine's own names say no more than the kind; C's events bear the names of their handlers.
        default: isNamed = !name.isEmpty && !name.hasPrefix("struct tevent_")
        }
        return isNamed ? "\(object.kind) \(name)" : "\(object.kind)"
    }

    func origin(of number: Int) -> String? {
        let object = objects[number]
        return object.file == 0 ? nil : "\(strings[object.file].split(separator: "/").last ?? ""):\(object.line)"
    }
}
