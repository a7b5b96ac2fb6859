/// Numbers that look random, and are the same in every run with the same seed.
///
/// Each one mixes the bits of a counter that advances by a large odd step.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var counter: UInt64

    /// Starts the numbers of a seed; neighbouring seeds have nothing in common.
    public init(seed: UInt64) { counter = Self.mixed(seed) }

    /// The next number.
    public mutating func next() -> UInt64 {
        counter &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(counter)
    }

    private static func mixed(_ number: UInt64) -> UInt64 {
        var bits = number
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
