import CLinux
import Talloc

// How a task waits for a request; the tasks themselves are in Sources/TeventTasks.
//
// A request in progress is in no queue, so that the links of its record are free: they chain it to the other requests
// that tasks of the same loop wait for. When the context ends, its loop finds them there. The chain is a ring, from
// which a record can be taken without knowing whose ring it is:
//
//     ╭─ the loop's anchor ─ request ─ request ─ request ─╮
//     ╰───────────────────────────────────────────────────╯
//
// Waiting needs no memory: the task is a word in the record, where an event has its tag, which a request does not have.

extension RequestPointer {
    /// The task that waits for the request, as its module knows it; 0 if none does.
    @inline(__always)
    package var waiter: UInt64 {
        get { pointee.scheduled.prefix.tag }
        nonmutating set { pointee.scheduled.prefix.tag = newValue }
    }

    /// Has a task wait for a request in progress, for which no other one waits.
    ///
    /// - Parameter anchor: The beginning of the ring of the task's loop.
    /// - Returns: The callback that the request had; releasing it may run any deinit, even free the request.
    package func await(_ waiter: UInt64, in anchor: ScheduledPointer) -> RequestCallback? {
        let old = dropCallback()
        pointee.owned.callback = RequestCallback(run: resumeAfterEnd)
        self.waiter = waiter
        scheduled.insert(before: anchor)
        return old
    }

    /// Makes sure that no function is called for a request, since a task takes its result.
    package func dropCallback() -> RequestCallback? {
        leaveQueue()
        pointee.callbackData = nil
        pointee.callbackTakesData = false
        return pointee.owned.callback.take()
    }

    /// Has the waiting task continue: it joins the immediates of its loop.
    @inline(never)
    package func resumeWaiter() {
        let waiter = waiter
        self.waiter = 0
        scheduled.leaveRing()
        clinux_resume(waiter)
    }

    /// The request at a place in a ring.
    package init(awaited scheduled: ScheduledPointer) { self.init(OpaquePointer(scheduled)) }
}

/// The callback of every request that a task waits for; progress does not end the wait.
private func resumeAfterEnd(_ request: AnyRequest) {
    let request = request.record()
    if request.pointee.status != .inProgress, request.waiter != 0 { request.resumeWaiter() }
}

extension ScheduledPointer {
    /// Makes the record the anchor of a ring that is otherwise empty.
    package func beginRing() {
        pointee.next = self
        pointee.previous = self
    }

    fileprivate func insert(before anchor: ScheduledPointer) {
        let last = anchor.pointee.previous.unsafelyUnwrapped
        pointee.next = anchor
        pointee.previous = last
        last.pointee.next = self
        anchor.pointee.previous = self
    }

    fileprivate func leaveRing() {
        pointee.previous.unsafelyUnwrapped.pointee.next = pointee.next
        pointee.next.unsafelyUnwrapped.pointee.previous = pointee.previous
        pointee.next = nil
        pointee.previous = nil
    }
}
