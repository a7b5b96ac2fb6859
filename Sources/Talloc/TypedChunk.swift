import CTalloc

// What of a typed chunk does not depend on its type, and what does in few words, so that the latter can become part of
// the program that uses it.

/// What a chunk's destructor must know of the value it holds.
@usableFromInline
package protocol ValueStorage {
    static var valueType: Any.Type { get }
    static func deinitializeValue(in chunk: UnsafeMutableRawPointer)
}

/// Where a value lies in its chunk: behind the header, at the next address that suits its type.
@usableFromInline
package enum Storage<Value>: ValueStorage {
    /// talloc's chunks are aligned to 16 bytes; a type that wants more gets room to move up.
    @inlinable
    package static var size: Int {
        MemoryLayout<ChunkHeader>.size + MemoryLayout<Value>.size + MemoryLayout<Value>.alignment
    }

    @inlinable
    package static func value(in chunk: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Value> {
        (chunk + MemoryLayout<ChunkHeader>.size).alignedUp(for: Value.self).assumingMemoryBound(to: Value.self)
    }

    @inlinable
    package static var valueType: Any.Type { Value.self }

    @inlinable
    package static func deinitializeValue(in chunk: UnsafeMutableRawPointer) {
        value(in: chunk).deinitialize(count: 1)
    }
}

/// Makes a chunk whose value, for which there is room, must be initialised at once.
///
/// - Throws: ``TallocError/outOfMemory(name:)``; nothing has changed then.
package func makeTypedChunk(
    size: Int, name: UnsafePointer<CChar>, storage: any ValueStorage.Type, under parent: UnsafeRawPointer?
) throws(TallocError) -> UnsafeMutableRawPointer {
    let (chunk, slot) = try allocateChunk(size: size, name: name, under: parent, kind: .chunk)
    ChunkHeader.install(on: chunk, slot: slot, storage: storage)
    return chunk
}

@inline(never)
@usableFromInline
func usedWhileChanged(_ chunk: UnsafeMutableRawPointer) -> Never {
    abort("the value of '\(String(cString: talloc_get_name(chunk)))' was used while it was being changed")
}
