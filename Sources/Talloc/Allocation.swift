import CTalloc

// The one way a chunk is made, for this module and the engine. Whatever an object's chunk holds, its first word is its
// slot, so that the chunk's address leads back to its handle.

/// Allocates a chunk of `size` bytes named `name`, with a slot of its own; the chunk's bytes are not yet initialised.
///
/// - Throws: ``TallocError/outOfMemory(name:)``; nothing has changed then.
@inlinable @inline(__always)
package func allocateChunk(
    size: Int, name: UnsafePointer<CChar>, under parent: UnsafeMutableRawPointer?, kind: ObjectKind
) throws(TallocError) -> (chunk: UnsafeMutableRawPointer, slot: HandleSlotPointer) {
    let chunk = allocatePrivateChunk(size: size, name: name, under: parent)
    let slot = try acquireSlot(for: chunk, name: name, kind: kind)
    return (chunk.unsafelyUnwrapped, slot)
}

/// Allocates a chunk that is no object: it has no handle, and nothing but its maker knows it.
@inlinable @inline(__always)
package func allocatePrivateChunk(
    size: Int, name: UnsafePointer<CChar>, under parent: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    MemoryLimits.allow(size, under: parent) ? talloc_named_const(parent, size, name) : nil
}

/// Allocates a chunk that is also a pool for `objects` chunks below it, which hold `bytes` together.
@inlinable @inline(__always)
package func allocatePool(
    size: Int, objects: CUnsignedInt, bytes: Int, name: UnsafePointer<CChar>, under parent: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    let (total, overflow) = size.addingReportingOverflow(bytes)
    guard !overflow, MemoryLimits.allow(total, under: parent) else { return nil }
    return _talloc_pooled_object(parent, size, name, objects, bytes)
}

/// Gives a private chunk another size, or makes one; nil, and no change, if there is no memory.
package func reallocatePrivateChunk(
    _ chunk: UnsafeMutableRawPointer?, size: Int, name: UnsafePointer<CChar>, under parent: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    let growth = size - (chunk.map { talloc_get_size($0) } ?? 0)
    guard MemoryLimits.allow(growth, under: parent) else { return nil }
    return _talloc_realloc(parent, chunk, size, name)
}

/// Takes a slot for a chunk just allocated; the chunk is nil, or freed again, when there is no memory.
@inlinable @inline(__always)
package func acquireSlot(
    for chunk: UnsafeMutableRawPointer?, name: UnsafePointer<CChar>, kind: ObjectKind
) throws(TallocError) -> HandleSlotPointer {
    guard let chunk else { throw outOfMemory(name) }
    guard let slot = HandleSlotPointer.acquire(for: chunk, kind: kind) else {
        _talloc_free(chunk, nil)
        throw outOfMemory(name)
    }
    return slot
}

@inline(never)
@usableFromInline
func outOfMemory(_ name: UnsafePointer<CChar>) -> TallocError { .outOfMemory(name: String(cString: name)) }

/// Frees what a chunk occupies, and what is under it; false when a destructor refused.
///
/// The corresponding C function is `talloc_free()`.
@inlinable @inline(__always)
@discardableResult
package func freeChunk(_ chunk: UnsafeMutableRawPointer) -> Bool {
    _talloc_free(chunk, nil) == 0
}

extension StaticString {
    /// The name as C wants it; a name made of one Unicode scalar has no address and is refused.
    @inlinable
    package var cString: UnsafePointer<CChar> {
        guard hasPointerRepresentation else { nameHasNoAddress() }
        return UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}

@inline(never)
@usableFromInline
func nameHasNoAddress() -> Never { abort("a chunk's name must be a string literal") }
