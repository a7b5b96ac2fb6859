import CLinux
import Glibc

/// The rings of a process that records all its threads: each thread gets one with its first record.
package enum RecordRings {
    private struct State {
        /// The capacity of each ring; 0 while threads get none.
        var capacity = 0
        var rings: [RecordRingPointer] = []
    }

    private static let state = Locked(State())

    /// Called before the program is aborted, to save what was recorded.
    package static let saving = Locked<(@Sendable () -> Void)?>(nil)

    /// Gives each thread that has no ring yet one with its next record.
    package static func begin(capacity: Int) {
        prepareProcess()
        state.withLock { $0.capacity = capacity }
        clinux_count_recordings(1)
    }

    static func setUp() {
        state.withLock { _ in }
        saving.withLock { _ in }
    }

    /// The rings made so far, in the order in which their threads first recorded; in the child of a fork, only its own.
    package static var all: [RecordRingPointer] {
        state.withLock { $0.rings }.filter { $0.pointee.generation == clinux_forks() }
    }

    /// The ring of this thread, made if every thread is to have one.
    @inline(never)
    static func makeHere() -> RecordRingPointer? {
        let capacity = state.withLock { $0.capacity }
        guard capacity > 0 else { return nil }
        let ring = RecordRingPointer.make(capacity: capacity)
        state.withLock { $0.rings.append(ring) }
        clinux_recording_here().pointee = UnsafeMutableRawPointer(ring)
        return ring
    }
}
