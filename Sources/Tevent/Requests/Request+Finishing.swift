import Talloc

extension RequestProtocol {
    /// Ends the request successfully, and calls its callback.
    ///
    /// The callback may free the request: do not touch the request again, return. Ending a request twice is a trap that
    /// names where the request was made and where it ended first.
    ///
    /// The callback is called before `finish()` returns, unless 64 callbacks already run inside one another; then it is
    /// called when the innermost of them has returned.
    ///
    /// The corresponding C function is `tevent_req_done()`.
    @inlinable
    public func finish(file: StaticString = #fileID, line: UInt32 = #line) {
        finishRequest(requestChunk("finish()"), file: file.cString, line: line)
    }

    /// Ends the request with an error, and calls its callback.
    ///
    /// As with ``finish(file:line:)``, do not touch the request again. An error that means "out of memory",
    /// ``TeventError`` or `TallocError`, gives the status ``RequestStatus/noMemory``, any other
    /// ``RequestStatus/failed``. Ending a request twice is a trap.
    ///
    /// - Parameters:
    ///   - error: The error that ``Request/receive(_:)`` will throw.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    ///
    /// The corresponding C functions are `tevent_req_error()` and `tevent_req_oom()`.
    public func fail(_ error: any Error, file: StaticString = #fileID, line: UInt32 = #line) {
        let request = recordToEnd("fail(_:)", file: file, line: line)
        if case RequestError.code(let code) = error {
            request.fail(.failed, .code(code), file: file.cString, line: line)
        } else {
            request.fail(saysOutOfMemory(error) ? .noMemory : .failed, .error(error), file: file.cString, line: line)
        }
    }

    /// Ends the request with an error number of the program's own, unless the number is 0, which means success.
    ///
    /// Ending a request twice is a trap, except with 0.
    ///
    /// - Parameters:
    ///   - code: The number that ``Request/receive(_:)`` will throw in ``RequestError/code(_:)``.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: Whether the number was an error; then the request has ended.
    ///
    /// The corresponding C function is `tevent_req_error()`.
    @discardableResult
    public func fail(code: UInt64, file: StaticString = #fileID, line: UInt32 = #line) -> Bool {
        guard code != 0 else { return false }
        recordToEnd("fail(code:)", file: file, line: line)
            .fail(.failed, .code(code), file: file.cString, line: line)
        return true
    }

    /// Takes a step that may throw, and ends the request with the error if it does.
    ///
    /// If the result is nil, the request has ended: return. A function that is still making the request posts it
    /// instead.
    ///
    /// ```swift
    /// let request = try Request("work", under: memory)
    /// let copy = request.attempt { try TallocChunk([1, 2, 3], under: request) }
    /// guard let copy else { return }
    /// print(copy.value)
    /// ```
    ///
    /// - Parameters:
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    ///   - step: The step to take.
    /// - Returns: What the step returned, or nil if it threw.
    ///
    /// The corresponding C function is `tevent_req_nomem()`.
    public func attempt<Value>(
        file: StaticString = #fileID, line: UInt32 = #line, _ step: () throws -> Value
    ) -> Value? {
        do { return try step() } catch {
            fail(error, file: file, line: line)
            return nil
        }
    }

    /// Has the loop of `events` call the callback of a request that has ended, as an immediate would.
    ///
    /// A request that ends while it is being made has no callback yet. Post it, and the caller can set one before the
    /// loop comes to it. Posting needs no memory and cannot fail. Posting a request in progress is a trap.
    ///
    /// ```swift
    /// func sendNothing() throws(TeventError) -> Request<Void> {
    ///     let request = try Request((), under: memory)
    ///     request.finish()
    ///     return request.post(on: events)
    /// }
    /// let request = try sendNothing()
    /// request.setCallback { $0.free() }
    /// ```
    ///
    /// - Parameter events: The context whose loop calls the callback. If the context is freed first, the callback is
    ///   never called.
    /// - Returns: The request, for the last line of a function that makes one.
    ///
    /// The corresponding C function is `tevent_req_post()`.
    @discardableResult
    public func post(on events: EventContext) -> Self {
        let request = record("post(on:)")
        guard request.pointee.status != .inProgress else {
            abort(
                "the request made at \(request.origin) was posted while it is in progress; "
                    + "end it first, with finish() or fail(_:)")
        }
        request.post(on: events.record("post(on:)"))
        return self
    }

    /// Posts the request if it has already ended: the last step of a function that makes a request.
    ///
    /// Does nothing if the request is in progress. Nor if other code has run meanwhile, such as a trace, and has freed or
    /// received the request, or freed the context.
    ///
    /// ```swift
    /// func sendLater() throws(TeventError) -> Request<Void> {
    ///     let request = try Request((), under: memory)
    ///     _ = request.attempt { try events.addTimer(after: .seconds(1), under: request) { _, _ in request.finish() } }
    ///     return request.postIfEnded(on: events)
    /// }
    /// let request = try sendLater()
    /// request.setCallback { $0.free() }
    /// ```
    ///
    /// - Parameter events: The context whose loop calls the callback, as in ``post(on:)``.
    /// - Returns: The request.
    ///
    /// C has no function for this: its functions call `tevent_req_post()` wherever a request may have ended.
    public func postIfEnded(on events: EventContext) -> Self {
        guard let request = tallocHandle.record(as: RequestRecord.self), request.pointee.status != .inProgress,
            request.pointee.status != .received, let context = events.tallocHandle.record(as: ContextRecord.self)
        else { return self }
        request.post(on: context)
        return self
    }

    /// When the request ends, has the loop of `events` call the callback, never the function that ends the request.
    ///
    /// - Parameter events: The context whose loop calls the callback. If the context is freed first, the callback is
    ///   never called.
    ///
    /// The corresponding C function is `tevent_req_defer_callback()`.
    public func deferCallback(on events: EventContext) {
        let request = record("deferCallback(on:)")
        _ = events.record("deferCallback(on:)")
        request.extras.deferral = events
    }

    /// Calls the callback of a request in progress, to report progress; you may call it again and again.
    ///
    /// The callback of such a request must look at ``status`` before it receives the result.
    ///
    /// The corresponding C function is `tevent_req_notify_callback()`.
    public func notify() { record().notify() }

    /// The record of a request in progress, or a trap.
    private func recordToEnd(_ call: StaticString, file: StaticString, line: UInt32) -> RequestPointer {
        let request = record(call)
        if request.pointee.status != .inProgress { request.endedTwice(file: file.cString, line: line) }
        return request
    }
}

/// Ends a request successfully.
///
/// It traps by itself, so that it is the last thing its caller does: in a cascade fewer calls lie on the stack.
@usableFromInline
func finishRequest(_ chunk: UnsafeMutableRawPointer, file: UnsafePointer<CChar>, line: UInt32) {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    guard request.pointee.status == .inProgress else { request.endedTwice(file: file, line: line) }
    request.finish(.done, file: file, line: line)
}

extension RequestPointer {
    /// The trap for ending, at `file` and `line`, a request that has ended.
    @inline(never)
    fileprivate func endedTwice(file: UnsafePointer<CChar>, line: UInt32) -> Never {
        let first =
            pointee.finishFile == nil && pointee.status == .received
            ? "it was received before it had ended"
            : "it had ended at \(finishOrigin) and is \(pointee.status)"
        abort(
            "the Request<\(stateName)> made at \(origin) is ended a second time at \(String(cString: file)):\(line): "
                + "\(first). A 'return' after the first end may be missing")
    }
}
