import ArgumentParser
import Chapter1ContextAndLoops

/// A time on the command line, in seconds: "2", "0.25".
///
/// It is rounded to microseconds, so that three times 0.1 are 0.3.
public struct Seconds: ExpressibleByArgument, Equatable, Sendable, CustomStringConvertible {
    /// The time as the engine wants it.
    public let duration: Duration

    /// Makes a time, for the default of an option.
    public init(_ duration: Duration) { self.duration = duration }

    /// Reads a number; nil when it is none, or when it is more than a century.
    public init?(argument: String) {
        guard let number = Double(argument), number.magnitude < 3.2e9 else { return nil }
        duration = .microseconds(Int((number * 1e6).rounded()))
    }

    /// The time in short, such as "2 s" or "0.25 s".
    public var description: String { inSeconds(duration) }

    /// What the help says of a default.
    public var defaultValueDescription: String { description }
}
