import Synchronization
import Talloc
import Tevent

// snippet: reply
/// What a thread answers with; it may be kept, and used by any thread.
///
/// Only the first answer counts. When nobody keeps the reply any more and there was no answer, that is the answer.
public final class Reply<Value: Sendable>: Sendable {
    private let asker: ThreadProxy
    private let isUsed = Atomic(false)

    init(to asker: ThreadProxy) { self.asker = asker }

    deinit { send(.failure(UnansweredError())) }

    /// Answers with a value, or with an error; nothing happens if nobody waits any more.
    public func send(_ answer: Result<Value, any Error>) {
        guard !isUsed.exchange(true, ordering: .relaxed), !asker.isClosed else { return }
        do {
            // A root has no memory limit above it: if there is no memory for it, there is none for Swift either.
            let parcel = try TallocChunk(answer)
            try asker.schedule(memory: parcel) { _, parcel in Answer.arrived(parcel) }
        } catch let refused as LoopEndedError<TallocChunk<Result<Value, any Error>>> {
            refused.takePayload()?.free()
        } catch {
            fatalError("\(error)")
        }
    }
    // snippet-end: reply

    /// Answers with a value.
    public func send(_ value: Value) { send(.success(value)) }
}
