import Glibc
import Synchronization

/// Lets a context notice that it lives in a new process.
package enum Fork {
    private static let count = Atomic<UInt32>(0)
    private static let isWatching: Bool = {
        pthread_atfork(nil, nil) { Fork.count.wrappingAdd(1, ordering: .relaxed) }
        return true
    }()

    /// Changes in the child each time the process forks, once somebody watches.
    package static var generation: UInt32 { count.load(ordering: .relaxed) }

    static func watch() { _ = isWatching }
}

extension EventContext {
    /// Makes the context fit for use in the child after `fork`, without disturbing the parent's.
    ///
    /// All events stay. A loop calls it by itself when it finds itself in a new process; calling it first thing in the
    /// child shows a lack of descriptors early.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` when descriptors are exhausted; it can be called again.
    ///
    /// The corresponding C function is `tevent_re_initialise()`.
    public func reinitialise() throws(TeventError) { try record("reinitialise()").reinitialise() }
}

extension ContextPointer {
    /// Whether the backend is still the parent's, which must not be touched from here.
    var hasForked: Bool { pointee.forkGeneration != Fork.generation }

    func noticeFork() throws(TeventError) {
        guard hasForked else { return }
        debug(.warning, "the process has forked; the backend begins anew")
        try reinitialise()
    }

    /// Begins anew with the backend: after `fork`, or when it reports what nobody watches.
    @inline(never)
    package func reinitialise() throws(TeventError) {
        if hasForked { try pointee.waker?.reopen() }
        try pointee.backend.reopen()
        pointee.ready.removeAll()
        pointee.descriptors.forgetRegistrations()
        if let waker = pointee.waker { try watch(waker) }
        pointee.forkGeneration = Fork.generation
    }
}
