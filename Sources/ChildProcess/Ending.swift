import CChildProcess

/// How a child process ended.
public enum Ending: Equatable, Sendable {
    /// It ended by itself with this exit code.
    case exited(Int32)
    /// This signal ended it.
    case signalled(Int32)

    /// Waits for a child to end, and reaps it.
    init(ofChild processID: Int32) {
        var exitCode: Int32 = -1
        var signalNumber: Int32 = -1
        child_reap(processID, &exitCode, &signalNumber)
        self = exitCode >= 0 ? .exited(exitCode) : .signalled(signalNumber)
    }
}

/// A child that could not be started.
public struct ChildProcessError: Error, CustomStringConvertible {
    /// The program that was to run.
    public let path: String
    /// What the system said.
    public let reason: String

    /// The path and the reason in one line.
    public var description: String { "cannot run \(path): \(reason)" }
}

extension Duration {
    /// The whole milliseconds in the duration, rounded up and never negative.
    var milliseconds: Int32 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let part = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(clamping: seconds.multipliedReportingOverflow(by: 1000).partialValue + part)
    }
}
