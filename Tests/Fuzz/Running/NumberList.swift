import ArgumentParser

/// Numbers as ranges, such as `1-2000` or `3,5,8-11`.
struct NumberList: ExpressibleByArgument, CustomStringConvertible {
    let ranges: [ClosedRange<Int>]

    init(_ ranges: [ClosedRange<Int>]) { self.ranges = ranges }

    init(_ numbers: some Sequence<Int>) {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers.sorted() {
            if let last = ranges.last, last.upperBound == number - 1 {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        self.ranges = ranges
    }

    init?(argument: String) {
        var ranges: [ClosedRange<Int>] = []
        guard !argument.isEmpty else { return nil }
        for part in argument.split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last, last <= Self.largest else { return nil }
            guard ends.count == part.split(separator: "-", omittingEmptySubsequences: false).count, ends.count <= 2
            else { return nil }
            ranges.append(first...last)
        }
        self.ranges = ranges
    }

    var description: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }

    func contains(_ number: Int) -> Bool { ranges.contains { $0.contains(number) } }

    /// Larger numbers are rejected, so that no count overflows.
    private static let largest = 1_000_000_000_000
}
