import Talloc
import Tevent

// snippet: state
/// Waiting for an answer from another thread, as a request; its state.
///
///     send ──▶ message ──▶ the other thread … reply.send(value) ──▶ message ──▶ arrived: done
///
/// Somebody always answers: if the other loop ends first, or forgets the ``Reply``, the request fails.
public struct Answer<Value: Sendable> {
    private var value: Value?
    // snippet-end: state

    /// Lets a function run on another thread's loop, and waits for its answer.
    ///
    /// - Parameters:
    ///   - proxy: Whom to ask.
    ///   - events: Whose loop ends the request.
    ///   - parent: What the request is freed with. The other thread is not disturbed by that; its answer is let go.
    ///   - question: What to do there. It answers with what it gets, at once or later, from any thread.
    /// - Returns: A request that fails with `LoopEndedError` if the other loop has ended, and with ``UnansweredError``
    ///   if it ends before it has answered.
    /// - Throws: `TeventError.outOfMemory`; nothing is left behind then.
    public static func send(
        to proxy: ThreadProxy, on events: EventContext, under parent: some TallocObject,
        _ question: @escaping @Sendable (_ events: EventContext, _ reply: Reply<Value>) -> Void
    ) throws(TeventError) -> Request<Answer> {
        let request = try Request(Answer(), under: parent)
        let reply = request.attempt { try makeReply(for: request, on: events) }
        guard let reply else { return request.post(on: events) }
        let sent: Void? = request.attempt { try proxy.schedule { events in question(events, reply) } }
        return sent == nil ? request.post(on: events) : request
    }

    /// Makes a request that is done when somebody answers, whoever gets the reply.
    ///
    /// - Parameters:
    ///   - events: Whose loop ends the request.
    ///   - parent: What the request is freed with.
    /// - Throws: `TeventError.outOfMemory`, or `TeventError.systemCall` when descriptors are exhausted; nothing is left
    ///   behind then.
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
    private static func makeReply(for request: Request<Answer>, on events: EventContext) throws(TeventError) -> Reply<
        Value
    > {
        Reply(to: try ThreadInbox(on: events, under: request).proxy)
    }

    /// Done: the answer is in the inbox, and that belongs to the request.
    static func arrived(_ answer: TallocChunk<Result<Value, any Error>>) {
        guard let request = answer.parent?.parent.flatMap(AnyRequest.init), request.isInProgress else { return }
        switch answer.value {
        case .success(let value):
            request.request(expecting: Answer.self).state.value = value
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
    /// Takes the answer.
    ///
    /// - Throws: What the other thread answered instead, or why nobody could.
    public func receive<Value>() throws -> Value where State == Answer<Value> { try receive { try $0.take() } }
}

/// Nobody will answer: the loop that was asked has ended, or the reply was forgotten.
public struct UnansweredError: Error, Equatable, CustomStringConvertible {
    /// A sentence for people.
    public var description: String { "nobody will answer: the loop that was asked has ended, or the reply was let go" }
}
