import Talloc

// How a request ends: its cleanup function first, then its callback, at once or from the loop.

extension RequestPointer {
    // snippet: finish
    /// Ends a request in progress: first the cleanup function, then the callback, which may be left to the loop.
    ///
    /// Both may free the request; the handle is therefore checked after each.
    @inline(__always)
    package func finish(_ status: RequestStatus, file: UnsafePointer<CChar>?, line: UInt32) {
        pointee.status = status
        pointee.finishFile = file
        pointee.finishLine = line
        if isRecording { return finishRecorded() }
        if pointee.event != nil || pointee.owned.extras != nil, !tidyUp() { return }
        notifyUnrecorded()
    }

    /// Ends what belongs to the work, and returns whether to call the callback now.
    @inline(never)
    private func tidyUp() -> Bool {
        let handle = handle
        // A C request may end again, and then its callback runs immediately, although the loop is about to call it.
        let wasPosted = isPosted
        pointee.event.take()?.endWaiting()
        // A trace may have freed or received the request; the same holds below.
        guard !handle.isStale, pointee.status != .received else { return false }
        guard let extras = pointee.owned.extras else { return true }
        extras.endTimer.take()?.freeIfThere()
        guard !handle.isStale, pointee.status != .received else { return false }
        extras.profile?.stop(self)
        cleanUp()
        // It may also have posted the request; then the loop calls it.
        guard !handle.isStale, pointee.status != .received, !isPosted || wasPosted else { return false }
        // A task that waits continues from its own loop, even if this one is gone.
        guard let events = extras.deferral.take(), waiter == 0 else { return true }
        if !events.isFreed { post(on: events.record("deferCallback(on:)")) }
        return false
    }
    // snippet-end: finish

    @inline(never)
    private func finishRecorded() {
        addRecord(
            .ended, self, of: .request, value: Int64(pointee.status.rawValue), file: pointee.finishFile,
            line: pointee.finishLine)
        // Extras may hold functions of the program.
        let isAtOnce = pointee.owned.extras == nil
        if pointee.event != nil || !isAtOnce, !tidyUp() { return }
        notifyRecorded(at: isAtOnce ? Record.atOnce : Record.now)
    }

    package func fail(_ status: RequestStatus, _ failure: RequestFailure, file: UnsafePointer<CChar>?, line: UInt32) {
        pointee.owned.failure = failure
        finish(status, file: file, line: line)
    }

    /// Calls the cleanup function, once for each status.
    func cleanUp() {
        guard let cleanup = pointee.owned.extras?.cleanup else { return }
        // It may end another request, whose function ends yet another, and so on.
        withStackRoom { cleanup(AnyRequest(self), pointee.status) }
    }

    /// Calls the callback immediately: a callback that ends the request above runs that request's callback inside
    /// itself.
    ///
    /// However deep that goes, there is enough stack. The callback still exists while the cleanup function is told that
    /// the request is received, but it is not called any more.
    @inline(__always)
    package func notify() { if isRecording { notifyRecorded() } else { notifyUnrecorded() } }

    @inline(__always)
    private func notifyUnrecorded() {
        guard pointee.owned.callback != nil, pointee.status != .received else { return }
        withStackRoom { callBack() }
    }

    @inline(never)
    private func notifyRecorded(on context: ContextPointer? = nil, at time: Int64 = Record.now) {
        guard pointee.owned.callback != nil, pointee.status != .received else { return }
        addRecord(
            .begin, self, of: .request, on: context, value: Int64(pointee.status.rawValue), time: time)
        withStackRoom { callBack() }
        recordEnd()
    }

    /// Calls the callback; the record may be freed before it returns.
    ///
    /// A request that has ended gives its callback away: it is never called again.
    @inline(__always)
    func callBack() {
        if pointee.status == .inProgress { callBackAndKeep() } else { callBack(keeps: false) }
    }

    @inline(never)
    private func callBackAndKeep() { callBack(keeps: true) }

    @inline(__always)
    private func callBack(keeps: Bool) {
        let request = AnyRequest(self)
        if pointee.callbackTakesData {
            let owner = AnyRequest(tallocHandle: pointee.callbackData.unsafelyUnwrapped)
            callback(as: CallbackWithOwner.self, keeps: keeps)?.run(request, owner)
        } else {
            callback(as: RequestCallback.self, keeps: keeps)?.run(request)
        }
    }

    @inline(__always)
    private func callback<Callback>(as type: Callback.Type, keeps: Bool) -> Callback? {
        let callback = MemoryLayout<RequestRecord>.offset(of: \.owned.callback).unsafelyUnwrapped
        let place = (UnsafeMutableRawPointer(self) + callback).assumingMemoryBound(to: Callback?.self)
        return keeps ? place.pointee : place.pointee.take()
    }

    // MARK: Waiting for the callback

    /// Whether the request waits among the immediates of a context for its callback to be called.
    @inline(__always)
    var isPosted: Bool { pointee.scheduled.prefix.context != nil }

    package func post(on context: ContextPointer) {
        // A task that waits continues from a loop anyway.
        if waiter != 0 { return resumeWaiter() }
        leaveQueue()
        scheduled.append(to: context, as: .request, RequestRecord.act)
        if isRecording { recordPost(.attached, on: context) }
        context.wakeIfShared()
    }

    /// The loop has come to a posted request.
    func deliver() {
        if isRecording { return deliverRecorded() }
        scheduled.remove(from: pointee.scheduled.prefix.context.unsafelyUnwrapped)
        notifyUnrecorded()
    }

    @inline(never)
    private func deliverRecorded() {
        let context = pointee.scheduled.prefix.context
        leaveQueue()
        notifyRecorded(on: context)
    }

    @inline(__always)
    func leaveQueue() {
        guard let context = pointee.scheduled.prefix.context else { return }
        scheduled.remove(from: context)
        if isRecording { recordPost(.detached, on: context) }
    }

    /// With few arguments, so that the functions that ask whether to record do not make room for many.
    @inline(never)
    private func recordPost(_ what: Record.What, on context: ContextPointer) {
        addRecord(what, self, of: .request, on: context)
    }
}
