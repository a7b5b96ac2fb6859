import Talloc
import Tevent

extension RequestProtocol {
    /// Waits until the request has ended; its result stays, and the request is still yours to receive and to free.
    ///
    /// ```swift
    /// func pause(on events: EventContext, under memory: TallocContext) async throws {
    ///     let request = try Wakeup.send(after: .seconds(1), on: events, under: memory)
    ///     defer { request.free() }
    ///     try await request.ended()
    ///     try request.receive()
    /// }
    /// ```
    ///
    /// Most code awaits ``Tevent/Request/value-7mxsg`` instead. A request that has ended already costs no turn of the
    /// loop. One that reports progress does not end the wait. The request calls no function any more: awaiting takes
    /// the place of its callback. Only one task can wait for a request.
    ///
    /// If the task is cancelled, the request is asked to stop, as by ``/Tevent/RequestProtocol/cancel()``. One that
    /// refuses goes on, and the task waits on.
    ///
    /// It is a trap to await a request outside the tasks of a loop, or one that was received.
    ///
    /// - Throws: ``TaskError/freed`` if the request is freed, or received by other code, while the task waits;
    ///   ``TaskError/loopEnded`` if the context of the task's loop is freed. It does not throw the request's own error.
    /// - Complexity: Nothing is allocated, and the engine makes no system call and takes no lock.
    ///
    /// C has no counterpart: there a callback continues the work.
    @inlinable @inline(__always)
    public nonisolated(nonsending) func ended() async throws(TaskError) {
        let handle = tallocHandle
        let wait = prepareToAwait(handle)
        if wait.isNecessary {
            guard wait.isOfBegunTask else { return try await awaitSpecially(wait, handle) }
            await withUnsafeContinuation { beginToAwait(handle, wait, $0) }
            try checkEnd(of: handle)
        }
    }
}

extension Request where State: ReceivableState {
    /// The result of the request: waits until it has ended, receives it, and frees it.
    ///
    /// ```swift
    /// func greet(_ descriptor: Int32, on events: EventContext, under memory: TallocContext) async throws {
    ///     let bytes = try await Read.send(from: descriptor, on: events, under: memory).value
    ///     print(bytes?.count ?? 0)
    /// }
    /// ```
    ///
    /// It is available for every request whose state is a ``/Tevent/ReceivableState``, as those of the engine are. It
    /// waits as ``Tevent/RequestProtocol/ended()`` does, with the same traps.
    ///
    /// - Throws: The error that the request ended with, such as ``/Tevent/RequestError/cancelled`` if the task is
    ///   cancelled, or a ``TaskError``. The request is freed in any case, unless other code has received its result.
    @inlinable
    public var value: State.Output {
        get async throws {
            do { try await ended() } catch {
                freeUnlessReceived(tallocHandle)
                throw error
            }
            defer { if !isFreed { free() } }
            return try State.receive(self)
        }
    }
}

extension Request {
    /// The whole state of the request, for a kind that has no result of its own: waits until it has ended, and frees
    /// it.
    ///
    /// ```swift
    /// func answer(under memory: TallocContext) async throws -> Int {
    ///     let request = try Request(42, under: memory)
    ///     request.finish()
    ///     return try await request.value
    /// }
    /// ```
    ///
    /// - Throws: The error that the request ended with, or a ``TaskError``.
    @_disfavoredOverload  // A kind's own value comes first.
    @inlinable
    public var value: State {
        get async throws {
            do { try await ended() } catch {
                freeUnlessReceived(tallocHandle)
                throw error
            }
            defer { if !isFreed { free() } }
            return try receive { $0 }
        }
    }
}
