import Talloc
import Tevent

// snippet: worker
/// A thread with a loop of its own, and something that only its messages touch.
///
///     TallocChunk<State>            what messages work on
///     └─ struct tevent_context      the loop
///        └─ struct tevent_thread_proxy     the inbox
///
/// The thread is the only one that ever sees any of the three. What others hold is the worker: they give it work, ask it,
/// stop it, and wait for its end. A worker that nobody holds any more is stopped.
public final class Worker<State>: Sendable {
    /// What messages are sent with; ``schedule(_:)`` is more convenient.
    public let proxy: ThreadProxy
    private let thread: SystemThread<Void>
    // snippet-end: worker

    /// Starts a thread, and waits until its loop is ready.
    ///
    /// - Parameters:
    ///   - name: What debuggers and `top` call the thread; the system keeps the first 15 bytes.
    ///   - backend: How its loop waits.
    ///   - makeState: Makes, on the new thread, what the messages shall work on.
    /// - Throws: `TeventError`, or what `makeState` throws; there is no thread then.
    public init(
        named name: String, backend: String = EventContext.defaultBackend,
        _ makeState: @escaping @Sendable (_ events: EventContext) throws -> State
    ) throws {
        // A loop for a moment: the thread's first message tells how it began.
        let events = try EventContext(backend: backend)
        defer { events.free() }
        let started: Request<Answer<ThreadProxy>>
        (thread, started) = try Self.start(name, backend, makeState, on: events)
        try started.poll(on: events)
        do {
            proxy = try started.receive()
        } catch {
            try? thread.join()
            throw error
        }
    }

    deinit { stop() }

    // snippet: start
    /// Starts the thread, and keeps nothing of the reply: if the thread does not answer, nobody will.
    private static func start(
        _ name: String, _ backend: String, _ makeState: @escaping @Sendable (EventContext) throws -> State,
        on events: EventContext
    ) throws -> (SystemThread<Void>, Request<Answer<ThreadProxy>>) {
        let (started, reply) = try Answer<ThreadProxy>.expect(on: events, under: events)
        return (try SystemThread(named: name) { try run(backend, makeState, reply) }, started)
    }

    /// All that the thread does.
    private static func run(
        _ backend: String, _ makeState: (EventContext) throws -> State, _ reply: Reply<ThreadProxy>
    ) throws {
        try withTallocContext(named: "worker") { memory in
            let events: EventContext
            do {
                events = try EventContext(under: memory, backend: backend)
                let state = try TallocChunk(makeState(events), under: memory)
                events.move(under: state)
                reply.send(try ThreadInbox(on: events).proxy)
            } catch {
                return reply.send(.failure(error))
            }
            try events.loopWait()
        }
    }
    // snippet-end: start

    /// Lets a function run on the worker's loop; functions of one sender run in the order they were sent.
    ///
    /// - Throws: `LoopEndedError` if the worker has ended.
    public func schedule(
        _ work: @escaping @Sendable (_ events: EventContext, _ state: TallocChunk<State>) -> Void
    ) throws(LoopEndedError<Void>) {
        try proxy.schedule { events in work(events, events.owner(as: State.self)) }
    }

    /// Asks the worker, as a request on the caller's loop.
    ///
    /// - Parameters:
    ///   - events: Whose loop ends the request.
    ///   - parent: What the request is freed with.
    ///   - question: What to do on the worker's loop. It answers at once or later.
    /// - Throws: `TeventError.outOfMemory`; nothing is left behind then.
    public func ask<Value: Sendable>(
        on events: EventContext, under parent: some TallocObject,
        _ question:
            @escaping @Sendable (
                _ events: EventContext, _ state: TallocChunk<State>, _ reply: Reply<Value>
            ) -> Void
    ) throws(TeventError) -> Request<Answer<Value>> {
        try Answer.send(to: proxy, on: events, under: parent) { events, reply in
            question(events, events.owner(as: State.self), reply)
        }
    }

    /// Asks the worker, and blocks until it has answered: for a thread that has nothing else to do.
    ///
    /// - Throws: What `question` throws, or why nobody could answer.
    public func askAndWait<Value: Sendable>(
        _ question: @escaping @Sendable (_ events: EventContext, _ state: TallocChunk<State>) throws -> Value
    ) throws -> Value {
        let events = try EventContext()
        defer { events.free() }
        let answer: Request<Answer<Value>> = try ask(on: events, under: events) { events, state, reply in
            reply.send(Result { try question(events, state) })
        }
        try answer.poll(on: events)
        return try answer.receive()
    }

    // snippet: stop
    /// Lets the worker's loop end after all that was sent before; what is sent later is let go, or refused.
    ///
    /// Without effect on a worker that has ended.
    public func stop() { try? proxy.schedule { events in events.stop() } }

    /// Waits until the thread has ended: it must have been stopped, and may not be the caller.
    ///
    /// - Throws: What its loop could not go on with.
    public func join() throws { try thread.join() }
    // snippet-end: stop
}
