import Talloc

// The functions that a request can be given besides its callback. Each is owned by the request until it is freed.
//
// Cancel and cleanup functions belong to whoever makes the request, as the callback belongs to whoever asked for it: a
// request has one of each, so a caller who sets one takes away what its maker needs. C has the same rule.
//
// They are swapped, not assigned: releasing the old one may run arbitrary deinit code, which may free the request, so it
// comes when the new one is in its place.

extension Request {
    /// Sets a function that stops the work when the request is cancelled; nil removes it.
    ///
    /// It is for the function that makes the request, not for its caller.
    ///
    /// - Parameter cancel: Returns whether it could be stopped. To end the request is its task, mostly with
    ///   ``RequestProtocol/fail(_:file:line:)`` and ``RequestError/cancelled``, at once or later.
    ///
    /// The corresponding C function is `tevent_req_set_cancel_fn()`.
    public func setCancel(_ cancel: ((_ request: Request) -> Bool)?) {
        var cancel = cancel.map { cancel in { (request: AnyRequest) in cancel(Request(erased: request)) } }
        swap(&record("setCancel(_:)").extras.cancel, &cancel)
    }

    /// Sets what tidies up when the request ends, and again when it is received or freed; nil takes it away.
    ///
    /// It is for the function that makes the request, not for its caller.
    ///
    /// It is called once for each final status, before the callback, and with the state still there: first with how the
    /// request ended, later with ``RequestStatus/received``. A request that is freed in progress gets only the latter.
    ///
    /// The corresponding C function is `tevent_req_set_cleanup_fn()`.
    public func setCleanup(_ cleanup: ((_ request: Request, _ status: RequestStatus) -> Void)?) {
        var cleanup = cleanup.map { cleanup in
            { (request: AnyRequest, status: RequestStatus) in cleanup(Request(erased: request), status) }
        }
        swap(&record("setCleanup(_:)").extras.cleanup, &cleanup)
    }

    /// Sets what describes the request in words, for logs and for ``RequestProtocol/description``; nil takes it away.
    ///
    /// The corresponding C function is `tevent_req_set_print_fn()`.
    public func setPrint(_ print: ((_ request: Request) -> String)?) {
        var print = print.map { print in { (request: AnyRequest) in print(Request(erased: request)) } }
        swap(&record("setPrint(_:)").extras.print, &print)
    }
}

extension RequestProtocol {
    /// Asks the work to stop; the request may end at once, later, or not at all.
    ///
    /// - Returns: Whether the work can be stopped; false when the request has no cancel function, or has ended.
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
        // Whoever waits for a descriptor has done nothing yet that could not be left.
        guard request.pointee.event != nil else { return false }
        fail(RequestError.cancelled)
        return true
    }

    /// The request in words: what its print function says, or else its state's type, its status and where it was made.
    ///
    /// It never traps, not even when the request has been freed.
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

    /// The request in words, whatever its print function says.
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
