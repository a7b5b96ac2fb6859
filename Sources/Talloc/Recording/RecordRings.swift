import CLinux
import Glibc
import Synchronization

/// The rings of a process that records all its threads: each thread gets one with its first record.
///
/// The ring of a thread that has ended stays, until there are so many that the next thread takes it over.
package enum RecordRings {
    private struct State {
        /// In the order in which their threads first recorded.
        var rings: [RecordRingPointer] = []
        /// Those of threads that have ended, in the order in which they did.
        var ended: [RecordRingPointer] = []
        /// How many records were in rings that other threads have taken over, in the process with this many forks.
        var lost = (count: 0, generation: UInt32(0))
        /// Takes what a thread records while it ends, and keeps nothing.
        var wastebasket: RecordRingPointer?
    }

    /// The capacity of each ring; 0 while threads get none.
    ///
    /// Apart from the rest, so that a thread that is not recorded takes no lock to find that out.
    private static let capacity = Atomic(0)
    private static let state = Locked(State())
    private static let threadEnd = ThreadEnd { _ in RecordRings.threadHasEnded() }

    /// How many rings there are before those of ended threads are used again.
    package static var enough: Int { 64 }

    /// Called before the program is aborted, to save what was recorded.
    package static let saving = Locked<(@Sendable () -> Void)?>(nil)

    /// Gives each thread that has no ring yet one with its next record.
    package static func begin(capacity: Int) {
        prepareProcess()
        let wastebasket = RecordRingPointer.make(capacity: 1)
        state.withLock { $0.wastebasket = wastebasket }
        Self.capacity.store(capacity, ordering: .relaxed)
        clinux_count_recordings(1)
    }

    /// Whether each thread has a ring, or gets one.
    package static var isRecordingAll: Bool { capacity.load(ordering: .relaxed) > 0 }

    static func setUp() {
        state.withLock { _ in }
        _ = capacity.load(ordering: .relaxed)
        saving.withLock { _ in }
        _ = threadEnd
    }

    /// The rings made so far, in the order in which their threads first recorded; in the child of a fork, only its own.
    package static var all: [RecordRingPointer] {
        state.withLock { $0.rings }.filter { $0.pointee.generation == clinux_forks() }
    }

    /// How many records were in rings that other threads have taken over.
    package static var lost: Int {
        state.withLock { $0.lost.generation == clinux_forks() ? $0.lost.count : 0 }
    }

    /// The ring of this thread, if every thread is to have one.
    @inline(never)
    static func makeHere() -> RecordRingPointer? {
        let capacity = capacity.load(ordering: .relaxed)
        guard capacity > 0 else { return nil }
        let used = state.withLock { state in
            state.rings.count < enough || state.ended.isEmpty ? nil : state.ended.removeFirst()
        }
        let ring = used ?? .make(capacity: capacity)
        // A child must not wait for a thread of its parent, nor count what the parent has lost.
        used?.noticeFork()
        let forgotten = used?.beginOnThisThread() ?? 0
        state.withLock { state in
            if used != nil { state.rings.removeAll { $0 == ring } }
            state.rings.append(ring)
            if state.lost.generation != clinux_forks() { state.lost = (0, clinux_forks()) }
            state.lost.count += forgotten
        }
        clinux_recording_here().pointee = UnsafeMutableRawPointer(ring)
        threadEnd.watchThisThread()
        return ring
    }

    private static func threadHasEnded() {
        guard let ring = clinux_recording_here().pointee?.assumingMemoryBound(to: RecordRing.self) else { return }
        state.withLock { state in
            guard state.rings.contains(ring), let wastebasket = state.wastebasket else { return }
            state.ended.append(ring)
            clinux_recording_here().pointee = UnsafeMutableRawPointer(wastebasket)
        }
    }
}
