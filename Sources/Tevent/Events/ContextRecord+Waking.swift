import Glibc
import Synchronization
import Talloc

// How the loop of a context is woken, and takes what other threads have left for it.

extension ContextPointer {
    /// Makes the context's waker, if it has none, and lets the backend watch it.
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

    /// Wakes the loop if it sleeps or is about to, and has a waker; safe on any thread.
    package func wake() {
        guard let waker = pointee.waker else { return }
        // What has been left for the loop is not in the channel: this makes it look, if it does not say yet that it sleeps.
        waker.pointee.hasSignal.store(true, ordering: .sequentiallyConsistent)
        waker.wake()
    }

    /// Lets whoever has something for the loop wake it, for a loop that waits by itself and says not when.
    ///
    /// What was left before is not announced again: the loop has to look for it before it waits.
    package func expectWaking() {
        pointee.waker?.drain()
        pointee.waker?.pointee.isSleeping.store(true, ordering: .sequentiallyConsistent)
    }

    /// Lets the backend watch the waker.
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

    /// Gives the waker back when the context ends, and its backend with it.
    func closeWaker() {
        pointee.waker?.close()
        pointee.waker = nil
    }
}
