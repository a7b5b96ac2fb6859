// The parts of a typed chunk that do not depend on its type, and, kept short, those that do, so that the compiler can
// specialise them in the program that uses them.

/// What code needs to store and release a value without knowing its type.
@usableFromInline
package protocol ValueStorage {
    static var valueType: Any.Type { get }
    static var room: Int { get }
    static func deinitializeValue(at place: UnsafeMutableRawPointer)
    static func moveValue(from place: UnsafeMutableRawPointer, to newPlace: UnsafeMutableRawPointer)
}

/// Where a value is stored: after a header or record, at the first address that suits its type.
@usableFromInline
package enum Storage<Value>: ValueStorage {
    /// How many bytes a place needs at a multiple of eight; types with a stricter alignment get room to move up.
    @inlinable
    package static var room: Int { MemoryLayout<Value>.size + max(MemoryLayout<Value>.alignment - 8, 0) }

    @inlinable
    package static func value(at place: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Value> {
        let place = MemoryLayout<Value>.alignment <= 8 ? place : place.alignedUp(for: Value.self)
        return place.assumingMemoryBound(to: Value.self)
    }

    @inlinable
    package static func value(in chunk: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Value> {
        value(at: chunk + ChunkHeader.size)
    }

    @inlinable
    package static var valueType: Any.Type { Value.self }

    @inlinable
    package static func deinitializeValue(at place: UnsafeMutableRawPointer) {
        value(at: place).deinitialize(count: 1)
    }

    @inlinable
    package static func moveValue(from place: UnsafeMutableRawPointer, to newPlace: UnsafeMutableRawPointer) {
        // Not moveInitialize(from:count:), which moves a byte even for a zero-sized type.
        value(at: newPlace).initialize(to: value(at: place).move())
    }
}

/// Creates a chunk with room for a value, which the caller must initialise immediately.
///
/// - Throws: ``TallocError/outOfMemory(name:)``; then nothing has changed.
package func makeTypedChunk(
    name: UnsafePointer<CChar>, storage: any ValueStorage.Type, under parent: UnsafeMutableRawPointer?
) throws(TallocError) -> UnsafeMutableRawPointer {
    let (chunk, slot) = try allocateChunk(
        size: ChunkHeader.size + storage.room, name: name, under: parent, kind: .chunk)
    ChunkHeader.install(on: chunk, slot: slot, storage: storage)
    return chunk
}

/// The address of the value of a typed chunk.
package func placeOfValue(in chunk: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer { chunk + ChunkHeader.size }

/// The address of the value, or a trap while the value is being changed, since no other code may see a half-changed
/// value.
package func placeOfUnchangingValue(in chunk: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    if chunk.assumingMemoryBound(to: ChunkHeader.self).pointee.isBeingChanged { usedWhileChanged(chunk) }
    return placeOfValue(in: chunk)
}

package func setBeingChanged(_ isBeingChanged: Bool, valueIn chunk: UnsafeMutableRawPointer) {
    chunk.assumingMemoryBound(to: ChunkHeader.self).pointee.isBeingChanged = isBeingChanged
}

@inline(never)
@usableFromInline
func usedWhileChanged(_ chunk: UnsafeMutableRawPointer) -> Never {
    abort("the value of '\(nameOfChunk(chunk))' was used while it was being changed")
}
