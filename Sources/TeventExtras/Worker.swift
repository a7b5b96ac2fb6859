import Talloc
import Tevent

// snippet: worker
/// A thread with its own loop, and state that only its messages touch.
///
///     TallocChunk<State>            what messages work on
///     └─ struct tevent_context      the loop
///        └─ struct tevent_thread_proxy     the inbox
///
/// No other thread ever sees any of the three. Other threads hold the worker: they give it work, ask it, stop it, and
/// wait for its end. A worker stops when its last reference is released.
public final class Worker<State>: Sendable {
    /// Sends messages to the worker; ``schedule(_:)`` is more convenient.
    public let proxy: ThreadProxy
    private let thread: SystemThread<Void>
    // snippet-end: worker

    /// Starts a thread, and waits until its loop is ready.
    ///
    /// - Parameters:
    ///   - name: The thread's name in debuggers and `top`; the system keeps the first 15 bytes.
    ///   - backend: The backend of its loop.
    ///   - makeState: Creates, on the new thread, the state that its messages work on.
    /// - Throws: `TeventError`, or the error that `makeState` throws; then there is no thread.
    public init(
        named name: String, backend: String = EventContext.defaultBackend,
        _ makeState: @escaping @Sendable (_ events: EventContext) throws -> State
    ) throws {
        // A temporary loop: the thread's first message reports how it started.
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
    /// Starts the thread without keeping the reply: if the thread does not answer, no other code can.
    private static func start(
        _ name: String, _ backend: String, _ makeState: @escaping @Sendable (EventContext) throws -> State,
        on events: EventContext
    ) throws -> (SystemThread<Void>, Request<Answer<ThreadProxy>>) {
        let (started, reply) = try Answer<ThreadProxy>.expect(on: events, under: events)
        return (try SystemThread(named: name) { try run(backend, makeState, reply) }, started)
    }

    /// Everything that the thread does.
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

    /// Runs a function on the worker's loop; functions from one sender run in the order in which they were sent.
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
    ///   - events: The context whose loop ends the request.
    ///   - parent: The request's parent.
    ///   - question: What to do on the worker's loop. It answers immediately or later.
    /// - Throws: `TeventError.outOfMemory`; then nothing is left behind.
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

    /// Asks the worker and blocks until it has answered, for a thread that has nothing else to do.
    ///
    /// - Throws: The error that `question` throws, or the reason why there is no answer.
    public func askAndWait<Value: Sendable>(
        _ question: @escaping @Sendable (_ events: EventContext, _ state: TallocChunk<State>) throws -> Value
    ) throws -> Value {
        guard !thread.isCurrent else {
            fatalError("a worker's own thread asked it and would wait forever; call the function, or use 'ask'")
        }
        let events = try EventContext()
        defer { events.free() }
        let answer: Request<Answer<Value>> = try ask(on: events, under: events) { events, state, reply in
            reply.send(Result { try question(events, state) })
        }
        try answer.poll(on: events)
        return try answer.receive()
    }

    // snippet: stop
    /// Ends the worker's loop after everything sent before; later messages are released or refused.
    ///
    /// If work runs loops inside the worker's own, each of them ends once its current handler has returned, and a new one
    /// throws `TeventError.loopRefused`. Does nothing if the worker has ended.
    public func stop() { try? proxy.schedule { events in endLoops(of: events) } }

    /// Waits until the thread has ended.
    ///
    /// The worker must have been stopped, and the thread cannot wait for itself.
    ///
    /// - Throws: The error that kept its loop from continuing.
    public func join() throws { try thread.join() }
    // snippet-end: stop
}

/// Ends all loops that run inside each other, each as soon as the handler that it runs has returned; refuses new ones.
private func endLoops(of events: EventContext) {
    events.setNestingHook { events, _, isBeginning in
        if !isBeginning { events.stop() }
        return !isBeginning
    }
    events.stop()
}
