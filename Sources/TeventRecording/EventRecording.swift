import Talloc
import Tevent

/// What one or several threads recorded, merged by time: a copy, which no longer depends on them.
///
/// ```swift
/// let recorder = try EventRecorder(on: events, under: memory)
/// try events.loopWait()
/// try recorder.recording.write(to: "run.html")
/// ```
public struct EventRecording: Sendable {
    /// The program that was recorded.
    public let program: String
    /// How many of the oldest records were overwritten because a ring was full.
    public let lost: Int
    /// The names of the threads.
    let threads: [String]
    /// Number 0 is the empty string, which means none.
    let strings: [String]
    let objects: [Object]
    let steps: [Step]

    /// How many records there are.
    public var count: Int { steps.count }

    /// One life of an object.
    struct Object: Sendable {
        let kind: Kind
        var name: Int
        var file = 0
        var line = 0
        let thread: Int
    }

    /// The kind of an object, as the player names it.
    enum Kind: String, Sendable {
        case context, timer, immediate, signal, fd, request, queue, entry, inbox, memory

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
                default: .memory
                }
        }
    }

    /// One record, in which objects, files and texts are numbers.
    struct Step: Sendable {
        /// Nanoseconds since the recording began.
        let time: Int64
        let thread: Int
        let what: Record.What
        /// -1 for none, as `other`.
        var object = -1
        var other = -1
        var value: Int64 = 0
        var detail: Int32 = 0
        var text = 0
        var line = 0
    }

    /// Merges what several recorders have recorded.
    ///
    /// - Parameters:
    ///   - recorders: Recorders of this thread, or of threads that do nothing meanwhile.
    ///   - program: The name that the recording bears; by default, the program's own.
    public init(merging recorders: [EventRecorder], program: String = EventRecording.programName) {
        self.init(of: recorders.map(\.thread), program: program)
    }

    init(of threads: [RecordedThread], program: String) {
        var merger = RecordMerger(threads)
        merger.merge()
        self.program = program
        self.threads = threads.map(\.name)
        lost = threads.reduce(0) { $0 + $1.lost }
        strings = merger.strings.all
        objects = merger.objects
        steps = merger.steps
    }

    /// The name of the program that runs.
    public static var programName: String {
        CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "program"
    }
}

/// A copy of what one thread has recorded.
struct RecordedThread {
    let name: String
    let records: [Record]
    let lost: Int
    /// The names that the records refer to by number.
    let names: [String]

    init(_ ring: RecordRingPointer, name: String) {
        self.name = name
        (records, lost, names) = ring.withLock { ring in
            let names = (0..<ring.names.count).map { number in
                ring.names[UInt32(number)].map { String(cString: $0) } ?? ""
            }
            return (ring.remaining, ring.lost, names)
        }
    }
}
