// What of a typed chunk does not depend on its type, and what does in few words, so that the latter can become part of
// the program that uses it.

/// What code that does not know a value's type must know to keep the value and to release it.
@usableFromInline
package protocol ValueStorage {
    static var valueType: Any.Type { get }
    static var room: Int { get }
    static func deinitializeValue(at place: UnsafeMutableRawPointer)
    static func moveValue(from place: UnsafeMutableRawPointer, to newPlace: UnsafeMutableRawPointer)
}

/// Where a value lies: behind a header or record, whose end is its place, at the next address that suits its type.
@usableFromInline
package enum Storage<Value>: ValueStorage {
    /// How many bytes a place must have, which is at a multiple of eight; a type that wants more gets room to move up.
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
        // Not moveInitialize(from:count:), which moves a byte even for a type that has none.
        value(at: newPlace).initialize(to: value(at: place).move())
    }
}

/// Makes a chunk whose value, for which there is room, must be initialised at once.
///
/// - Throws: ``TallocError/outOfMemory(name:)``; nothing has changed then.
package func makeTypedChunk(
    name: UnsafePointer<CChar>, storage: any ValueStorage.Type, under parent: UnsafeMutableRawPointer?
) throws(TallocError) -> UnsafeMutableRawPointer {
    let (chunk, slot) = try allocateChunk(
        size: ChunkHeader.size + storage.room, name: name, under: parent, kind: .chunk)
    ChunkHeader.install(on: chunk, slot: slot, storage: storage)
    return chunk
}

/// Where the value of a typed chunk lies.
package func placeOfValue(in chunk: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer { chunk + ChunkHeader.size }

/// Where the value lies, or a trap when it is being changed: no other code may see it half done.
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
