import ArgumentParser
import Chapter1ContextAndLoops

/// A time on the command line, in seconds: "2" or "0.25".
///
/// It is rounded to microseconds, so that three times 0.1 is 0.3.
public struct Seconds: ExpressibleByArgument, Equatable, Sendable, CustomStringConvertible {
    /// The time as a duration.
    public let duration: Duration

    /// Creates a time, for the default of an option.
    public init(_ duration: Duration) { self.duration = duration }

    /// Parses a number; nil if it is not a number, or is more than a century.
    public init?(argument: String) {
        guard let number = Double(argument), number.magnitude < 3.2e9 else { return nil }
        duration = .microseconds(Int((number * 1e6).rounded()))
    }

    /// The time as short text, such as "2 s" or "0.25 s".
    public var description: String { inSeconds(duration) }

    /// How the help shows a default.
    public var defaultValueDescription: String { description }
}
