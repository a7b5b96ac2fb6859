import CLinux
import CTalloc

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
    ///   allocated since as there was room. As long as there is any limit in the program, each allocation is O(*d*) in the
    ///   depth of its parent. Limits are for tests of what happens at their end, and for coarse bounds.
    ///
    /// - Throws: Nothing at present; it is declared so because the note of a limit takes memory, too, as in C.
    ///
    /// The corresponding C function is `talloc_set_memlimit()`, which is deprecated.
    public func setMemoryLimit(bytes: Int?) throws(TallocError) {
        let (handle, chunk) = checked("setMemoryLimit(bytes:)")
        if let bytes, bytes <= 0 {
            abort("a memory limit must be more than 0 bytes, not \(bytes); nil lifts the limit")
        }
        MemoryLimits.set(bytes, of: handle, chunk)
    }
}

/// The limits of all objects that have one.
@usableFromInline
package enum MemoryLimits {
    private struct Limit {
        /// Whose limit it is, unless that has been freed; of an object of another thread, no more may be looked at.
        let handle: TallocHandle
        let chunk: UnsafeMutableRawPointer
        let bytes: Int
        /// At least what the object and all below it hold; nil if that is not known.
        var held: Int?
    }

    private struct State {
        /// Few programs set any, and fewer set many: they are looked through.
        var limits: [Limit] = []
        /// How many more allocations succeed before one fails; nil if none has to.
        var untilFailure: Int?
    }

    private static let state = Locked(State())

    static func setUp() { state.withLock { _ in } }

    /// Lets one allocation fail, after so many more have succeeded, or none, if nil; for tests.
    ///
    /// - Returns: Whether the one that was asked for last is still to come.
    @discardableResult
    package static func failAllocation(after count: Int?) -> Bool {
        let isToCome = state.withLock { state in
            defer { state.untilFailure = count }
            return state.untilFailure != nil
        }
        change()
        return isToCome
    }

    /// Sets a limit, or lifts it.
    fileprivate static func set(_ bytes: Int?, of handle: TallocHandle, _ chunk: UnsafeMutableRawPointer) {
        change { limits in
            limits.removeAll { $0.handle == handle }
            if let bytes { limits.append(Limit(handle: handle, chunk: chunk, bytes: bytes)) }
        }
    }

    /// Changes the limits, after those of objects that have been freed are forgotten, and returns them.
    @discardableResult
    private static func change(_ body: (inout [Limit]) -> Void = { _ in }) -> [Limit] {
        state.withLock { state in
            state.limits.removeAll { $0.handle.isStale }
            body(&state.limits)
            clinux_set_memory_limits(Int64(state.limits.count + (state.untilFailure == nil ? 0 : 1)))
            return state.limits
        }
    }

    /// Whether this allocation is the one that has to fail.
    private static func mustFail() -> Bool {
        state.withLock { state in
            guard let count = state.untilFailure else { return false }
            state.untilFailure = count > 0 ? count - 1 : nil
            return count == 0
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
        for limit in limitsAbove(chunk) { note(nil, limit.handle) }
    }

    @inline(never)
    @usableFromInline
    static func haveRoom(for bytes: Int, under parent: UnsafeMutableRawPointer?) -> Bool {
        let (needed, overflow) = bytes.addingReportingOverflow(headerSize)
        return !overflow && !mustFail() && limitsAbove(parent).allSatisfy { hasRoom(for: needed, $0) }
    }

    private static func hasRoom(for bytes: Int, _ limit: Limit) -> Bool {
        var held = limit.held ?? sizeOfTree(from: limit.chunk)
        // What has been freed since it was counted makes room.
        if held > limit.bytes - bytes { held = sizeOfTree(from: limit.chunk) }
        let hasRoom = held <= limit.bytes - bytes
        note(hasRoom ? held + bytes : held, limit.handle)
        return hasRoom
    }

    private static func note(_ held: Int?, _ handle: TallocHandle) {
        change { limits in
            if let index = limits.firstIndex(where: { $0.handle == handle }) { limits[index].held = held }
        }
    }

    /// The limits of a chunk and of all above it.
    private static func limitsAbove(_ chunk: UnsafeMutableRawPointer?) -> [Limit] {
        let all = change()
        guard !all.isEmpty else { return [] }
        return sequence(first: chunk) { $0.flatMap { talloc_parent($0) } }.prefix { $0 != nil }
            .flatMap { chunk in all.filter { $0.chunk == chunk && !$0.handle.isStale } }
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
    static let headerSize = 96
}
