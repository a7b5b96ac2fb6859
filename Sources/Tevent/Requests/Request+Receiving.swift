import Talloc

extension Request {
    /// Takes the result out of a request that has ended, and lets its state go; throws if it failed.
    ///
    /// This is what a function named receive does. Whatever is below the request is freed, so what shall live on must be
    /// moved or copied by `result`. The request itself stays, with nothing in it, until it is freed.
    ///
    /// - Parameter result: Gets the state of a request that is done, to take from it what it likes.
    /// - Returns: What `result` returns.
    /// - Throws: What the request failed with, ``RequestError/timedOut``, or what `result` throws.
    ///
    /// Receiving a request in progress, or twice, is a trap.
    ///
    /// The corresponding C functions are `tevent_req_is_error()` and `tevent_req_received()`.
    @inlinable
    public func receive<Result>(_ result: (inout State) throws -> Result) throws -> Result {
        let error = errorOfRequestToReceive(chunk("receive(_:)"))
        defer { if !isFreed { received() } }
        if let error { throw error }
        return try result(&state)
    }

    init(erased request: AnyRequest) { tallocHandle = request.tallocHandle }
}

/// Why a request that has ended failed, or nil.
@usableFromInline
func errorOfRequestToReceive(_ chunk: UnsafeMutableRawPointer) -> (any Error)? {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    switch request.pointee.status {
    case .inProgress: abort("the request made at \(request.origin) was received before it had ended")
    case .received: abort("the request made at \(request.origin) was received twice")
    case .done, .failed, .timedOut, .noMemory: return request.pointee.failure.error
    }
}

@usableFromInline
func receiveRequest(_ chunk: UnsafeMutableRawPointer) {
    chunk.assumingMemoryBound(to: RequestRecord.self).receive()
}

extension RequestProtocol {
    /// Lets the state and all that is below the request go, without a look at the result.
    ///
    /// It may be called at any time; the request is then over, and calls nobody any more.
    ///
    /// The corresponding C function is `tevent_req_received()`.
    @inlinable
    public func received() { receiveRequest(chunk("received()")) }

    /// Runs the loop of `events` until the request has ended.
    ///
    /// It is for programs that have nothing else to do meanwhile, such as tests and tools.
    ///
    /// - Returns: ``LoopResult/finished`` when it has ended or was freed, else why the loop could not go on, such as
    ///   ``LoopResult/noEvents`` for a request that nothing will ever end.
    /// - Throws: What ``EventContext/loopOnce()`` throws; in a handler above all ``TeventError/nestedLoop``.
    ///
    /// The corresponding C function is `tevent_req_poll()`.
    @discardableResult
    public func poll(on events: EventContext) throws(TeventError) -> LoopResult {
        _ = record("poll(on:)")
        return try events.loop { isFreed || !isInProgress }
    }
}
