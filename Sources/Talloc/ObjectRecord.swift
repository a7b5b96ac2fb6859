import CLinux

// Where a handle becomes a record. Every record begins with the object's slot.

/// The content of the chunk of an object of one kind, or of several kinds that share their first words.
@usableFromInline
package protocol ObjectRecord: ~Copyable {
    /// The kind of object, as in the handle's stamp.
    static var kinds: ObjectKinds { get }
    /// The name of this kind of object in a message, with its article.
    static var description: StaticString { get }
}

/// A range of kinds, so that one comparison tells whether a kind is in it.
@frozen
@usableFromInline
package struct ObjectKinds {
    @usableFromInline let first: UInt8
    @usableFromInline let span: UInt8

    /// A single kind.
    @inlinable
    package init(_ kind: ObjectKind) {
        first = kind.rawValue
        span = 0
    }

    /// All kinds between two, in the order of `ObjectKind`.
    @inlinable
    package init(from first: ObjectKind, to last: ObjectKind) {
        self.first = first.rawValue
        span = last.rawValue - first.rawValue
    }

    @inlinable @inline(__always)
    package func contains(_ stamp: UInt64) -> Bool { UInt8(truncatingIfNeeded: stamp) &- first <= span }
}

extension TallocHandle {
    /// The record of the object, or nil if the object was freed or is of another kind.
    ///
    /// This is the only place where a handle becomes a record. Handles come from conformances that any program may
    /// write. Callers therefore ask a conformance once, and use only what this returns.
    @inlinable @inline(__always)
    package func record<Record: ObjectRecord & ~Copyable>(
        as type: Record.Type
    ) -> UnsafeMutablePointer<Record>? {
        guard Record.kinds.contains(stamp), let object else { return nil }
        return object.assumingMemoryBound(to: Record.self)
    }
}

extension TallocObject {
    /// The record of the object, or a trap that names this type, the call, and what is wrong with the handle.
    @inlinable @inline(__always)
    package func record<Record: ObjectRecord & ~Copyable>(
        as type: Record.Type, _ call: StaticString
    ) -> UnsafeMutablePointer<Record> {
        let handle = tallocHandle
        guard let record = handle.record(as: type) else { unusable(handle, Record.description, call) }
        return record
    }

    /// The chunk of the object, whatever its kind, or a trap that names this type and the call if it was freed.
    @inlinable @inline(__always)
    package func chunk(_ call: StaticString = #function) -> UnsafeMutableRawPointer { checked(call).chunk }

    /// The handle and the chunk of the object, whatever its kind, or a trap if it was freed.
    @inlinable @inline(__always)
    package func checked(_ call: StaticString) -> (handle: TallocHandle, chunk: UnsafeMutableRawPointer) {
        let handle = tallocHandle
        return (handle, chunk(with: handle, call))
    }

    /// The chunk of a handle that came from the object, or a trap that names this type and the call if it was freed.
    @inlinable @inline(__always)
    package func chunk(with handle: TallocHandle, _ call: StaticString) -> UnsafeMutableRawPointer {
        guard let object = handle.object else { unusable(handle, "", call) }
        return object
    }

    /// A separate function, so that only a stale handle looks up the type.
    @inline(never)
    @inlinable
    package func unusable(_ handle: TallocHandle, _ wanted: StaticString, _ call: StaticString) -> Never {
        unusableHandle(handle, Self.self, wanted, call)
    }
}

@inline(never)
@usableFromInline
func unusableHandle(_ handle: TallocHandle, _ type: Any.Type, _ wanted: StaticString, _ call: StaticString) -> Never {
    guard let chunk = handle.object else {
        abort(
            "\(type).\(call) was called on a freed \(type); "
                + "a handle does not keep its object alive, ask 'isFreed' first if you cannot know")
    }
    abort("\(type).\(call) was called on '\(nameOfChunk(chunk))', which is not \(wanted); use a handle of its own type")
}
