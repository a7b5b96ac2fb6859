/// Removes steps from a program for as long as the verdict stays the same.
struct Shrinking {
    /// Whether a program with only these steps has the same verdict.
    let stillFails: ([Int]) throws -> Bool

    /// The smallest set of the given steps that was found; none of them can be left out.
    func shrink(_ steps: [Int]) throws -> [Int] {
        var steps = steps
        var size = max(steps.count / 2, 1)
        while true {
            let before = steps.count
            var start = 0
            while start < steps.count {
                let fewer = Array(steps[..<start] + steps[min(start + size, steps.count)...])
                if try stillFails(fewer) { steps = fewer } else { start += size }
            }
            if size == 1, steps.count == before { return steps }
            size = max(size / 2, 1)
        }
    }
}
