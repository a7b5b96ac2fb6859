import CTalloc

// The only way in which this module and the engine allocate chunks. Whatever an object's chunk holds, its first word is
// its slot, so the chunk's address leads back to its handle.

/// Allocates a chunk of `size` bytes named `name`, with its own slot; the chunk's bytes are not initialised.
///
/// - Throws: ``TallocError/outOfMemory(name:)``; then nothing has changed.
@inlinable @inline(__always)
package func allocateChunk(
    size: Int, name: UnsafePointer<CChar>, under parent: UnsafeMutableRawPointer?, kind: ObjectKind
) throws(TallocError) -> (chunk: UnsafeMutableRawPointer, slot: HandleSlotPointer) {
    let chunk = allocatePrivateChunk(size: size, name: name, under: parent)
    let slot = try acquireSlot(for: chunk, name: name, kind: kind)
    return (chunk.unsafelyUnwrapped, slot)
}

/// Allocates a chunk that is not an object: it has no handle, and only its creator knows it.
@inlinable @inline(__always)
package func allocatePrivateChunk(
    size: Int, name: UnsafePointer<CChar>, under parent: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    MemoryLimits.allow(size, under: parent) ? talloc_named_const(parent, size, name) : nil
}

/// Allocates a chunk that is also a pool for `objects` chunks below it, which hold `bytes` in total.
@inlinable @inline(__always)
package func allocatePool(
    size: Int, objects: CUnsignedInt, bytes: Int, name: UnsafePointer<CChar>, under parent: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    let (total, overflow) = size.addingReportingOverflow(bytes)
    guard !overflow, MemoryLimits.allow(total, under: parent) else { return nil }
    return _talloc_pooled_object(parent, size, name, objects, bytes)
}

/// Resizes a private chunk, or allocates one; returns nil and changes nothing if there is no memory.
package func reallocatePrivateChunk(
    _ chunk: UnsafeMutableRawPointer?, size: Int, name: UnsafePointer<CChar>, under parent: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    let growth = size - (chunk.map { talloc_get_size($0) } ?? 0)
    guard MemoryLimits.allow(growth, under: parent) else { return nil }
    return _talloc_realloc(parent, chunk, size, name)
}

/// Takes a slot for a newly allocated chunk; throws if the chunk is nil, or, after freeing it, if there is no slot.
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

/// Frees a chunk and everything below it; returns false if a destructor refused.
///
/// The corresponding C function is `talloc_free()`.
@inlinable @inline(__always)
@discardableResult
package func freeChunk(_ chunk: UnsafeMutableRawPointer) -> Bool {
    _talloc_free(chunk, nil) == 0
}

extension StaticString {
    /// The name as a C string; a `StaticString` made of one Unicode scalar has no address and traps.
    @inlinable
    package var cString: UnsafePointer<CChar> {
        guard hasPointerRepresentation else { nameHasNoAddress() }
        return UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}

@inline(never)
@usableFromInline
func nameHasNoAddress() -> Never { abort("a chunk's name must be a string literal") }
