import CLinux
import Glibc
import Synchronization

// How a handle knows that its object was freed.
//
// A freed talloc chunk goes back to malloc, so a handle must not read the chunk to find out whether it still exists.
// Every object therefore owns a *slot*: sixteen bytes that are recycled but never returned to the system. A handle is a
// pointer to the slot and the stamp that the slot had when the object was created. Freeing the object changes the
// stamp, and from then on every old handle is recognised as stale.
//
//     handle ──▶ slot ──▶ chunk            handle ──▶ slot  (stamp 9: free, or another object's)
//     stamp 8    stamp 8                   stamp 8
//
// Slots come from a list that belongs to the thread, so neither creating nor freeing an object takes a lock. A stamp
// has 56 bits of generation: at one object per nanosecond it wraps around in two years. The other eight bits are the
// kind of object, so a handle that matches its slot also knows the kind.
//
// A slot may change threads: memory sent to another thread is freed there, and a thread with too many free slots passes
// some on. A stale handle of the first thread still reads the stamp, so stamps are atomic; on common machines that
// costs nothing.

/// The kind of object that a slot belongs to, kept in the low byte of its stamp.
@usableFromInline @frozen
package enum ObjectKind: UInt8 {
    // Kinds whose records begin with the same words are adjacent, see `ObjectKinds`.
    case chunk = 1
    case context
    case pool
    case eventContext
    case timer
    case immediate
    case signal
    case descriptor
    case receiver
    case request
    case queue
    case queueEntry
    case delivery
    case contextWrapper
    case threadSender
    case jobs
}

/// One cell of the handle table.
@usableFromInline
package struct HandleSlot: ~Copyable {
    /// The generation in the upper 56 bits; the `ObjectKind` in the lowest eight while the slot is in use.
    @usableFromInline let atomicStamp = Atomic<UInt64>(0)
    /// The object while the slot is in use, otherwise the next free slot.
    @usableFromInline package var object: UnsafeMutableRawPointer?

    fileprivate init(nextFree: UnsafeMutableRawPointer?) { object = nextFree }

    @inlinable package var stamp: UInt64 { atomicStamp.load(ordering: .relaxed) }

    /// Set only by the thread that the object or the free slot belongs to.
    @inlinable func setStamp(_ stamp: UInt64) { atomicStamp.store(stamp, ordering: .relaxed) }
}

@usableFromInline
package typealias HandleSlotPointer = UnsafeMutablePointer<HandleSlot>

extension HandleSlotPointer {
    /// Takes a slot for `object`; returns nil if there is no memory for more slots.
    @inlinable
    package static func acquire(for object: UnsafeMutableRawPointer, kind: ObjectKind) -> HandleSlotPointer? {
        let free = clinux_free_slots_here()!
        if free.pointee.first == nil { SlotDepot.refill() }
        guard let slot = free.pointee.first?.assumingMemoryBound(to: HandleSlot.self) else { return nil }
        free.pointee.first = slot.pointee.object
        free.pointee.count -= 1
        slot.pointee.setStamp(slot.pointee.stamp | UInt64(kind.rawValue))
        slot.pointee.object = object
        return slot
    }

    /// Gives the slot back: from now on every handle to its object is stale.
    @inlinable @inline(__always)
    package func release() {
        let free = clinux_free_slots_here()!
        if clinux_is_recording() { recordFreed(pointee.object, stamp: pointee.stamp) }
        pointee.setStamp(((pointee.stamp >> 8) &+ 1) << 8)
        pointee.object = free.pointee.first
        free.pointee.first = UnsafeMutableRawPointer(self)
        let count = free.pointee.count
        // The number is less than `longestList`, so the addition cannot overflow.
        free.pointee.count = count &+ 1
        if count == 0 || count &+ 1 == SlotDepot.longestList { SlotDepot.receivedFirstOrLast() }
    }

    /// Whether the slot's object is of this kind; cheaper than reading the kind.
    @inlinable @inline(__always)
    package func isOf(_ kind: ObjectKind) -> Bool { UInt8(truncatingIfNeeded: pointee.stamp) == kind.rawValue }

    package var kind: ObjectKind? { ObjectKind(rawValue: UInt8(truncatingIfNeeded: pointee.stamp)) }

    /// The slot of the object at `address`, or nil if the first word there is not the address of one of the engine's
    /// slots.
    ///
    /// Turns a bare talloc pointer, such as a parent or a child, back into a handle. It takes a lock.
    package static func find(forObjectAt address: UnsafeMutableRawPointer, size: Int) -> HandleSlotPointer? {
        guard size >= MemoryLayout<UInt>.size else { return nil }
        let word = address.load(as: UInt.self)
        guard SlotDepot.contains(word), let slot = HandleSlotPointer(bitPattern: word) else { return nil }
        return slot.pointee.object == address && slot.kind != nil ? slot : nil
    }

