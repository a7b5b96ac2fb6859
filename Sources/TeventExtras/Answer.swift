import Talloc
import Tevent

// snippet: state
/// The state of a request that waits for an answer from another thread.
///
///     send ──▶ message ──▶ the other thread … reply.send(value) ──▶ trigger ──▶ arrived: done
///
/// There is always an answer: if the other loop ends first, or drops the ``Reply``, the request fails.
public struct Answer<Value: Sendable> {
    private var value: Value?
    // snippet-end: state

    /// Runs a function on another thread's loop, and waits for its answer.
    ///
    /// - Parameters:
    ///   - proxy: The loop to ask.
    ///   - events: The context whose loop ends the request.
    ///   - parent: The request's parent. Freeing the request does not disturb the other thread; its answer is dropped.
    ///   - question: What to do there. It answers through the reply that it receives, immediately or later, from any
    ///     thread.
    /// - Returns: A request that fails with `LoopEndedError` if the other loop has ended, and with ``UnansweredError``
    ///   if that loop ends before it has answered.
    /// - Throws: `TeventError.outOfMemory`; then nothing is left behind.
    public static func send(
        to proxy: ThreadProxy, on events: EventContext, under parent: some TallocObject,
        _ question: @escaping @Sendable (_ events: EventContext, _ reply: Reply<Value>) -> Void
    ) throws(TeventError) -> Request<Answer> {
        let request = try Request(Answer(), under: parent)
        let reply = request.attempt { try makeReply(for: request, on: events) }
        guard let reply else { return request.post(on: events) }
        _ = request.attempt { try proxy.schedule { events in question(events, reply) } }
        return request.postIfEnded(on: events)
    }

    /// Creates a request that is done when the reply is used, on whichever thread that is.
    ///
    /// - Parameters:
    ///   - events: The context whose loop ends the request.
    ///   - parent: The request's parent.
    /// - Throws: `TeventError.outOfMemory`, or `TeventError.systemCall` when descriptors are exhausted; then nothing is
    ///   left behind.
    public static func expect(
        on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> (request: Request<Answer>, reply: Reply<Value>) {
        let request = try Request(Answer(), under: parent)
        do throws(TeventError) {
            return (request, try makeReply(for: request, on: events))
        } catch {
            request.free()
            throw error
        }
    }

    // snippet: arrived
    private static func makeReply(
        for request: Request<Answer>, on events: EventContext
    ) throws(TeventError) -> Reply<Value> {
        let mailbox = Mailbox<Value>()
        let arrival = try ThreadedImmediate(on: events, under: request) { _, _ in
            if let answer = mailbox.take() { arrived(answer, for: request) }
        }
        return Reply(to: mailbox, arrival.trigger)
    }

    private static func arrived(_ answer: Result<Value, any Error>, for request: Request<Answer>) {
        guard request.isInProgress else { return }
        switch answer {
        case .success(let value):
            request.state.value = value
            request.finish()
        case .failure(let error):
            request.fail(error)
        }
    }
    // snippet-end: arrived

    fileprivate func take() throws -> Value {
        guard let value else { throw UnansweredError() }
        return value
    }
}

extension Request {
    /// Returns the answer.
    ///
    /// - Throws: The error with which the other thread answered, or the reason why there is no answer.
    public func receive<Value>() throws -> Value where State == Answer<Value> { try receive { try $0.take() } }
}

/// There will be no answer: the other loop has ended, or dropped the reply.
public struct UnansweredError: Error, Equatable, CustomStringConvertible {
    /// A readable sentence.
    public var description: String {
        "there will be no answer: the loop that was asked has ended, or the reply was dropped"
    }
}
