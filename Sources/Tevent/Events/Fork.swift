import CLinux
import Talloc

// What becomes of a context in the child of a fork.
//
// A child owns its copy of all events, and none of what was on its way to them: signals, messages and readiness are the
// parent's, whose loop handles them. Other threads stay behind in the parent, with all they were about to do; fork waits
// for our locks, so that the child never finds one held by such a thread.
//
// At once, in the child: `noteFork`. Later, when a context is used: its loop, or `reinitialise()`, notices that the number
// of forks is not what it was.

package enum Fork {
    /// Different in each child of a fork, and in each child of that.
    @inline(__always)
    package static var generation: UInt32 { clinux_forks() }

    fileprivate static func noteFork() {
        SignalDispatch.noteFork()
        WakerPointer.noteFork()
    }
}

/// Makes what all contexts share, once, in a way that `fork` waits for; see `prepareProcess()`.
@inline(__always)
package func prepareEngine() {
    if !clinux_is_set_up(clinux_part_tevent) { setUpEngine() }
}

@inline(never)
private func setUpEngine() {
    prepareProcess()
    clinux_set_up(clinux_part_tevent) {
        WakerPointer.setUp()
        SignalDispatch.setUp()
        MessageBlock.setUp()
        StandardDescriptors.setUp()
        clinux_in_each_child { Fork.noteFork() }
    }
}

extension EventContext {
    /// Makes the context fit for use in the child after `fork`, without disturbing the parent's.
    ///
    /// All events stay. What was on its way to them belongs to the parent: signals that had arrived and messages that
    /// were sent before the fork are handled there, and not here. A loop calls this by itself when it finds itself in a new
    /// process; calling it first thing in the child shows a lack of descriptors early.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` when descriptors are exhausted; it can be called again.
    ///
    /// The corresponding C function is `tevent_re_initialise()`.
    public func reinitialise() throws(TeventError) { try record("reinitialise()").reinitialise() }
}

extension ContextPointer {
    /// Whether the backend is still the parent's, which must not be touched from here.
    @inline(__always)
    package var hasForked: Bool { pointee.forkGeneration != Fork.generation }

    package func noticeFork() throws(TeventError) { if hasForked { try reinitialise() } }

    /// Notices the fork in the middle of a loop, and tells the debug function.
    ///
    /// - Returns: Whether the context is still there.
    @inline(never)
    func beginInNewProcess() throws(TeventError) -> Bool {
        try noticeFork()
        return debug(.warning, "the process has forked; the backend begins again")
    }

    /// Begins again with the backend: after `fork`, or when it reports what no event watches.
    @inline(never)
    package func reinitialise() throws(TeventError) {
        if hasForked {
            try pointee.waker?.reopen()
            pointee.ready.removeAll()
            disownSignals()
            disownMessages()
        }
        try pointee.backend.reopen()
        pointee.descriptors.forgetRegistrations()
        if let waker = pointee.waker { try watch(waker) }
        pointee.forkGeneration = Fork.generation
    }
}