    /// Whether the chunk at `address` is an object whose handles are already stale because its destructor is running.
    package static func hasEnded(objectAt address: UnsafeMutableRawPointer, size: Int) -> Bool {
        guard size >= MemoryLayout<UInt>.size else { return false }
        let word = address.load(as: UInt.self)
        guard SlotDepot.contains(word), let slot = HandleSlotPointer(bitPattern: word) else { return false }
        return slot.pointee.object != address || slot.kind == nil
    }
}

/// Where threads get their slots, and leave them when they end.
@usableFromInline
enum SlotDepot {
    /// Free slots that a thread has given up: when it ended, or because it had more than it needs.
    private struct Batch {
        /// The address of the first slot; the last one has no next.
        let first: UInt
        let count: Int
    }

    private static let leftBehind = Locked<[Batch]>([])

    /// A thread with this many free slots sets them aside and starts a new list.
    ///
    /// When the new list is full as well, the thread gives the older one away, since it may keep freeing what another
    /// thread creates. Slots therefore change threads in whole lists, and no list is ever walked.
    @inlinable static var longestList: Int { 1024 }

    /// All slots, in slabs of this many bytes, aligned to the same number.
    private static let slabs = Locked(Set<UInt>())
    private static let slabSize = 8192

    static func setUp() {
        leftBehind.withLock { _ in }
        slabs.withLock { _ in }
        _ = threadEnd
    }

    /// Runs when a thread ends, to pass on its free slots.
    private static let threadEnd = ThreadEnd { _ in SlotDepot.takeAll() }

    /// Refills the calling thread's empty list; it stays empty if there is no memory.
    @usableFromInline
    static func refill() {
        prepareProcess()
        threadEnd.watchThisThread()
        let free = clinux_free_slots_here()!
        guard let batch = takeSetAside() ?? leftBehind.withLock({ $0.popLast() }) ?? newSlab() else { return }
        free.pointee.first = UnsafeMutableRawPointer(bitPattern: batch.first)
        free.pointee.count = batch.count
    }

    /// The number of slabs; for tests.
    static var slabCount: Int { slabs.withLock { $0.count } }

    /// The calling thread, which may have freed what another one made, has got its first slot back, or as many as it may
    /// have.
    @inline(never)
    @usableFromInline
    static func receivedFirstOrLast() {
        if clinux_free_slots_here()!.pointee.count == longestList { setAside() } else { threadEnd.watchThisThread() }
    }

    /// Whether `word` is the address of a slot.
    static func contains(_ word: UInt) -> Bool {
        let stride = UInt(MemoryLayout<HandleSlot>.stride)
        return word % stride == 0 && slabs.withLock { $0.contains(word & ~UInt(slabSize - 1)) }
    }

    private static func newSlab() -> Batch? {
        guard let memory = aligned_alloc(slabSize, slabSize) else { return nil }
        let count = slabSize / MemoryLayout<HandleSlot>.stride
        let slots = memory.bindMemory(to: HandleSlot.self, capacity: count)
        for index in 0..<count {
            let next = index + 1 < count ? UnsafeMutableRawPointer(slots + index + 1) : nil
            (slots + index).initialize(to: HandleSlot(nextFree: next))
        }
        slabs.withLock { _ = $0.insert(UInt(bitPattern: memory)) }
        return Batch(first: UInt(bitPattern: memory), count: count)
    }

    /// Sets aside the calling thread's full list and starts a new one; gives away the list that was set aside before.
    private static func setAside() {
        giveAwaySetAside()
        let free = clinux_free_slots_here()!
        free.pointee.set_aside = free.pointee.first
        free.pointee.first = nil
        free.pointee.count = 0
    }

    private static func giveAwaySetAside() {
        if let batch = takeSetAside() { leftBehind.withLock { $0.append(batch) } }
    }

    private static func takeSetAside() -> Batch? {
        let free = clinux_free_slots_here()!
        defer { free.pointee.set_aside = nil }
        return free.pointee.set_aside.map { Batch(first: UInt(bitPattern: $0), count: longestList) }
    }

    /// Takes all free slots of the calling thread, which is ending, for other threads.
    private static func takeAll() {
        giveAwaySetAside()
        let free = clinux_free_slots_here()!
        guard let first = free.pointee.first else { return }
        let batch = Batch(first: UInt(bitPattern: first), count: free.pointee.count)
        leftBehind.withLock { $0.append(batch) }
        free.pointee.first = nil
        free.pointee.count = 0
    }
}
