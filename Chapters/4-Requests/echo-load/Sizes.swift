import ArgumentParser

/// The sizes of messages on the command line, in bytes: "64" or "1-4096".
struct Sizes: ExpressibleByArgument, CustomStringConvertible {
    /// From the shortest message to the longest.
    let range: ClosedRange<Int>

    static let largest = 100_000_000

    init(_ range: ClosedRange<Int>) { self.range = range }

    init?(argument: String) {
        let numbers = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(numbers.count), let first = numbers[0], let last = numbers[numbers.count - 1],
            1 <= first, first <= last, last <= Self.largest
        else { return nil }
        range = first...last
    }

    var description: String { range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)" }

    var defaultValueDescription: String { description }
}
