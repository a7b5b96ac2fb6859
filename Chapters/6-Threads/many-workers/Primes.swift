// snippet: primes
/// Each worker's own data: the small primes that it divides by.
struct Primes {
    private let divisors: [Int]

    init(upToRootOf limit: Int) {
        var divisors: [Int] = []
        var candidate = 2
        while candidate * candidate <= limit {
            if Self.isPrime(candidate, divisors) { divisors.append(candidate) }
            candidate += 1
        }
        self.divisors = divisors
    }

    func count(in range: ClosedRange<Int>) -> Int { range.count { Self.isPrime($0, divisors) } }
    // snippet-end: primes

    private static func isPrime(_ number: Int, _ divisors: [Int]) -> Bool {
        for divisor in divisors {
            if divisor * divisor > number { break }
            if number % divisor == 0 { return false }
        }
        return number > 1
    }
}
