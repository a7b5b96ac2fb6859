import CLinux
import Talloc

// Handles a context in the child of a fork.
//
// The child owns its copy of all events, but nothing that was on its way to them: the signals, messages and readiness
// are the parent's, whose loop handles them. The parent's other threads do not exist in the child, so nothing that they
// were about to do happens there. Fork waits for the engine's locks, so that the child never finds one held by such a
// thread.
//
// Two steps: `noteFork` runs in the child immediately. Later, when a context is used, its loop or `reinitialise()`
// notices that the number of forks has changed.

package enum Fork {
    /// Differs in each child of a fork, and in each of their children.
    @inline(__always)
    package static var generation: UInt32 { clinux_forks() }

    /// Held by the thread of a child that puts right what several threads may use.
    static let lock = Locked(false)

    fileprivate static func noteFork() {
        SignalDispatch.noteFork()
        WakerPointer.noteFork()
    }
}

/// Initialises what all contexts share, once, in a way that `fork` waits for; see `prepareProcess()`.
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
        Fork.lock.withLock { _ in }
        StandardDescriptors.setUp()
        clinux_in_each_child { Fork.noteFork() }
    }
}

extension EventContext {
    /// Makes the context usable in the child after `fork`, without disturbing the parent's.
    ///
    /// All events stay. What was on its way to them belongs to the parent: the parent handles signals and messages from
    /// before the fork, and the child does not. A loop calls this by itself when it finds itself in a new process; call
    /// it at the start of the child to find out early if descriptors are exhausted. A child that closes all descriptors
    /// must call it before it opens others: the engine would close the numbers that were its own.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` when descriptors are exhausted; you can call it again.
    ///
    /// The corresponding C function is `tevent_re_initialise()`.
    public func reinitialise() throws(TeventError) { try record("reinitialise()").reinitialise() }
}

extension ContextPointer {
    /// Whether the backend is still the parent's, which this process must not touch.
    @inline(__always)
    package var hasForked: Bool { pointee.forkGeneration != Fork.generation }

    package func noticeFork() throws(TeventError) { if hasForked { try reinitialise() } }

    /// Handles a fork noticed in the middle of a loop, and tells the debug function.
    ///
    /// - Returns: Whether the context still exists.
    @inline(never)
    func beginInNewProcess() throws(TeventError) -> Bool {
        // The debug function may fork as well.
        while hasForked {
            try noticeFork()
            guard debug(.warning, "the process has forked; the backend begins again") else { return false }
        }
        return true
    }

    /// Restarts the backend, after `fork` or when it reports a descriptor that no event watches.
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
