import CLinux
import Glibc
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
        /// Nil until it is begun.
        var path: Path?
        /// How many forks there were before.
        var generation = clinux_forks()
        var isSaved = false
        /// When it was last written because no context was left.
        var lastWritten: EventInstant?
        /// Whether it has been said that a request cannot be removed.
        var hasRefused = false
        /// Worked out once in each process, since C's loop asks at each turn.
        private var known: (files: Files?, generation: UInt32)?

        init(path: Path? = nil) { self.path = path }

        /// Where this process writes; nil for the child of a fork that has no path of its own.
        mutating func filesHere() -> Files? {
            let here = clinux_forks()
            if let known, known.generation == here { return known.files }
            let path = path.flatMap { $0.namesProcess || generation == here ? $0.path(of: getpid()) : nil }
            let files = path.map { Files(recording: $0, request: $0 + ".now") }
            known = (files, here)
            return files
        }
    }

    private struct Files: Sendable {
        let recording: String
        /// Its presence asks for the recording.
        let request: String
    }

    private static let state = Locked(State())

    /// A path in which `%p` stands for the number of the process.
    private struct Path: Sendable {
        private let parts: [String]

        init(_ path: String) {
            var parts = [""]
            var rest = path[...]
            while let place = rest.firstIndex(of: "%") {
                let next = rest.index(after: place)
                let isNumber = next < rest.endIndex && rest[next] == "p"
                parts[parts.count - 1] += rest[..<(isNumber ? place : next)]
                if isNumber { parts.append("") }
                rest = rest[(isNumber ? rest.index(after: next) : next)...]
            }
            parts[parts.count - 1] += rest
            self.parts = parts
        }

        var namesProcess: Bool { parts.count > 1 }
        func path(of process: pid_t) -> String { parts.joined(separator: "\(process)") }
    }

    /// Begins to record.
    ///
    /// - Parameters:
    ///   - path: The file to write, which must end in `.html` or `.json`; `%p` stands for the number of the process.
    ///     A relative path means the folder in which the program is now.
    ///   - capacity: How many records each thread keeps; the oldest are overwritten.
    ///   - includesOutput: Whether to record what the program prints to standard output. It is then written line by
    ///     line, even into a pipe.
    /// - Throws: ``RecordingError`` if the path has another ending, or no file can be made there.
    public static func begin(
        writingTo path: String, capacity: Int = EventRecorder.usualCapacity, includesOutput: Bool = true
    ) throws(RecordingError) {
        guard capacity > 0 else { abort("a recording of \(capacity) records cannot be made; give it at least one") }
        _ = try EventRecording.Form(ofPath: path)
        let path = try WholeFile.check(path)
        state.withLock { $0 = State(path: Path(path)) }
        RecordRings.saving.withLock { $0 = { save() } }
        atexit { ProgramRecording.save() }
        RecordRings.begin(capacity: capacity)
        if includesOutput {
            clinux_watch_output { descriptor, text, length in
                RecordRingPointer.here?.add(
                    .output, text: UnsafeRawBufferPointer(start: text, count: length), detail: Int64(descriptor))
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
        guard let files = state.withLock({ $0.filesHere() }) else { return }
        let threads = RecordRings.all.enumerated().map { RecordedThread($1, name: threadName(of: $1, number: $0)) }
        try EventRecording(of: threads, lost: RecordRings.lost, program: EventRecording.programName).write(
            to: files.recording)
    }

    /// Writes what has been recorded so far if there is a file with the recording's name and `.now` after it, and removes
    /// that file.
    ///
    /// A request that cannot be removed is refused.
    ///
    /// C's loop calls it at each turn: creating the file gives a recording of a program that does not end,
    /// without a signal or a debugger to disturb it.
    package static func writeIfAsked() {
        guard let files = state.withLock({ $0.filesHere() }), access(files.request, F_OK) == 0 else { return }
        guard unlink(files.request) == 0 else { return refuse(files.request, code: errno) }
        report { () throws(RecordingError) in try write() }
    }

    /// Writes what has been recorded so far after a C program has freed its last context, at most once a second: some
    /// programs make a context for each call.
    package static func writeAfterLastContext() {
        guard RecordRings.isRecordingAll else { return }
        let isDue = state.withLock { state in
            let now = EventInstant.now
            if let last = state.lastWritten, last.duration(to: now) < .seconds(1) { return false }
            state.lastWritten = now
            return state.filesHere() != nil
        }
        if isDue { report { () throws(RecordingError) in try write() } }
    }

    /// Says once that a request cannot be removed: answering it all the same would write a file at every turn.
    ///
    /// If it is gone by now, another thread answers it.
    private static func refuse(_ request: String, code: Int32) {
        guard code != ENOENT else { return }
        let isFirst = state.withLock { state in
            defer { state.hasRefused = true }
            return !state.hasRefused
        }
        guard isFirst else { return }
        printError("no recording is written: '\(request)' cannot be removed: \(String(cString: strerror(code)))")
    }

    /// Writes at the end of the program, once, and says why if that fails.
    private static func save() {
        let isFirst = state.withLock { state in
            defer { state.isSaved = true }
            return !state.isSaved
        }
        guard isFirst else { return }
        clinux_watch_output(nil)
        if let files = state.withLock({ $0.filesHere() }) { unlink(files.request) }
        report { () throws(RecordingError) in try write() }
    }

    private static func report(_ body: () throws(RecordingError) -> Void) {
        do throws(RecordingError) { try body() } catch { printError("the recording is lost: \(error)") }
    }

    private static func printError(_ line: String) {
        _ = (line + "\n").withCString { Glibc.write(STDERR_FILENO, $0, strlen($0)) }
    }
}
