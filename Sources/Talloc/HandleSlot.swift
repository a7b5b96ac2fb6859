import CLinux
import Glibc
import Synchronization

// How a handle knows that its object is gone.
//
// A talloc chunk returns to malloc when it is freed, so a handle must not look into it to learn
// whether it is still there. Every object therefore owns a *slot*, sixteen bytes that are recycled
// but never given back, and a handle is a pointer to the slot plus the stamp it had when the object
// was made. Freeing the object changes the stamp; from then on every old handle sees that it is old.
//
//     handle ──▶ slot ──▶ chunk            handle ──▶ slot  (stamp 9: free, or somebody else's)
//     stamp 8    stamp 8                   stamp 8
//
// Slots are taken from a list that belongs to the thread, so neither making nor freeing an object
// takes a lock. A stamp has 56 bits of generation: at one object per nanosecond it wraps in two years.

/// What kind of object a slot stands for, kept in the low byte of its stamp.
package enum ObjectKind: UInt8 {
    case context = 1
    case chunk
    case pool
    case eventContext
    case timer
    case immediate
    case signal
    case descriptor
    case request
}

/// One cell of the handle table.
@usableFromInline
package struct HandleSlot {
    /// Generation in the upper 56 bits, `ObjectKind` in the lowest eight while in use.
    @usableFromInline package var stamp: UInt64
    /// The object while in use, the next free slot otherwise.
    @usableFromInline package var object: UnsafeMutableRawPointer?
}

@usableFromInline
package typealias HandleSlotPointer = UnsafeMutablePointer<HandleSlot>

extension HandleSlotPointer {
    /// Takes a slot for `object`, or returns nil when there is no memory for more slots.
    package static func acquire(for object: UnsafeMutableRawPointer, kind: ObjectKind) -> HandleSlotPointer? {
        let free = clinux_free_slots_here()!
        if free.pointee == nil {
            free.pointee = SlotDepot.refill()
        }
        guard let slot = free.pointee?.assumingMemoryBound(to: HandleSlot.self) else { return nil }
        free.pointee = slot.pointee.object
        slot.pointee.stamp |= UInt64(kind.rawValue)
        slot.pointee.object = object
        return slot
    }

    /// Gives the slot back: every handle to its object is stale from now on.
    package func release() {
        let free = clinux_free_slots_here()!
        if free.pointee == nil { SlotDepot.watchEndOfThisThread() }
        pointee.stamp = ((pointee.stamp >> 8) &+ 1) << 8
        pointee.object = free.pointee
        free.pointee = UnsafeMutableRawPointer(self)
    }

    /// Whether the slot's object is of this kind; cheaper than to ask which kind it is.
    @inline(__always)
    package func isOf(_ kind: ObjectKind) -> Bool { UInt8(truncatingIfNeeded: pointee.stamp) == kind.rawValue }

    package var kind: ObjectKind? { ObjectKind(rawValue: UInt8(truncatingIfNeeded: pointee.stamp)) }

    /// The slot of the object at `address`, or nil when its first word is not that of a slot of ours.
    ///
    /// This is how a bare talloc pointer, a parent or a child, is turned back into a handle. It takes a lock.
    package static func find(forObjectAt address: UnsafeMutableRawPointer, size: Int) -> HandleSlotPointer? {
        guard size >= MemoryLayout<UInt>.size else { return nil }
        let word = address.load(as: UInt.self)
        guard SlotDepot.contains(word), let slot = HandleSlotPointer(bitPattern: word) else { return nil }
        return slot.pointee.object == address && slot.kind != nil ? slot : nil
    }
}

/// Where threads get their slots from, and leave them when they end.
enum SlotDepot {
    /// Free slots of threads that have ended: the address of the first, or 0.
    private static let leftBehind = Mutex(UInt(0))

    /// Where all slots are: slabs of this many bytes, aligned to as many.
    private static let slabs = Mutex(Set<UInt>())
    private static let slabSize = 8192

    /// Runs when a thread ends, to pass its free slots on.
    private static let threadEnd: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { _ in SlotDepot.takeBackSlotsOfThisThread() }
        return key
    }()

    /// A list of free slots for the calling thread, or nil when there is no memory.
    static func refill() -> UnsafeMutableRawPointer? {
        watchEndOfThisThread()
        let list = leftBehind.withLock { list in
            defer { list = 0 }
            return list
        }
        return UnsafeMutableRawPointer(bitPattern: list) ?? newSlab()
    }

    /// How many slabs there are; for tests.
    static var slabCount: Int { slabs.withLock { $0.count } }

    /// Lets the thread, which may have freed what another one made, leave its free slots behind.
    static func watchEndOfThisThread() {
        // Any value but NULL makes the key's destructor run for this thread.
        pthread_setspecific(threadEnd, UnsafeRawPointer(bitPattern: 1))
    }

    /// Whether `word` is the address of a slot.
    static func contains(_ word: UInt) -> Bool {
        let stride = UInt(MemoryLayout<HandleSlot>.stride)
        return word % stride == 0 && slabs.withLock { $0.contains(word & ~UInt(slabSize - 1)) }
    }

    private static func newSlab() -> UnsafeMutableRawPointer? {
        guard let memory = aligned_alloc(slabSize, slabSize) else { return nil }
        let count = slabSize / MemoryLayout<HandleSlot>.stride
        let slots = memory.bindMemory(to: HandleSlot.self, capacity: count)
        for index in 0..<count {
            let next = index + 1 < count ? UnsafeMutableRawPointer(slots + index + 1) : nil
            (slots + index).initialize(to: HandleSlot(stamp: 0, object: next))
        }
        slabs.withLock { _ = $0.insert(UInt(bitPattern: memory)) }
        return memory
    }

    private static func takeBackSlotsOfThisThread() {
        let free = clinux_free_slots_here()!
        guard let first = free.pointee else { return }
        free.pointee = nil
        var last = first.assumingMemoryBound(to: HandleSlot.self)
        while let next = last.pointee.object { last = next.assumingMemoryBound(to: HandleSlot.self) }
        leftBehind.withLock { list in
            last.pointee.object = UnsafeMutableRawPointer(bitPattern: list)
            list = UInt(bitPattern: first)
        }
    }
}
