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
    /// The names of the threads that were recorded.
    public let threads: [String]
    /// What happened, in order of time.
    public let steps: [Step]
    /// The objects to which it happened, which steps name by their place here.
    public let objects: [Object]
    /// The names and texts of steps and objects, which they name by their place here; the first is empty.
    public let strings: [String]

    /// Merges what several recorders have recorded.
    ///
    /// - Parameters:
    ///   - recorders: Recorders of this thread, or of threads that do nothing meanwhile.
    ///   - program: The name that the recording bears; by default, the program's own.
    public init(merging recorders: [EventRecorder], program: String = EventRecording.programName) {
        self.init(of: recorders.map(\.thread), program: program)
    }

    init(of threads: [RecordedThread], lost: Int = 0, program: String) {
        var merger = RecordMerger(threads)
        merger.merge()
        self.program = program
        self.threads = threads.map(\.name)
        self.lost = threads.reduce(lost) { $0 + $1.lost }
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
        ring.noticeFork()
        (records, lost, names) = ring.withLock { ring in
            let names = (0..<ring.names.count).map { number in
                ring.names[UInt32(number)].map { String(cString: $0) } ?? ""
            }
            return (ring.remaining, ring.lost, names)
        }
    }
}
