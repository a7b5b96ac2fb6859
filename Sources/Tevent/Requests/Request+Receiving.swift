import Talloc

extension Request {
    /// Takes the result out of a request that has ended, and releases its state; throws if the request failed.
    ///
    /// Give each kind of request a `receive()` that calls this one. Everything below the request is freed, so `result` must
    /// move or copy whatever has to outlive it. The request itself stays, empty, until it is freed.
    ///
    /// - Parameter result: Gets the state of a request that is done, and takes from it what is wanted.
    /// - Returns: What `result` returns.
    /// - Throws: What the request failed with, ``RequestError/timedOut``, or what `result` throws.
    ///
    /// Receiving a request in progress, or twice, is a trap.
    ///
    /// The corresponding C functions are `tevent_req_is_error()` and `tevent_req_received()`.
    @inlinable
    public func receive<Result>(_ result: (inout State) throws -> Result) throws -> Result {
        let chunk = requestChunk("receive(_:)")
        guard let place = beginReceivingRequest(chunk) else { throw receiveError(chunk) }
        defer {
            // Here, where the type is known, since those who do not know it take far longer.
            if let state = beginDiscardingRequest(chunk) {
                Storage<State>.value(at: state).deinitialize(count: 1)
                endDiscardingRequest(chunk)
            }
        }
        return try result(&Storage<State>.value(at: place).pointee)
    }

    /// Takes the state out of a request that is done, as the result of a request whose kind has no `receive` of its own.
    ///
    /// - Returns: The state as it was when the request ended.
    /// - Throws: What ``receive(_:)`` throws.
    @_disfavoredOverload  // A kind's own receive comes first, even if that is generic.
    @inlinable
    @discardableResult
    public func receive() throws -> State { try receive { $0 } }

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
func receiveError(_ chunk: UnsafeMutableRawPointer) -> any Error {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    switch request.pointee.status {
    case .inProgress: abort("the request made at \(request.origin) was received before it had ended")
    case .received: abort("the request made at \(request.origin) was received twice")
    case .done, .failed, .timedOut, .noMemory:
        let error = request.pointee.owned.failure.error!
        request.discard()
        return error
    }
}

/// Ends the change that began the receiving, and receives; returns the state if it must be released before the end.
@usableFromInline
func beginDiscardingRequest(_ chunk: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    endChangeOfState(chunk)
    return chunk.assumingMemoryBound(to: RequestRecord.self).beginDiscarding()
}

@usableFromInline
func endDiscardingRequest(_ chunk: UnsafeMutableRawPointer) {
    chunk.assumingMemoryBound(to: RequestRecord.self).endDiscarding()
}

extension RequestProtocol {
    /// Ends the request without looking at its result: releases the state and frees everything below the request.
    ///
    /// It may be called at any time. The work ends if it was in progress, and the callback is never called.
    ///
    /// The corresponding C function is `tevent_req_received()`.
    public func discard() { record("discard()").discard() }

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
