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
        let chunk = requestChunk("receive(_:)")
        guard let place = beginReceivingRequest(chunk) else { throw errorOfRequestReceived(chunk) }
        defer {
            // Here, where the type is known, since those who do not know it take far longer.
            if let state = receiveRequest(chunk) {
                Storage<State>.value(at: state).deinitialize(count: 1)
                endReceivingRequest(chunk)
            }
        }
        return try result(&Storage<State>.value(at: place).pointee)
    }

    init(erased request: AnyRequest) { tallocHandle = request.tallocHandle }
}

// What `receive` does for every type of state alike.

/// Where the state of a request lies that is done, and may be changed until it is received; nil if it failed.
@usableFromInline
func beginReceivingRequest(_ chunk: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    guard request.pointee.status == .done else { return nil }
    return beginChangeOfState(chunk)
}

/// Receives a request that has failed, and returns why it did.
@inline(never)
@usableFromInline
func errorOfRequestReceived(_ chunk: UnsafeMutableRawPointer) -> any Error {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    switch request.pointee.status {
    case .inProgress: abort("the request made at \(request.origin) was received before it had ended")
    case .received: abort("the request made at \(request.origin) was received twice")
    case .done, .failed, .timedOut, .noMemory:
        let error = request.pointee.failure.error!
        request.receive()
        return error
    }
}

/// Ends the change that began the receiving, and receives; returns the state if it must be released before the end.
@usableFromInline
func receiveRequest(_ chunk: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    endChangeOfState(chunk)
    return chunk.assumingMemoryBound(to: RequestRecord.self).beginReceiving()
}

@usableFromInline
func endReceivingRequest(_ chunk: UnsafeMutableRawPointer) {
    chunk.assumingMemoryBound(to: RequestRecord.self).endReceiving()
}

extension RequestProtocol {
    /// Lets the state and all that is below the request go, without a look at the result.
    ///
    /// It may be called at any time; the request is over then, and its callback is never called.
    ///
    /// The corresponding C function is `tevent_req_received()`.
    public func received() { record("received()").receive() }

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
