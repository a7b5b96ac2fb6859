import CLinux
import CTalloc
import Glibc

// libtalloc has limits of its own, deprecated since 2.4.0, which do not go together with moves: what is moved keeps
// pointing at the limit it had, also when that is freed, and children that refuse to be freed are moved by libtalloc
// itself. Here a limit is a note about an object, and what lies below the object is counted when that is asked for, so
// that it does not matter how it came there.

extension TallocObject {
    /// Lets the object and everything below it hold at most `bytes`, talloc's headers included; nil lifts the limit.
    ///
    /// An allocation that would go over throws ``TallocError/outOfMemory(name:)``. What is moved below the object counts
    /// from then on, even if that exceeds the limit; what is moved away does not. The limit stays with the object. A pool
    /// counts with its whole stock.
    ///
    /// - Complexity: O(*n*) in the number of chunks below, for the first allocation and whenever as much has been
    ///   allocated since as there was room: limits are for tests of what happens at their end, and for coarse bounds.
    ///
    /// - Throws: ``TallocError/outOfMemory(name:)`` when there is no memory for the limit itself.
    ///
    /// The corresponding C function is `talloc_set_memlimit()`, which is deprecated.
    public func setMemoryLimit(bytes: Int?) throws(TallocError) {
        let (handle, chunk) = checked("setMemoryLimit(bytes:)")
        guard let bytes else { return MemoryLimits.remove(of: handle) }
        guard bytes > 0 else { abort("a memory limit must be more than 0 bytes, not \(bytes); nil lifts the limit") }
        guard MemoryLimits.set(bytes, of: handle) else {
            throw TallocError.outOfMemory(name: "memory limit of \(nameOfChunk(chunk))")
        }
    }
}

/// The limits of all objects that have one.
@usableFromInline
package enum MemoryLimits {
    private struct Limit {
        /// Whose limit it is, for as long as that is not freed.
        let handle: TallocHandle
        let bytes: Int
        /// At least what the object and all below it hold; nil if that is not known.
        var held: Int?
    }

    private static let limits = Locked<[HandleSlotPointer: UnsafeMutablePointer<Limit>]>([:])

    static func setUp() { limits.withLock { _ in } }

    /// Sets a limit; false if there is no memory for it.
    fileprivate static func set(_ bytes: Int, of handle: TallocHandle) -> Bool {
        change { limits in
            let known = limits[handle.slot] ?? malloc(MemoryLayout<Limit>.size)?.bindMemory(to: Limit.self, capacity: 1)
            guard let limit = known else { return false }
            limit.initialize(to: Limit(handle: handle, bytes: bytes))
            limits[handle.slot] = limit
            return true
        }
    }

    fileprivate static func remove(of handle: TallocHandle) {
        change { limits in free(limits.removeValue(forKey: handle.slot)) }
    }

    /// Changes the limits, and forgets those of objects that have been freed.
    private static func change<Result>(_ body: (inout [HandleSlotPointer: UnsafeMutablePointer<Limit>]) -> Result)
        -> Result
    {
        limits.withLock { limits in
            for (slot, limit) in limits where limit.pointee.handle.isStale {
                limits[slot] = nil
                free(limit)
            }
            defer { clinux_set_memory_limits(Int64(limits.count)) }
            return body(&limits)
        }
    }

    /// Whether so many bytes may be allocated below a chunk.
    ///
    /// Programs without limits, nearly all, pay for a look at one number.
    @inlinable @inline(__always)
    package static func allow(_ bytes: Int, under parent: UnsafeMutableRawPointer?) -> Bool {
        !clinux_has_memory_limits() || haveRoom(for: bytes, under: parent)
    }

    /// Notes that more lies below a chunk, and below all above it, than before.
    package static func treeGrew(above chunk: UnsafeMutableRawPointer) {
        guard clinux_has_memory_limits() else { return }
        for handle in limitedObjects(from: chunk) { limits.withLock { $0[handle.slot]?.pointee.held = nil } }
    }

    @inline(never)
    @usableFromInline
    static func haveRoom(for bytes: Int, under parent: UnsafeMutableRawPointer?) -> Bool {
        let (needed, overflow) = bytes.addingReportingOverflow(headerSize)
        return !overflow && limitedObjects(from: parent).allSatisfy { hasRoom(for: needed, below: $0) }
    }

    private static func hasRoom(for bytes: Int, below handle: TallocHandle) -> Bool {
        guard let limit = limits.withLock({ $0[handle.slot]?.pointee }), let chunk = handle.object else { return true }
        var held = limit.held ?? sizeOfTree(from: chunk)
        // What has been freed since it was counted makes room.
        if held > limit.bytes - bytes { held = sizeOfTree(from: chunk) }
        let hasRoom = held <= limit.bytes - bytes
        limits.withLock { $0[handle.slot]?.pointee.held = hasRoom ? held + bytes : held }
        return hasRoom
    }

    /// A chunk, if a limit was set on it, and all such above it.
    private static func limitedObjects(from chunk: UnsafeMutableRawPointer?) -> [TallocHandle] {
        let limited = change { limits in
            Dictionary(uniqueKeysWithValues: limits.map { ($1.pointee.handle.object, $1.pointee.handle) })
        }
        guard !limited.isEmpty else { return [] }
        return sequence(first: chunk) { $0.flatMap { talloc_parent($0) } }.compactMap { limited[$0] }
    }

    /// How many bytes a chunk and all below it take.
    ///
    /// A pool takes its whole stock, or as much as lies below it, if that is more.
    private static func sizeOfTree(from chunk: UnsafeMutableRawPointer) -> Int {
        totals(of: walkTree(from: chunk)) { step, below in
            let size = talloc_get_size(step.chunk) + headerSize
            let pool = TallocContext(chunkAt: step.chunk)?.tallocHandle.record(as: PoolRecord.self)
            return size + max(pool?.pointee.stock ?? 0, below)
        }.first ?? 0
    }

    /// What libtalloc puts before each chunk.
    private static let headerSize = 96
}
