import CTevent
import Glibc
import Tevent

// C programs use times of day, in seconds and microseconds.

private let microsecondsInSecond = 1_000_000

extension EventInstant {
    /// The instant for a context that uses the wall clock, clamped to 64 bits.
    init(_ time: timeval) {
        let isNormal = time.tv_usec >= 0 && time.tv_usec < microsecondsInSecond
        let microseconds = isNormal ? time.tv_usec : time.microsecondsThatCount
        let (seconds, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = seconds.addingReportingOverflow(Int64(clamping: Int128(microseconds) * 1000))
        self.init(nanoseconds: overflow || carry ? (time.tv_sec < 0 ? .min : .max) : sum)
    }
}

extension timeval {
    /// How much the microseconds of a deadline count if they are negative, or amount to a second or more.
    ///
    /// libtevent compares the seconds first. A deadline has therefore passed when its second is over, however many
    /// microseconds it has; if they are negative, when its second has begun. But libtevent sleeps until the sum.
    fileprivate var microsecondsThatCount: Int {
        let second = timeval.current.tv_sec
        if tv_usec < 0 { return tv_sec > second ? 0 : tv_usec }
        return tv_sec < second ? microsecondsInSecond - 1 : tv_usec
    }
}

extension timeval {
    /// The time, with its nanoseconds truncated.
    init(_ instant: EventInstant) {
        let microseconds = Int(instant.nanoseconds / 1000)
        self.init(
            tv_sec: microseconds / microsecondsInSecond, tv_usec: suseconds_t(microseconds % microsecondsInSecond))
    }

    static var zero: timeval { timeval(tv_sec: 0, tv_usec: 0) }
    static var current: timeval { timeval(EventInstant.wallClockNow) }
    var isZero: Bool { tv_sec == 0 && tv_usec == 0 }

    func adding(seconds: Int, microseconds: Int) -> timeval {
        let sum = tv_usec &+ microseconds
        return timeval(
            tv_sec: tv_sec &+ seconds &+ sum / microsecondsInSecond, tv_usec: sum % microsecondsInSecond)
    }

    /// The time that remains until then; zero if it has passed.
    func duration(to other: timeval) -> timeval {
        guard self < other else { return .zero }
        let borrow = other.tv_usec < tv_usec
        return timeval(
            tv_sec: other.tv_sec &- tv_sec &- (borrow ? 1 : 0),
            tv_usec: other.tv_usec &- tv_usec &+ (borrow ? microsecondsInSecond : 0))
    }

    static func < (left: timeval, right: timeval) -> Bool {
        (left.tv_sec, left.tv_usec) < (right.tv_sec, right.tv_usec)
    }
}

@c @implementation
package func tevent_timeval_compare(_ left: UnsafePointer<timeval>?, _ right: UnsafePointer<timeval>?) -> CInt {
    guard let left = left?.pointee, let right = right?.pointee else { return left == right ? 0 : left == nil ? -1 : 1 }
    return left < right ? -1 : right < left ? 1 : 0
}

@c @implementation
package func tevent_timeval_zero() -> timeval { .zero }

@c @implementation
package func tevent_timeval_current() -> timeval { .current }

@c @implementation
package func tevent_timeval_set(_ seconds: UInt32, _ microseconds: UInt32) -> timeval {
    timeval(tv_sec: Int(seconds), tv_usec: Int(microseconds))
}

@c @implementation
package func tevent_timeval_until(_ from: UnsafePointer<timeval>?, _ to: UnsafePointer<timeval>?) -> timeval {
    (from?.pointee ?? .zero).duration(to: to?.pointee ?? .zero)
}

@c @implementation
package func tevent_timeval_is_zero(_ time: UnsafePointer<timeval>?) -> Bool { time?.pointee.isZero ?? true }

@c @implementation
package func tevent_timeval_add(
    _ time: UnsafePointer<timeval>?, _ seconds: UInt32, _ microseconds: UInt32
) -> timeval {
    (time?.pointee ?? .zero).adding(seconds: Int(seconds), microseconds: Int(microseconds))
}

@c @implementation
package func tevent_timeval_current_ofs(_ seconds: UInt32, _ microseconds: UInt32) -> timeval {
    timeval.current.adding(seconds: Int(seconds), microseconds: Int(microseconds))
}
