import Talloc
import Tevent

extension ThreadProxy {
    /// Runs a function on another thread's loop, and waits for its answer.
    ///
    /// ```swift
    /// func count(_ proxy: ThreadProxy) async throws -> Int {
    ///     try await proxy.ask { events in events.timers.count }
    /// }
    /// ```
    ///
    /// If the task is cancelled, it waits no longer; the other thread is not disturbed, and its answer is dropped.
    ///
    /// - Parameter question: What to do there; it gets the inbox's context.
    /// - Returns: What the function returned.
    /// - Throws: What the function threw; ``TaskError/unanswered`` if the other loop has ended, or ends before it comes
    ///   to the question; `CancellationError`.
    /// - Complexity: One message to the other loop and one back.
    ///
    /// The corresponding C functions are `tevent_thread_proxy_schedule()`, once in each direction.
    public func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (_ events: EventContext) throws -> Answer
    ) async throws -> Answer {
        let reply = Reply<Answer>()
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                reply.expect(continuation)
                // Released unopened, it says that there will be no answer.
                let envelope = Envelope(reply: reply)
                do {
                    try schedule { events in envelope.reply.send(Result { try question(events) }) }
                } catch { envelope.reply.send(.failure(TaskError.unanswered)) }
            }
        } onCancel: {
            reply.send(.failure(CancellationError()))
        }
    }
}

/// Where the answer goes; the first one counts.
private final class Reply<Answer: Sendable>: Sendable {
    private struct State {
        var continuation: UnsafeContinuation<Answer, any Error>?
        /// An answer that came before the task waited.
        var early: Result<Answer, any Error>?
        var isAnswered = false
    }

    private let state = Locked(State())

    func expect(_ continuation: UnsafeContinuation<Answer, any Error>) {
        let early = state.withLock { state in
            if state.early == nil { state.continuation = continuation }
            return state.early.take()
        }
        if let early { continuation.resume(with: early) }
    }

    func send(_ answer: Result<Answer, any Error>) {
        let continuation = state.withLock { state -> UnsafeContinuation<Answer, any Error>? in
            guard !state.isAnswered else { return nil }
            state.isAnswered = true
            if state.continuation == nil { state.early = answer }
            return state.continuation.take()
        }
        continuation?.resume(with: answer)
    }
}

/// Says that there will be no answer when the question is released.
private final class Envelope<Answer: Sendable>: Sendable {
    let reply: Reply<Answer>

    init(reply: Reply<Answer>) { self.reply = reply }

    deinit { reply.send(.failure(TaskError.unanswered)) }
}
