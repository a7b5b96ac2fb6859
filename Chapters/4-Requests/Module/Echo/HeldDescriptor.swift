import Talloc
import Tevent

extension EventContext {
    // snippet: hold
    /// Holds the number of a descriptor while requests that read and write it come and go.
    ///
    /// The event waits for nothing. But as long as it is there, the loop knows that the number still means the same file,
    /// and does not tell the system anew with every request. And it can close the descriptor: call `setAutoClose()` once
    /// nothing can fail any more, and make the requests after it, so that they are freed before it.
    func hold(_ descriptor: Int32, under owner: some TallocObject) throws(TeventError) -> FDEvent {
        try addFD(descriptor, [], under: owner) { _, _ in }
    }
    // snippet-end: hold
}
