import CTalloc
import Talloc

// How a request gives up its work, its state and what is below it, when it is received, discarded or freed.

extension RequestPointer {
    /// Ends the work, and keeps what is below the request: C's way, whose caller frees the state.
    ///
    /// - Returns: Whether the request is still there.
    package func endWorkKeepingChildren() -> Bool {
        guard pointee.status != .received else { return true }
        pointee.status = .received
        if isRecording { recordReceiving() }
        leaveQueue()
        guard let extras = pointee.owned.extras else { return true }
        let handle = handle
        extras.endTimer.take()?.freeIfThere()
        guard !handle.isStale else { return false }
        cleanUp()
        return !handle.isStale
    }

    /// Ends the work, frees what is below the request, and releases the state.
    func discard() {
        guard let state = beginDiscarding() else { return }
        pointee.storage.deinitializeValue(at: state)
        endDiscarding()
    }

    @inline(never)
    private func recordReceiving() { addRecord(.received, self, of: .request) }

    /// Takes the request out of the loop and calls the cleanup function, which may still use the state.
    ///
    /// - Returns: Whether the request is still there.
    @inline(never)
    fileprivate func endWork() -> Bool {
        let handle = handle
        // Take the event out of the loop first, as when a request ends: the cleanup function may run the loop.
        pointee.event.take()?.endWaiting()
        guard !handle.isStale else { return false }
        guard let extras = pointee.owned.extras else { return true }
        extras.profile?.stop(self)
        cleanUp()
        return !handle.isStale
    }

    /// Does all of `discard` but releasing the state, which is out of every other function's reach from now on.
    ///
    /// - Returns: The state, if the caller must release it before `endDiscarding`; nil if all is done.
    func beginDiscarding() -> UnsafeMutableRawPointer? {
        guard pointee.status != .received else { return nil }
        checkStateIsNotBeingChanged()
        pointee.status = .received
        if isRecording { recordReceiving() }
        leaveQueue()
        if pointee.event != nil || pointee.owned.extras != nil, !endWork() { return nil }
        pointee.isBeingDiscarded = true
        freeChildren()
        let ownsState = pointee.statePlace == .request && pointee.isStateOwner
        pointee.statePlace = .gone
        if ownsState { return placeBehindRecord }
        endDiscarding()
        return nil
    }

    func endDiscarding() {
        pointee.isBeingDiscarded = false
        guard pointee.owned.callback != nil || pointee.freeWhenDiscarded else { return }
        if waiter != 0 { resumeWaiter() }
        let handle = handle
        let callback = pointee.owned.callback.take()
        withExtendedLifetime(callback) {}
        if !handle.isStale, pointee.freeWhenDiscarded { freeChunk(self) }
    }

    /// Frees what is below the request, except its places in queues, which it keeps until it is freed itself.
    ///
    /// What refuses to be freed moves to the request's parent.
    private func freeChildren() {
        guard pointee.hasPlaces else { return freeChildrenIfAny(of: self) }
        freeChildrenThatAgree(of: handle, except: isPlace)
    }

    private func isPlace(_ child: TallocHandle) -> Bool {
        child.record(as: Place.self)?.pointee.request.tallocHandle == handle
    }
}

extension RequestPointer {
    /// Ends the record of a request that C has made, whose children libtalloc frees.
    package func endRecord() {
        pointee.status = .received
        leaveQueue()
        pointee.scheduled.prefix.slot.release()
        if !pointee.owned.isEmpty { releaseBelongings() }
    }

    /// Releases the callback and what else the record owns, once the request's handles are stale.
    fileprivate func releaseBelongings() {
        if waiter != 0 { resumeWaiter() }
        deinitialize(count: 1)
    }
}

/// What libtalloc calls when a request is about to be freed; -1 keeps it, for a moment.
@inline(__always)
func destroyRequest(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let request = chunk!.assumingMemoryBound(to: RequestRecord.self)
    if request.pointee.isBeingDiscarded {
        request.pointee.freeWhenDiscarded = true
        return -1
    }
    request.checkStateIsNotBeingChanged()
    // The work is over, whatever its result; the cleanup function can still use the state.
    if request.pointee.status != .received {
        request.pointee.status = .received
        if request.pointee.event != nil || request.pointee.owned.extras != nil { _ = request.endWork() }
    }
    request.leaveQueue()
    // From here on the handles are stale, so the deinit of anything that the record holds finds the request freed.
    request.pointee.scheduled.prefix.slot.release()
    // Free what is below before the state, which may hold something that it works with, such as a descriptor.
    freeChildrenIfAny(of: chunk.unsafelyUnwrapped)
    if request.pointee.statePlace == .request, request.pointee.isStateOwner { request.releaseState() }
    if !request.pointee.owned.isEmpty { request.releaseBelongings() }
    return 0
}
