import Talloc

// What all requests that wait for a descriptor share. A request's record knows the event that it waits with: its own
// child, or the lent event of a holder. When the request ends, in whatever way, it first frees the event or gives it
// back. The event is therefore out of the loop before any function is notified of the end.

extension Request {
    /// Calls a step of the work each time the descriptor is ready, until the request ends.
    ///
    /// Meanwhile the request may be cancelled, which ends it immediately.
    func wait(
        for flags: FDEvent.Flags, of descriptor: Int32, on events: EventContext, _ step: @escaping FDHandler
    ) throws(TeventError) {
        let request = record("wait(for:)")
        let context = events.record("wait(for:)")
        if let lent = context.lendHolder(of: descriptor, to: request, flags, step) {
            request.pointee.event = lent
        } else {
            try request.addEvent(of: descriptor, flags, on: context, step)
        }
    }

    /// Begins to wait, or ends the request if that fails: the last step of a function that makes a request.
    func waitOrFail(
        for flags: FDEvent.Flags, of descriptor: Int32, on events: EventContext, _ step: @escaping FDHandler
    ) -> Request {
        do throws(TeventError) { try wait(for: flags, of: descriptor, on: events, step) } catch {
            fail(error)
        }
        // A trace may have run the loop, and that may have ended the request.
        return postIfEnded(on: events)
    }

    /// The request that waits with an event.
    ///
    /// The event knows it, so that the handler needs no closure, and no allocation, to hold it.
    init(waitingWith event: FDEvent) {
        guard let borrower = event.record("init(waitingWith:)").pointee.borrower else {
            abort("the event made at \(event.origin) serves no request any more")
        }
        tallocHandle = RequestPointer(OpaquePointer(borrower)).handle
    }
}

extension Request {
    /// Takes the event that the request waits with out of the loop; the request stays in progress.
    func stopWaiting() { record("stopWaiting()").pointee.event.take()?.endWaiting() }
}

extension Request {
    /// Makes cancelling end the request immediately.
    func allowCancelling() {
        setCancel { request in
            request.fail(RequestError.cancelled)
            return true
        }
    }
}

extension RequestProtocol {
    /// Traps: a request of the engine has no result, although it is done.
    func lacksItsWork() -> Never {
        let request = record()
        abort(
            "the Request<\(request.stateName)> made at \(request.origin) is missing the result of its own work: "
                + "other code finished it, at \(request.finishOrigin), or replaced its state; "
                + "fail or cancel a request that another function made, but do not finish it")
    }
}

extension RequestPointer {
    /// Watches a descriptor for the request; the handler is also called when the descriptor turns out not to be open.
    fileprivate func addEvent(
        of descriptor: Int32, _ flags: FDEvent.Flags, on context: ContextPointer, _ step: @escaping FDHandler
    ) throws(TeventError) {
        _ = try context.addFD(
            descriptor, flags, under: self, file: StaticString(#fileID).cString, line: #line, service: .request, step
        ) { event in
            event.pointee.borrower = UnsafeMutableRawPointer(self)
            pointee.event = FDEvent(event)
        }
    }
}

extension FDEvent {
    /// The buffer that the context's reads share; an event that has left its loop has no context to share one with.
    var readBuffer: ReadBuffer { record().pointee.prefix.context?.pointee.readBuffer ?? ReadBuffer() }
}
