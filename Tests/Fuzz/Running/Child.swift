import ChildProcess

/// A child process that runs programs, and the pipe through which it reports which one.
final class Child {
    enum News {
        case begins(Int)
        /// The process has ended, or was killed because a program took too long; nil means that it succeeded.
        case ended(Verdict?)
    }

    private let process: ChildProcess
    private let timeout: Duration
    private var complaint: String?

    /// - Parameter arguments: All except those that make it a worker.
    init(_ arguments: [String], timeout: Duration, _ interruption: Interruption) throws {
        self.timeout = timeout
        // Swift's backtracer would take longer than everything else, and the sanitizers must leave traps alone.
        let environment = [
            "SWIFT_BACKTRACE": "enable=no",
            "ASAN_OPTIONS": "handle_sigill=0:handle_sigtrap=0:handle_abort=0:detect_leaks=1",
            "TSAN_OPTIONS": "handle_sigill=0:handle_sigtrap=0:handle_abort=0:halt_on_error=1:exitcode=66",
        ]
        // Its standard input is a file that the system cannot wait for, as a program's may be.
        let command = "exec /proc/$PPID/exe \"$@\" </dev/null"
        process = try ChildProcess(
            "/bin/sh", arguments: ["-c", command, "fuzz", "--worker"] + arguments, environment: environment)
        process.wakeUp = interruption.descriptor
    }

    /// Returns the next piece of news.
    ///
    /// - Throws: ``Interrupted``; then the process has been stopped.
    func next() throws -> News {
        let deadline = ContinuousClock.now + timeout
        while let line = process.readLine(until: deadline) {
            if line.hasPrefix(Worker.begins), let seed = Int(line.dropFirst(Worker.begins.count)) {
                return .begins(seed)
            }
            if line.hasPrefix(Worker.complains) { complaint = String(line.dropFirst(Worker.complains.count)) }
        }
        // After its last line it may still be checking for leaks.
        let progress = process.wait(until: deadline)
        let hasEnded = progress == .done
        if !hasEnded { process.stop() }
        if progress == .interrupted { throw Interrupted() }
        let errors = String(decoding: process.errors, as: UTF8.self)
        if let complaint, hasEnded { return .ended(Verdict(.complaint, complaint)) }
        return .ended(Verdict(hasEnded ? process.ending : nil, errors: errors))
    }

    /// Lets it run to its end, and returns the verdict.
    func verdict() throws -> Verdict? {
        while true { if case .ended(let verdict) = try next() { return verdict } }
    }

    /// What it has written to standard error.
    var errors: String { String(decoding: process.errors, as: UTF8.self) }
}
