import Tevent

extension RequestQueue {
    // snippet: report
    /// Who is in the queue, and who added each: what to look at when nothing goes on.
    ///
    /// - Complexity: O(*n*).
    public var report: String {
        let head = "Queue '\(label)', made at \(origin), \(isRunning ? "running" : "stopped"), length \(length)"
        let lines = entries.enumerated().map { index, entry in
            let status = entry.request.isFreed ? "freed" : "\(entry.request.status)"
            return "  \(index + 1). \(entry.isTriggered ? "active" : "waits"), \(status), added at \(entry.origin)"
        }
        return ([head] + lines).joined(separator: "\n")
    }
    // snippet-end: report
}
