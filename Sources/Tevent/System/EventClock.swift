import Glibc
import Talloc

/// A point in time on the engine's clock, in nanoseconds since some moment before the program started.
///
/// The clock is monotonic: a step of the wall clock shifts no timer. C's tevent uses `struct timeval` of the wall
/// clock.
public struct EventInstant: InstantProtocol, Sendable, CustomStringConvertible {
    /// Nanoseconds since the clock's origin.
    public let nanoseconds: Int64

    /// The clock's origin: a deadline that has always passed.
    ///
    /// The corresponding C function is `tevent_timeval_zero()`.
    public static let zero = EventInstant(nanoseconds: 0)

    /// Creates the instant this many nanoseconds after the clock's origin.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The instant `duration` later, or earlier if it is negative; it stops at the ends of the clock.
    ///
    /// The corresponding C function is `tevent_timeval_add()`.
    public func advanced(by duration: Duration) -> EventInstant {
        EventInstant(nanoseconds: Int64(clamping: Int128(nanoseconds) + duration.attoseconds / 1_000_000_000))
    }

    /// How much later `other` is.
    ///
    /// The corresponding C function is `tevent_timeval_until()`.
    public func duration(to other: EventInstant) -> Duration {
        .nanoseconds(other.nanoseconds) - .nanoseconds(nanoseconds)
    }

    /// Whether `left` comes before `right`.
    ///
    /// The corresponding C function is `tevent_timeval_compare()`.
    public static func < (left: EventInstant, right: EventInstant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Seconds since the clock's origin, such as "2.5 s".
    public var description: String { "\(Double(nanoseconds) / 1e9) s" }

    /// The current time on the system's monotonic clock.
    package static var now: EventInstant { read(CLOCK_MONOTONIC) }

    /// The current time on the wall clock, since 1970; the wall clock may be stepped.
    package static var wallClockNow: EventInstant { read(CLOCK_REALTIME) }

    @inline(__always)
    private static func read(_ clock: clockid_t) -> EventInstant {
        var time = timespec()
        clock_gettime(clock, &time)
        return EventInstant(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }
}

extension Duration {
    /// The duration in nanoseconds, truncated and clamped to 64 bits (292 years).
    var wholeNanoseconds: Int64 { Int64(clamping: attoseconds / 1_000_000_000) }
}

extension Int64 {
    /// The difference to another number, clamped to 64 bits.
    @inline(__always)
    func distanceClamped(to other: Int64) -> Int64 {
        let (difference, overflow) = other.subtractingReportingOverflow(self)
        return overflow ? (other < self ? .min : .max) : difference
    }
}

/// A clock that moves only when told to, for tests that must not wait.
///
/// The loop of a context with such a clock never sleeps: where it would wait for a timer, it returns
/// ``LoopResult/timedOut``, and the test moves the clock.
///
/// ```swift
/// let clock = ManualClock()
/// let events = try EventContext(clock: clock)
/// try events.addTimer(after: .seconds(60)) { _, _ in print("a minute later, at no cost") }
/// while try events.loopWait() == .timedOut { clock.advance(by: .seconds(1)) }
/// ```
public final class ManualClock {
    /// The time that the clock shows.
    public private(set) var now: EventInstant

    /// Creates a clock that shows `now`.
    public init(now: EventInstant = EventInstant(nanoseconds: 1_000_000_000)) { self.now = now }

    /// Moves the clock by `duration`; a negative duration traps, since time does not run backwards.
    public func advance(by duration: Duration) {
        guard duration >= .zero else {
            abort("a monotonic clock cannot go back, as by \(duration.wholeNanoseconds) ns")
        }
        now = now.advanced(by: duration)
    }
}

@available(*, unavailable)
extension ManualClock: Sendable {}
