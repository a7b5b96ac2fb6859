/// The messages of one connection: parts of the same random bytes, each with its own size and place.
///
/// A message costs one copy, and an answer with bytes of another message, or with bytes in the wrong place, is noticed.
public struct Messages: Sendable {
    /// Random bytes that all connections share.
    public struct Pool: Sendable {
        /// After this many bytes they repeat; a prime, so that data is never cut at this distance.
        static let period = 65_521
        fileprivate let bytes: [UInt8]
        fileprivate let sizes: ClosedRange<Int>

        /// Creates the bytes.
        ///
        /// - Parameters:
        ///   - sizes: The lengths of the messages, in bytes; at least one.
        ///   - seed: The same seed gives the same bytes.
        public init(sizes: ClosedRange<Int>, seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            var period: [UInt8] = []
            while period.count < Self.period {
                var word = generator.next()
                for _ in 0..<8 {
                    period.append(UInt8(truncatingIfNeeded: word))
                    word >>= 8
                }
            }
            period.removeLast(period.count - Self.period)
            var bytes = period
            while bytes.count < sizes.upperBound + Self.period { bytes += period }
            self.bytes = bytes
            self.sizes = sizes
        }
    }

    private let pool: Pool
    private var generator: SeededGenerator

    /// Starts the messages of one connection.
    public init(from pool: Pool, seed: UInt64) {
        self.pool = pool
        generator = SeededGenerator(seed: seed)
    }

    /// The next message.
    public mutating func next() -> [UInt8] {
        let size = Int.random(in: pool.sizes, using: &generator)
        let start = Int.random(in: 0..<Pool.period, using: &generator)
        return Array(pool.bytes[start..<start + size])
    }
}
