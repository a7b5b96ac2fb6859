import CTalloc

/// The first bytes of each chunk made by this module; a typed chunk's value follows.
@usableFromInline
struct ChunkHeader {
    @usableFromInline let slot: HandleSlotPointer
    /// What the user wants to be asked before the chunk is freed.
    @usableFromInline var destructor: ((TallocHandle) -> FreeDecision)?
    /// Knows the value behind the header; nil when there is none.
    @usableFromInline let storage: (any ValueStorage.Type)?
    /// True while the value is being changed in place; freeing it then would pull it from under the change.
    @usableFromInline var isBeingChanged = false

    /// How many bytes it takes, with those that keep a value behind it at a multiple of eight.
    @inlinable
    static var size: Int { MemoryLayout<ChunkHeader>.stride }

    /// Makes a chunk without a value: a context or a pool.
    static func make(
        kind: ObjectKind, name: UnsafePointer<CChar>, under parent: UnsafeRawPointer?
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
        _talloc_set_destructor(chunk, destroyChunk)
    }

    private init(slot: HandleSlotPointer, storage: (any ValueStorage.Type)?) {
        self.slot = slot
        self.storage = storage
    }
}

/// What libtalloc calls when a chunk is about to be freed; -1 keeps it.
private func destroyChunk(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let header = chunk!.assumingMemoryBound(to: ChunkHeader.self)
    let slot = header.pointee.slot
    if header.pointee.isBeingChanged {
        abort("'\(String(cString: talloc_get_name(chunk)))' was freed while its value was being changed")
    }
    if let destructor = header.pointee.destructor, destructor(TallocHandle(slot: slot)) == .refuse { return -1 }
    // From here on the handles are stale, so whatever the value's deinit does, it cannot come back to this chunk.
    slot.release()
    header.pointee.storage?.deinitializeValue(at: placeOfValue(in: chunk!))
    header.deinitialize(count: 1)
    return 0
}

private let copiedName: StaticString = ".name"

/// Names a chunk with a copy that is freed with it.
func renameChunk(_ chunk: UnsafeMutableRawPointer, _ name: String) throws(TallocError) {
    guard let copy = talloc_strdup(chunk, name) else { throw TallocError.outOfMemory(name: "name '\(name)'") }
    talloc_set_name_const(copy, copiedName.cString)
    let old = talloc_get_name(chunk)
    talloc_set_name_const(chunk, copy)
    freeCopiedName(old, of: chunk)
}

/// Frees a name that an earlier `renameChunk` made.
private func freeCopiedName(_ name: UnsafePointer<CChar>?, of chunk: UnsafeMutableRawPointer) {
    for step in walkTree(from: chunk, maximumDepth: 1).dropFirst()
    where UnsafeRawPointer(step.chunk) == UnsafeRawPointer(name) {
        freeChunk(step.chunk)
    }
}
