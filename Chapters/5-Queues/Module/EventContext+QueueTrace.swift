import Chapter1ContextAndLoops
import Tevent

extension EventContext {
    // snippet: trace
    /// Logs the life of each entry that is added on this context from now on, in place of an earlier trace.
    ///
    /// When an entry leaves, its request may be gone already, and nobody could ask it for its name. So each entry gets its
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
