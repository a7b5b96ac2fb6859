import CLinux
import CTalloc

/// The first bytes of each chunk made by this module; the value of a typed chunk follows.
@usableFromInline
struct ChunkHeader {
    @usableFromInline let slot: HandleSlotPointer
    /// True while the value is being changed in place; the chunk must not be freed then.
    @usableFromInline var isBeingChanged = false
    /// The program's destructor, which may refuse that the chunk is freed.
    @usableFromInline var destructor: ((TallocHandle) -> FreeDecision)?
    /// Knows the type of the value after the header; nil if there is no value.
    @usableFromInline let storage: (any ValueStorage.Type)?

    /// The header's size, rounded up so that the value after it starts at a multiple of eight.
    @inlinable
    static var size: Int { MemoryLayout<ChunkHeader>.stride }

    /// Creates a chunk without a value: a context or a pool.
    static func make(
        kind: ObjectKind, name: UnsafePointer<CChar>, under parent: UnsafeMutableRawPointer?
    ) throws(TallocError) -> TallocHandle {
        let (chunk, slot) = try allocateChunk(
            size: size, name: name, under: parent, kind: kind)
        install(on: chunk, slot: slot, storage: nil)
        return TallocHandle(slot: slot)
    }

    static func install(
        on chunk: UnsafeMutableRawPointer, slot: HandleSlotPointer, storage: (any ValueStorage.Type)?
    ) {
        chunk.initializeMemory(as: ChunkHeader.self, to: ChunkHeader(slot: slot, storage: storage))
        _talloc_set_destructor(chunk, destructor)
        if clinux_is_recording(), let kind = slot.kind { recordMade(chunk, kind: kind, name: talloc_get_name(chunk)) }
    }

    /// A closure, since the compiler inlines nothing into a function that it must convert to a C function.
    private static let destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { destroyChunk($0) }

    private init(slot: HandleSlotPointer, storage: (any ValueStorage.Type)?) {
        self.slot = slot
        self.storage = storage
    }
}

/// A chunk that holds a value.
@usableFromInline
struct ValueChunkRecord: ObjectRecord {
    @usableFromInline var header: ChunkHeader

    @inlinable static var kinds: ObjectKinds { ObjectKinds(.chunk) }
    @inlinable static var description: StaticString { "a chunk of a value" }
}

/// A chunk that holds nothing: a context or a pool.
struct PlainChunkRecord: ObjectRecord {
    var header: ChunkHeader

    static var kinds: ObjectKinds { ObjectKinds(from: .context, to: .pool) }
    static var description: StaticString { "plain memory" }
}

/// A pool.
struct PoolRecord: ObjectRecord {
    var header: ChunkHeader
    /// The size of its stock: how many bytes it reserved for chunks below it.
    let stock: Int

    static var kinds: ObjectKinds { ObjectKinds(.pool) }
    static var description: StaticString { "a pool" }
    static let stockOfPool: StockOfObject = {
        $0.unsafelyUnwrapped.assumingMemoryBound(to: PoolRecord.self).pointee.stock
    }
}

/// Called by libtalloc when a chunk is about to be freed; -1 keeps the chunk.
@inline(__always)
private func destroyChunk(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let chunk = chunk.unsafelyUnwrapped
    let header = chunk.assumingMemoryBound(to: ChunkHeader.self)
    if header.pointee.isBeingChanged {
        abort("'\(nameOfChunk(chunk))' was freed while its value was being changed")
    }
    if let destructor = header.pointee.destructor, destructor(TallocHandle(objectAt: chunk)) == .refuse { return -1 }
    // From here on the handles are stale, so the value's deinit cannot reach this chunk again, whatever it does.
    header.pointee.slot.release()
    header.pointee.storage?.deinitializeValue(at: placeOfValue(in: chunk))
    header.deinitialize(count: 1)
    freeChildrenIfAny(of: chunk)
    return 0
}

let copiedName: StaticString = ".name"

/// Names a chunk with a copy of the name that is freed with the chunk.
func renameChunk(_ chunk: UnsafeMutableRawPointer, _ name: String) throws(TallocError) {
    guard MemoryLimits.allow(name.utf8.count + 1, under: chunk), let copy = talloc_strdup(chunk, name) else {
        throw TallocError.outOfMemory(name: "name '\(name)'")
    }
    talloc_set_name_const(copy, copiedName.cString)
    let old = talloc_get_name(chunk)
    talloc_set_name_const(chunk, copy)
    if clinux_is_recording() { recordName(chunk, copy) }
    freeCopiedName(old, of: chunk)
}

/// Frees a name that an earlier call of `renameChunk` copied.
private func freeCopiedName(_ name: UnsafePointer<CChar>?, of chunk: UnsafeMutableRawPointer) {
    for child in childChunks(of: chunk) where UnsafeRawPointer(child) == UnsafeRawPointer(name) { freeChunk(child) }
}

/// The chunk's name in reports and messages.
func nameOfChunk(_ chunk: UnsafeRawPointer) -> String { String(cString: talloc_get_name(chunk)) }
