import CLinux
import CTalloc

// libtalloc's own limits, deprecated since 2.4.0, do not survive moves: a moved chunk keeps pointing at its old limit
// even after that is freed, and libtalloc itself moves children that refuse to be freed. Here a limit is a note about
// an object. The memory below the object is counted when memory is requested, so it does not matter how it got there.

extension TallocObject {
    /// Limits the memory of the object and everything below it to `bytes`, including talloc's headers; nil lifts the
    /// limit.
    ///
    /// An allocation that would exceed the limit throws ``TallocError/outOfMemory(name:)``. Memory moved below the
    /// object counts from then on, even if that exceeds the limit; memory moved away no longer counts. The limit stays
    /// with the object. A pool counts with its whole stock.
    ///
    /// - Complexity: O(*n*) in the number of chunks below, for the first allocation, and again whenever as much has
    ///   been allocated as there was room for. While any limit exists in the program, each allocation is O(*d*) in the
    ///   depth of its parent. Limits are meant for testing what happens when memory runs out, and for coarse bounds.
    ///
    /// - Throws: Currently nothing; it is declared because noting a limit takes memory, as in C.
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
        /// The object, which may have been freed; if it belongs to another thread, only its staleness may be read.
        let handle: TallocHandle
        let chunk: UnsafeMutableRawPointer
        let bytes: Int
        /// An upper bound for what the object and everything below it hold; nil if unknown.
        var held: Int?
    }

    private struct State {
        /// An array, since few programs set any limits, and fewer set many.
        var limits: [Limit] = []
        /// How many more allocations succeed before one fails; nil if none must fail.
        var untilFailure: Int?
    }

    private static let state = Locked(State())

    static func setUp() { state.withLock { _ in } }

    /// Makes one allocation fail after this many more have succeeded, or none if nil; for tests.
    ///
    /// - Returns: Whether the previously requested failure has not happened yet.
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

    /// Forgets the limits of freed objects, then changes the limits and returns them.
    @discardableResult
    private static func change(_ body: (inout [Limit]) -> Void = { _ in }) -> [Limit] {
        state.withLock { state in
            state.limits.removeAll { $0.handle.isStale }
            body(&state.limits)
            clinux_set_memory_limits(Int64(state.limits.count + (state.untilFailure == nil ? 0 : 1)))
            return state.limits
        }
    }

    /// Whether this allocation is the one that must fail.
    private static func mustFail() -> Bool {
        state.withLock { state in
            guard let count = state.untilFailure else { return false }
            state.untilFailure = count > 0 ? count - 1 : nil
            return count == 0
        }
    }

    /// Whether this many bytes may be allocated below a chunk.
    ///
    /// Programs without limits, which is nearly all of them, pay for reading one number.
    @inlinable @inline(__always)
    package static func allow(_ bytes: Int, under parent: UnsafeMutableRawPointer?) -> Bool {
        !clinux_has_memory_limits() || haveRoom(for: bytes, under: parent)
    }

    /// Notes that the memory below a chunk, and below all its ancestors, has grown.
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
        // Memory freed since the last count makes room.
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

    /// The limits of a chunk and of all its ancestors.
    private static func limitsAbove(_ chunk: UnsafeMutableRawPointer?) -> [Limit] {
        let all = change()
        guard !all.isEmpty else { return [] }
        return sequence(first: chunk) { $0.flatMap { talloc_parent($0) } }.prefix { $0 != nil }
            .flatMap { chunk in all.filter { $0.chunk == chunk && !$0.handle.isStale } }
    }

    /// How many bytes a chunk and everything below it take.
    ///
    /// An object with a stock, such as a pool, takes all of it, or the size of what is below it if that is more.
    private static func sizeOfTree(from chunk: UnsafeMutableRawPointer) -> Int {
        totals(of: walkTree(from: chunk)) { step, below in
            let size = talloc_get_size(step.chunk) + headerSize
            return size + max(stock(of: step.chunk), below)
        }.first ?? 0
    }

    private static func stock(of chunk: UnsafeMutableRawPointer) -> Int {
        ObjectKind(ofObjectAt: chunk).flatMap { clinux_stock($0.rawValue) }.map { $0(chunk) } ?? 0
    }

    /// The size of the header that libtalloc puts before each chunk.
    static let headerSize = 96
}

/// How many bytes an object has reserved for what is below it.
package typealias StockOfObject = @convention(c) (_ object: UnsafeMutableRawPointer?) -> Int

extension ObjectKind {
    /// Registers how much objects of this kind have reserved; each kind does so when such an object is made.
    @inline(__always)
    package func setStock(_ stock: StockOfObject) { clinux_set_stock(rawValue, stock) }
}
