/// A checked reference to one talloc chunk: the private part of every handle in this project.
///
/// Copying a handle copies two words; a handle owns nothing. It remembers the stamp of its object's slot, and each use
/// compares the two, so the engine always notices a handle whose object was freed.
public struct TallocHandle: Equatable {
    @usableFromInline package let slot: HandleSlotPointer
    @usableFromInline package let stamp: UInt64

    /// The handle of the object that `slot` currently belongs to.
    @inlinable
    package init(slot: HandleSlotPointer) {
        self.slot = slot
        stamp = slot.pointee.stamp
    }

    /// The handle of the object in a chunk, whose first word is its slot.
    @inlinable
    package init(objectAt chunk: UnsafeMutableRawPointer) {
        self.init(slot: chunk.load(as: HandleSlotPointer.self))
    }

    /// Whether the object has been freed.
    @inlinable
    package var isStale: Bool { slot.pointee.stamp != stamp }

    /// The object's chunk, or nil if the object has been freed.
    @inlinable
    package var object: UnsafeMutableRawPointer? { isStale ? nil : slot.pointee.object }

    /// Whether the object is, or was, of this kind.
    @inlinable
    package func isOf(_ kind: ObjectKind) -> Bool { UInt8(truncatingIfNeeded: stamp) == kind.rawValue }

    /// Whether both refer to the same object, freed or not.
    @inlinable
    public static func == (left: TallocHandle, right: TallocHandle) -> Bool {
        left.slot == right.slot && left.stamp == right.stamp
    }
}

@available(*, unavailable)
extension TallocHandle: Sendable {}
