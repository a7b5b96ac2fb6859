import Talloc
import Tevent

// snippet: owner
extension EventContext {
    /// What the context was made under: there a message from another thread finds what it shall work on.
    ///
    /// A message may bring nothing with it that belongs to the thread it goes to. All it gets there is the context. So a
    /// thread keeps what its messages work on in a chunk, and makes its context below that.
    ///
    /// - Parameter type: What is in the chunk; a trap names both types if it is something else.
    public func owner<State>(as type: State.Type) -> TallocChunk<State> {
        guard let owner = parent else { fatalError("the context is a root; make it under a chunk that holds \(type)") }
        return owner.chunk(expecting: type)
    }
}
// snippet-end: owner
