import Talloc

extension RequestProtocol {
    /// Ends the request well, and calls its callback.
    ///
    /// The callback may free the request, so the caller touches it no more. It is called at once, except where 64 callbacks
    /// run inside each other already: then when the innermost has returned. Ending a request that has ended is a trap
    /// that names where it was made and where it ended first.
    ///
    /// The corresponding C function is `tevent_req_done()`.
    @inlinable
    public func finish(file: StaticString = #fileID, line: UInt32 = #line) {
        finishRequest(requestChunk("finish()"), file: file.cString, line: line)
    }

    /// Ends the request with an error, and calls its callback.
    ///
    /// An error that says there was no memory gives ``RequestStatus/noMemory``, any other ``RequestStatus/failed``.
    /// Ending a request that has ended is a trap.
    ///
    /// - Parameter error: What ``Request/receive(_:)`` throws.
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

    /// Ends the request with an error number of the program's own, unless that is 0, which means no error.
    ///
    /// Ending a request that has ended is a trap, except with 0.
    ///
    /// - Parameter code: What ``Request/receive(_:)`` throws in ``RequestError/code(_:)``.
    /// - Returns: Whether there was an error, and so the request has ended.
    ///
    /// The corresponding C function is `tevent_req_error()`.
    @discardableResult
    public func fail(code: UInt64, file: StaticString = #fileID, line: UInt32 = #line) -> Bool {
        guard code != 0 else { return false }
        recordToEnd("fail(code:)", file: file, line: line)
            .fail(.failed, .code(code), file: file.cString, line: line)
        return true
    }

    /// Does a step of the work that may fail, above all for lack of memory, and ends the request if it does.
    ///
    /// A caller that gets nil has nothing more to do than to return, or to post the request if it is just being made:
    ///
    ///     guard let copy = request.attempt({ try TallocChunk(data, under: request) }) else { return }
    ///
    /// - Parameter step: What to do.
    /// - Returns: What the step returns, or nil when it threw and the request has ended with its error.
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

    /// Lets the callback of a request that has ended be called from the loop of `events`, as an immediate would be.
    ///
    /// A request that ends while it is being made has no callback yet: post it, and its maker's caller can set one. It
    /// needs no memory and cannot fail. Posting a request in progress is a trap: it has nothing to tell.
    ///
    /// - Parameter events: The context whose loop calls the callback. If it is freed first, the callback is never called.
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

    /// Lets the callback be called from the loop of `events` when the request ends, never from inside of what ends it.
    ///
    /// - Parameter events: The context whose loop calls the callback. If it is freed first, the callback is never called.
    ///
    /// The corresponding C function is `tevent_req_defer_callback()`.
    public func deferCallback(on events: EventContext) {
        let request = record("deferCallback(on:)")
        _ = events.record("deferCallback(on:)")
        request.extras.deferral = events
    }

    /// Calls the callback of a request that goes on, to tell of progress; it can be called again.
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

/// Ends a request well.
///
/// It traps by itself, so that it is the last thing its caller does: in a cascade fewer calls lie on the stack.
@usableFromInline
func finishRequest(_ chunk: UnsafeMutableRawPointer, file: UnsafePointer<CChar>, line: UInt32) {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    guard request.pointee.status == .inProgress else { request.endedTwice(file: file, line: line) }
    request.finish(.done, file: file, line: line)
}

extension RequestPointer {
    /// The trap when a request that has ended is to be ended again, at `file` and `line`.
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
