import Tevent

extension RequestQueue {
    // snippet: report
    /// The entries of the queue, and what added each: where to look when a queue is stuck.
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
