/// The result of a program that has ended.
public struct ProgramResult: Sendable {
    /// Everything that it wrote to standard output.
    public let stdout: String
    /// Everything that it wrote to standard error.
    public let stderr: String
    /// Its exit code, or nil if a signal ended it.
    public let exitCode: Int32?
    /// The signal that ended it, or nil if it ended by itself.
    public let signal: Int32?
}

/// A program that was killed because it did not end in time.
public struct ProgramTimeout: Error, CustomStringConvertible {
    /// The command that was run.
    public let command: String
    /// How long it was allowed to run.
    public let timeout: Duration
    /// What it had written to standard output by then.
    public let stdout: String
    /// What it had written to standard error by then.
    public let stderr: String

    /// The command, the time limit, and the output so far.
    public var description: String {
        "\(command) did not end within \(timeout) and was killed\nstdout: \(stdout)\nstderr: \(stderr)"
    }
}
