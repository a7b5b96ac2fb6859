import Glibc
import Synchronization
import Talloc

// Wakes a context's loop, and takes what other threads have left for it.

extension ContextPointer {
    /// Makes the context's waker if it has none, and has the backend watch it.
    package func openWaker() throws(TeventError) {
        guard pointee.waker == nil else { return }
        try noticeFork()
        let waker = try WakerPointer.open()
        pointee.waker = waker
        do {
            try watch(waker)
        } catch {
            closeWaker()
            throw error
        }
    }

    /// Whether the loop can be woken.
    package var hasWaker: Bool { pointee.waker != nil }

    /// Wakes the loop if it is asleep or about to sleep, and has a waker; safe on any thread.
    package func wake() {
        guard let waker = pointee.waker else { return }
        // What is waiting for the loop is not in the channel. This flag makes the loop look for it if it has not yet
        // declared itself asleep.
        waker.pointee.hasSignal.store(true, ordering: .sequentiallyConsistent)
        waker.wake()
    }

    /// Wakes the loop if another thread may be running it.
    @inline(__always)
    package func wakeIfShared() { if pointee.policies.contains(.sharedWhileWaiting) { wake() } }

    /// Lets other threads wake the loop of a program that waits by itself, and does not say when.
    ///
    /// Earlier messages are not announced again: the loop must look for them before it waits.
    package func expectWaking() {
        pointee.waker?.drain()
        pointee.waker?.pointee.isSleeping.store(true, ordering: .sequentiallyConsistent)
    }

    /// Has the backend watch the waker.
    ///
    /// If that fails, the loop tries again before it sleeps.
    func watch(_ waker: WakerPointer) throws(TeventError) {
        pointee.watchesWaker = false
        let descriptor = waker.pointee.eventFD.load(ordering: .relaxed)
        switch pointee.backend.change(descriptor, from: [], to: .read, generation: 0) {
        case .failed(let call, let code): throw .systemCall(name: call, code: code)
        default: pointee.watchesWaker = true
        }
    }

    /// Gives the waker back when the context ends; its backend ends as well.
    func closeWaker() {
        pointee.waker?.close()
        pointee.waker = nil
    }
}
