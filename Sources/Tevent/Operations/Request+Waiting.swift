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
        let request = record("send")
        let context = events.record("send")
        if !request.borrowHolder(of: descriptor, flags, on: context, step) {
            try request.addEvent(of: descriptor, flags, on: context, step)
        }
    }

    /// Begins to wait, or ends the request if that fails: the last step of a function that makes a request.
    @inline(__always)
    func waitOrFail(
        for flags: FDEvent.Flags, of descriptor: Int32, on events: EventContext, _ step: @escaping FDHandler
    ) -> Request {
        let request = record("send")
        let context = events.record("send")
        if request.borrowHolder(of: descriptor, flags, on: context, step) { return self }
        do throws(TeventError) { try request.addEvent(of: descriptor, flags, on: context, step) } catch {
            fail(error)
        }
        // A trace may have run the loop, and that may have ended the request.
        return postIfEnded(on: events)
    }

    /// The request that waits with an event.
    ///
    /// The event knows it, so that the handler needs no closure, and no allocation, to hold it.
    init(waitingWith event: FDEvent) { tallocHandle = event.record().waitingRequest.handle }

    /// Receives an operation of the engine.
    ///
    /// - Parameter take: Takes the result from the state; it runs no other code, so the state needs no mark meanwhile.
    @inline(__always)
    func takeResult<Result>(_ take: (UnsafeMutablePointer<State>) -> Result) throws -> Result {
        let request = record("receive()")
        guard request.pointee.status == .done else { throw receiveError(request) }
        let result = take(request.state(of: State.self))
        if let state = request.beginDiscarding() {
            Storage<State>.value(at: state).deinitialize(count: 1)
            request.endDiscarding()
        }
        return result
    }
}

extension FDPointer {
    /// The request that waits with the event.
    @inline(__always)
    var waitingRequest: RequestPointer {
        guard let borrower = pointee.borrower else { servesNoRequest() }
        return RequestPointer(OpaquePointer(borrower))
    }

    private func servesNoRequest() -> Never {
        abort("the event made at \(pointee.prefix.origin) serves no request any more")
    }

    /// Reads with the buffer that the context's reads share; an event that has left its loop has no context to share one
    /// with.
    func readBytes(upTo count: Int) throws(TeventError) -> SystemIO.ReadResult {
        guard let context = pointee.prefix.context else { return try SystemIO.read(pointee.descriptor, upTo: count) }
        return try context.pointee.readBuffer.read(pointee.descriptor, upTo: count)
    }
}

extension RequestPointer {
    /// The state of an operation of the engine, in place, for a step that runs no other code while it uses it.
    @inline(__always)
    func state<State>(of type: State.Type) -> UnsafeMutablePointer<State> { Storage<State>.value(at: placeOfState) }

    /// Ends an operation of the engine.
    func finish(file: StaticString = #fileID, line: UInt32 = #line) {
        finishRequest(self, file: file.cString, line: line)
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
    /// Waits with the event that holds the descriptor; false if there is none, or another request has it.
    fileprivate func borrowHolder(
        of descriptor: Int32, _ flags: FDEvent.Flags, on context: ContextPointer, _ step: @escaping FDHandler
    ) -> Bool {
        guard let lent = context.lendHolder(of: descriptor, to: self, flags, step) else { return false }
        pointee.event = lent
        return true
    }

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
