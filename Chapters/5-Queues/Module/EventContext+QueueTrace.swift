import Chapter1ContextAndLoops
import Tevent

extension EventContext {
    // snippet: trace
    /// Logs the life of each entry that is added on this context from now on; replaces an earlier trace.
    ///
    /// When an entry leaves, its request may already be freed, and its name with it. Each entry therefore gets its
    /// number as a tag when it joins.
    public func logQueues(to log: EventLog) {
        var names = ["an entry of before"]
        setQueueTrace { entry, point in
            if point == .attach {
                entry.tag = UInt64(names.count)
                names.append("\(entry.request)")
            }
            log.add("\(point)", names[Int(entry.tag)])
        }
    }
    // snippet-end: trace
}
