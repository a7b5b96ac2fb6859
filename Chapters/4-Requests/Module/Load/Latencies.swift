/// How long operations took: a count for each short range of times, so that its size is fixed.
///
/// The ranges are at most 3 % wide, from a nanosecond to centuries.
public struct Latencies: Sendable, Equatable {
    private static let steps = 32
    private var counts = [Int](repeating: 0, count: 64 * Latencies.steps)
    /// How many times were noted.
    public private(set) var count = 0
    private var longest = 0

    /// Creates an empty collection.
    public init() {}

    /// Notes one more time.
    public mutating func note(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = max(0, Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
        counts[Self.index(of: nanoseconds)] += 1
        count += 1
        longest = max(longest, nanoseconds)
    }

    /// The longest time, exactly; zero if there is none.
    public var maximum: Duration { .nanoseconds(longest) }

    /// The time within which this percentage was over, at most 3 % too long; zero if there is none.
    ///
    /// - Parameter percent: From 0 to 100.
    /// - Complexity: O(1), one step for each range.
    public func percentile(_ percent: Double) -> Duration {
        guard count > 0 else { return .zero }
        var left = max(1, Int((percent / 100 * Double(count)).rounded(.up)))
        for (index, count) in counts.enumerated() {
            left -= count
            if left <= 0 { return .nanoseconds(min(longest, Self.last(in: index))) }
        }
        return maximum
    }

    /// Two times in the same range differ only after the first six bits.
    private static func index(of nanoseconds: Int) -> Int {
        let shift = shift(of: nanoseconds)
        return shift * steps + nanoseconds >> shift
    }

    private static func shift(of nanoseconds: Int) -> Int {
        max(0, Int.bitWidth - nanoseconds.leadingZeroBitCount - 6)
    }

    /// The longest time of a range.
    private static func last(in index: Int) -> Int {
        let shift = max(0, index / steps - 1)
        return (index - shift * steps + 1) << shift - 1
    }
}
