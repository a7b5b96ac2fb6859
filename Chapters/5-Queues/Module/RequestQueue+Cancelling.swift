import Talloc
import Tevent

extension RequestQueue {
    // snippet: hang-up
    /// Stops the queue and cancels every request in it, the active one first, because what they work on no longer
    /// exists.
    ///
    /// A request that cannot be cancelled stays as it is.
    ///
    /// - Complexity: O(*n*).
    public func hangUp() {
        stop()
        // The callbacks may free others, or the queue.
        for entry in entries where !entry.isFreed && !entry.request.isFreed { entry.request.cancel() }
    }
    // snippet-end: hang-up
}
