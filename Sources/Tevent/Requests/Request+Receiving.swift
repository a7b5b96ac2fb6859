import Talloc

extension Request {
    /// Takes the result out of a request that has ended and releases the state, or throws the error it ended with.
    ///
    /// Call it in your own function named *receive*:
    ///
    /// ```swift
    /// struct Addition {
    ///     var sum = 0
    /// }
    /// func receive(_ request: Request<Addition>) throws -> Int {
    ///     try request.receive { $0.sum }
    /// }
    /// ```
    ///
    /// Receiving frees everything below the request. Whatever must live longer has to be moved or copied by `result`.
    /// The request itself stays, empty, until you free it. Receiving a request in progress, or receiving twice, is a
    /// trap.
    ///
    /// - Parameter result: Takes the result from the state of a request that is done. It is not called if the request
    ///   failed.
    /// - Returns: What `result` returned.
    /// - Throws: The error that the request failed with, such as ``RequestError/timedOut``, or what `result` threw.
    ///
    /// The corresponding C functions are `tevent_req_is_error()` and `tevent_req_received()`.
    @inlinable
    public func receive<Result>(_ result: (inout State) throws -> Result) throws -> Result {
        let chunk = requestChunk("receive(_:)")
        guard let place = beginReceivingRequest(chunk) else { throw receiveError(chunk) }
        defer {
            // Here, where the type is known; without the type it takes far longer.
            if let state = beginDiscardingRequest(chunk) {
                Storage<State>.value(at: state).deinitialize(count: 1)
                endDiscardingRequest(chunk)
            }
        }
        return try result(&Storage<State>.value(at: place).pointee)
    }

    /// Takes the whole state of a request that is done, for a request whose kind has no `receive` of its own.
    ///
    /// ```swift
    /// let request = try Request([1, 2, 3], under: memory)
    /// request.finish()
    /// print(try request.receive())
    /// ```
    ///
    /// - Returns: The state as it was when the request ended.
    /// - Throws: The error that the request failed with.
    @_disfavoredOverload  // A kind's own receive comes first, even if that is generic.
    @inlinable
    @discardableResult
    public func receive() throws -> State { try receive { $0 } }

    init(erased request: AnyRequest) { tallocHandle = request.tallocHandle }
}

// The part of `receive` that is the same for every type of state.

/// The place of the state of a request that is done, which may be changed until it is received; nil if the request
/// failed.
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
    /// Ends the request without looking at its result: releases the state, and frees everything below the request.
    ///
    /// You may call it at any time. Work in progress ends, and the callback is never called.
    ///
    /// The corresponding C function is `tevent_req_received()`.
    public func discard() { record("discard()").discard() }

    /// Runs the loop of `events` until the request has ended.
    ///
    /// It is for programs that have nothing else to do meanwhile, such as tests and tools:
    ///
    /// ```swift
    /// let request = try Read.send(from: descriptor, on: events, under: memory)
    /// guard try request.poll(on: events) == .finished else { return }
    /// print(try request.receive() ?? [])
    /// ```
    ///
    /// - Parameter events: The context whose loop runs.
    /// - Returns: ``LoopResult/finished`` when the request has ended or was freed. Otherwise the reason why the loop
    ///   could not continue, such as ``LoopResult/noEvents`` for a request that nothing will ever end.
    /// - Throws: What ``EventContext/loopOnce()`` throws; in a handler it is mostly ``TeventError/nestedLoop``.
    ///
    /// The corresponding C function is `tevent_req_poll()`.
    @discardableResult
    public func poll(on events: EventContext) throws(TeventError) -> LoopResult {
        _ = record("poll(on:)")
        return try events.loop { isFreed || !isInProgress }
    }
}
