import Talloc

// The functions that a request can have besides its callback. The request owns each of them until it is freed.
//
// Cancel and cleanup functions belong to the code that creates the request, just as the callback belongs to its caller.
// A request has one of each, so a caller that sets one removes the one that the creator needs. C has the same rule.
//
// Swap instead of assigning: releasing the old function may run arbitrary deinit code, which may free the request and
// must find the new function in place.

extension Request {
    /// Sets the function that stops the work when ``RequestProtocol/cancel()`` is called; nil removes it.
    ///
    /// Only the function that makes the request should set it: a request has one, and its maker needs it.
    ///
    /// ```swift
    /// let request = try Request("work", under: memory)
    /// request.setCancel { request in
    ///     request.fail(RequestError.cancelled)
    ///     return true
    /// }
    /// ```
    ///
    /// - Parameter cancel: Stops the work, and ends the request, immediately or later, mostly with
    ///   ``RequestError/cancelled``. It returns whether the work can be stopped. The request owns it until the request
    ///   is freed.
    ///
    /// The corresponding C function is `tevent_req_set_cancel_fn()`.
    public func setCancel(_ cancel: ((_ request: Request) -> Bool)?) {
        var cancel = cancel.map { cancel in { (request: AnyRequest) in cancel(Request(erased: request)) } }
        swap(&record("setCancel(_:)").extras.cancel, &cancel)
    }

    /// Sets the function that cleans up when the request ends, and again when it is received or freed; nil removes it.
    ///
    /// Only the function that makes the request should set it: a request has one, and its maker needs it.
    ///
    /// The function is called once for each final status, before the callback, while the state still exists: first with
    /// the status in which the request ended, later with ``RequestStatus/received``. A request that is freed in
    /// progress gets only the latter.
    ///
    /// ```swift
    /// let request = try Request(descriptor, under: memory)
    /// request.setCleanup { request, status in
    ///     if status == .received { SystemIO.close(request.state) }
    /// }
    /// ```
    ///
    /// - Parameter cleanup: The function; it gets the request and the status. The request owns it until the request is
    ///   freed.
    ///
    /// The corresponding C function is `tevent_req_set_cleanup_fn()`.
    public func setCleanup(_ cleanup: ((_ request: Request, _ status: RequestStatus) -> Void)?) {
        var cleanup = cleanup.map { cleanup in
            { (request: AnyRequest, status: RequestStatus) in cleanup(Request(erased: request), status) }
        }
        swap(&record("setCleanup(_:)").extras.cleanup, &cleanup)
    }

    /// Sets the function that describes the request, for logs and for ``RequestProtocol/description``; nil removes it.
    ///
    /// ```swift
    /// let request = try Request([UInt8](), under: memory)
    /// request.setPrint { "write of \($0.state.count) bytes" }
    /// print(request)
    /// ```
    ///
    /// The corresponding C function is `tevent_req_set_print_fn()`.
    public func setPrint(_ print: ((_ request: Request) -> String)?) {
        var print = print.map { print in { (request: AnyRequest) in print(Request(erased: request)) } }
        swap(&record("setPrint(_:)").extras.print, &print)
    }
}

extension RequestProtocol {
    /// Asks the work to stop; the request may end before the call returns, later, or not at all.
    ///
    /// - Returns: Whether the work can be stopped. It is false if the request cannot be cancelled, or has ended.
    ///
    /// The corresponding C function is `tevent_req_cancel()`.
    @discardableResult
    public func cancel() -> Bool {
        let request = record()
        guard request.pointee.status == .inProgress else { return false }
        if let cancel = request.pointee.owned.extras?.cancel {
            var isCancelling = false
            // It may cancel the request that does a part of the work, whose function cancels another, and so on.
            withStackRoom { isCancelling = cancel(AnyRequest(request)) }
            return isCancelling
        }
        // A request that waits for a descriptor has not yet done anything that would have to be undone.
        guard request.pointee.event != nil else { return request.cancelState() }
        fail(RequestError.cancelled)
        return true
    }

    /// A description of the request, for logs.
    ///
    /// It is what the request's print function returns; without one it names the state's type, the status and where the
    /// request was made. It never traps, not even after the request was freed.
    ///
    /// The corresponding C functions are `tevent_req_print()` and `tevent_req_default_print()`.
    public var description: String {
        guard !isFreed else { return "\(Self.self), freed" }
        let request = record()
        guard let print = request.pointee.owned.extras?.print else { return request.words }
        var words = ""
        // It may describe the request that does a part of the work, and so on.
        withStackRoom { words = print(AnyRequest(request)) }
        return words
    }

    /// The description that the request has without a print function.
    ///
    /// The corresponding C function is `tevent_req_default_print()`.
    public var defaultDescription: String { record().words }
}

extension RequestPointer {
    var stateName: String { String(cString: stateTypeName) }

    var words: String {
        var words = "request of \(stateName), made at \(origin): \(pointee.status)"
        if pointee.finishFile != nil { words += " at \(finishOrigin)" }
        if let error = pointee.owned.failure.error { words += ", \(error)" }
        return words
    }
}

/// A state that can stop its work by itself, for a kind of request that would otherwise set the same function each
/// time.
package protocol CancellableState {
    /// Stops the work, as a function given to ``Request/setCancel(_:)`` would.
    static func cancel(_ request: AnyRequest) -> Bool
}

extension RequestPointer {
    @inline(never)
    fileprivate func cancelState() -> Bool {
        guard let state = pointee.storage.valueType as? any CancellableState.Type else { return false }
        return state.cancel(AnyRequest(self))
    }
}
