import Talloc
import Tevent

// snippet: owner
extension EventContext {
    /// The context's parent, in which a message from another thread finds the data to work on.
    ///
    /// A message cannot bring along anything that belongs to the receiving thread. All that it receives there is the
    /// context. Therefore a thread keeps the data that its messages work on in a chunk, and creates its context below
    /// that chunk.
    ///
    /// - Parameter type: The type of the chunk's value; if it is another one, the call traps with the names of both
    ///   types.
    public func owner<State>(as type: State.Type) -> TallocChunk<State> {
        guard let owner = parent else { fatalError("the context is a root; make it under a chunk that holds \(type)") }
        return owner.chunk(expecting: type)
    }
}
// snippet-end: owner
