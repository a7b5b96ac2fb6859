/// Takes steps out of a program as long as it comes to the same verdict.
struct Shrinking {
    /// Whether a program with these steps alone comes to the same verdict.
    let stillFails: ([Int]) throws -> Bool

    /// The fewest steps that were found, of those that were given: none of them can be left out.
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
