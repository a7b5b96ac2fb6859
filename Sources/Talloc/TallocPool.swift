import CTalloc

/// A parent with a stock of memory, from which everything below it is allocated while the stock lasts.
///
/// Creating and freeing many small objects below a pool does not call `malloc` each time. When the stock is used up,
/// talloc continues with ordinary memory. The stock is freed once the pool and everything allocated from it are freed.
///
/// ```swift
/// let pool = try TallocPool(objects: 100, bytes: 8192, under: memory)
/// for number in 1...100 { _ = try TallocChunk(number, under: pool) }
/// pool.free()
/// ```
///
/// The corresponding C function is `talloc_pool()`.
public struct TallocPool: TallocObject, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    /// Creates a root pool, which its owner must free.
    ///
    /// - Parameters:
    ///   - objects: How many chunks the stock should hold.
    ///   - bytes: How many bytes these chunks hold in total; talloc's headers are added.
    ///   - name: The name in reports.
    /// - Throws: ``TallocError/outOfMemory(name:)``.
    public init(objects: Int, bytes: Int, named name: StaticString = "TallocPool") throws(TallocError) {
        try self.init(objects: objects, bytes: bytes, parent: nil, name: name)
    }

    /// Creates a pool that is freed with `parent`, unless it was freed or moved before.
    ///
    /// - Parameters:
    ///   - objects: How many chunks the stock should hold.
    ///   - bytes: How many bytes these chunks hold in total; talloc's headers are added.
    ///   - parent: The pool's parent.
    ///   - name: The name in reports.
    /// - Throws: ``TallocError/outOfMemory(name:)``.
    ///
    /// The corresponding C macro is `talloc_pooled_object()`.
    public init(
        objects: Int, bytes: Int, under parent: some TallocObject, named name: StaticString = "TallocPool"
    ) throws(TallocError) {
        try self.init(
            objects: objects, bytes: bytes, parent: parent.chunk("init(objects:bytes:under:named:)"), name: name)
    }

    private init(objects: Int, bytes: Int, parent: UnsafeMutableRawPointer?, name: StaticString) throws(TallocError) {
        guard objects >= 0, bytes >= 0, objects <= UInt32.max else {
            abort("a pool for \(objects) objects of \(bytes) bytes cannot be made; neither may be negative")
        }
        let size = MemoryLayout<PoolRecord>.size
        let chunk = allocatePool(
            size: size, objects: CUnsignedInt(objects), bytes: bytes, name: name.cString, under: parent)
        let slot = try acquireSlot(for: chunk, name: name.cString, kind: .pool)
        ChunkHeader.install(on: chunk.unsafelyUnwrapped, slot: slot, storage: nil)
        chunk.unsafelyUnwrapped.storeBytes(
            of: bytes, toByteOffset: MemoryLayout<PoolRecord>.offset(of: \.stock).unsafelyUnwrapped, as: Int.self)
        ObjectKind.pool.setStock(PoolRecord.stockOfPool)
        tallocHandle = TallocHandle(slot: slot)
    }
}

@available(*, unavailable)
extension TallocPool: Sendable {}
