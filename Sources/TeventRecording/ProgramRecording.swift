import CLinux
import Glibc
import Synchronization
import Talloc
import Tevent

/// Records a whole program, with all its threads, and writes the result when the program ends.
///
/// ```swift
/// try ProgramRecording.begin(writingTo: "run.html")
/// ```
///
/// Begin before the program makes anything. Each thread keeps its newest records in memory of its own. The result is
/// written when the program returns from `main`, calls `exit`, or is about to be ended by a trap of the engine; a
/// program that is killed leaves none. The child of a fork begins with no records, and writes only if the path has a
/// `%p`.
public enum ProgramRecording {
    private struct State: Sendable {
        var path = ""
        /// The process that began it.
        var process: pid_t = 0
        var isSaved = false
    }

    private static let state = Locked(State())

    /// Begins to record.
    ///
    /// - Parameters:
    ///   - path: The file to write, which must end in `.html` or `.json`; `%p` stands for the number of the process.
    ///   - capacity: How many records each thread keeps; the oldest are overwritten.
    ///   - includesOutput: Whether to record what the program prints to standard output. It is then written line by
    ///     line, even into a pipe.
    /// - Throws: ``RecordingError`` if the path has another ending, or no file can be made there.
    public static func begin(
        writingTo path: String, capacity: Int = EventRecorder.usualCapacity, includesOutput: Bool = true
    ) throws(RecordingError) {
        _ = try EventRecording.Form(ofPath: path)
        try WholeFile.check(path)
        state.withLock { $0 = State(path: path, process: getpid()) }
        RecordRings.saving.withLock { $0 = { save() } }
        atexit { ProgramRecording.save() }
        RecordRings.begin(capacity: capacity)
        if includesOutput {
            clinux_watch_output { descriptor, text, length in
                RecordRingPointer.here?.add(
                    .output, text: UnsafeRawBufferPointer(start: text, count: length), detail: descriptor)
            }
        }
    }

    /// Records a remark of the program on this thread; does nothing while the program is not recorded.
    public static func note(_ text: String) {
        if isRecording { RecordRingPointer.here?.addNote(text) }
    }

    /// Writes what has been recorded so far; the recording goes on.
    ///
    /// - Throws: ``RecordingError`` if the file cannot be written; the one from before is still there then.
    public static func write() throws(RecordingError) {
        let state = state.withLock { $0 }
        let path = state.path.replacing("%p", with: "\(getpid())")
        guard !path.isEmpty, path != state.path || state.process == getpid() else { return }
        let threads = RecordRings.all.enumerated().map { RecordedThread($1, name: threadName(of: $1, number: $0)) }
        try EventRecording(of: threads, program: EventRecording.programName).write(to: path)
    }

    /// Writes at the end of the program, once, and says why if that fails.
    private static func save() {
        let isFirst = state.withLock { state in
            defer { state.isSaved = true }
            return !state.isSaved
        }
        guard isFirst else { return }
        clinux_watch_output(nil)
        do { try write() } catch {
            let line = "the recording is lost: \(error)\n"
            _ = line.withCString { Glibc.write(STDERR_FILENO, $0, strlen($0)) }
        }
    }
}
