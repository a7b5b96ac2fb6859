import Synchronization
import Tevent

// snippet: reply
/// The means by which a thread answers; any thread may keep and use it.
///
/// Only the first answer counts. If the last copy of the reply is released without an answer, that counts as the
/// answer.
public final class Reply<Value: Sendable>: Sendable {
    private let mailbox: Mailbox<Value>
    private let arrival: ThreadTrigger

    init(to mailbox: Mailbox<Value>, _ arrival: ThreadTrigger) {
        self.mailbox = mailbox
        self.arrival = arrival
    }

    deinit { send(.failure(UnansweredError())) }

    /// Answers with a value or an error; does nothing if the request has been freed.
    public func send(_ answer: Result<Value, any Error>) {
        if mailbox.put(answer) { _ = try? arrival.schedule() }
    }
    // snippet-end: reply

    /// Answers with a value.
    public func send(_ value: Value) { send(.success(value)) }
}

// snippet: mailbox
/// Holds an answer between the thread that gives it and the loop that takes it.
final class Mailbox<Value: Sendable>: Sendable {
    private enum Content {
        case nothing
        case answer(Result<Value, any Error>)
        case taken
    }

    private let content = Mutex(Content.nothing)

    /// Stores an answer unless there has been one; returns whether it was the first.
    func put(_ answer: Result<Value, any Error>) -> Bool {
        content.withLock { content in
            guard case .nothing = content else { return false }
            content = .answer(answer)
            return true
        }
    }

    func take() -> Result<Value, any Error>? {
        content.withLock { content in
            guard case .answer(let answer) = content else { return nil }
            content = .taken
            return answer
        }
    }
}
// snippet-end: mailbox
