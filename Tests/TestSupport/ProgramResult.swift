/// What a program that has ended leaves behind.
public struct ProgramResult: Sendable {
    /// All that it wrote to standard output.
    public let stdout: String
    /// All that it wrote to standard error.
    public let stderr: String
    /// Its exit code, or nil if a signal ended it.
    public let exitCode: Int32?
    /// The signal that ended it, or nil if it ended by itself.
    public let signal: Int32?
}

/// A program that was killed because it did not end in time.
public struct ProgramTimeout: Error, CustomStringConvertible {
    /// What was run.
    public let command: String
    /// How long it was given.
    public let timeout: Duration
    /// What it had written to standard output by then.
    public let stdout: String
    /// What it had written to standard error by then.
    public let stderr: String

    /// The command, the time it was given, and what it had said.
    public var description: String {
        "\(command) did not end within \(timeout) and was killed\nstdout: \(stdout)\nstderr: \(stderr)"
    }
}
