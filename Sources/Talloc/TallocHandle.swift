/// A checked reference to one talloc chunk: the private part of every handle in this project.
///
/// A handle is as cheap to copy as two words and owns nothing. It remembers the stamp of its object's
/// slot, and each use compares the two, so a handle whose object was freed is noticed, always.
public struct TallocHandle: Equatable {
    @usableFromInline package let slot: HandleSlotPointer
    @usableFromInline package let stamp: UInt64

    /// The handle of the object that `slot` stands for now.
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

    /// Whether the object is gone.
    @inlinable
    package var isStale: Bool { slot.pointee.stamp != stamp }

    /// The object, or nil when it is gone.
    @inlinable
    package var object: UnsafeMutableRawPointer? { isStale ? nil : slot.pointee.object }

    /// Whether both refer to the same object, freed or not.
    @inlinable
    public static func == (left: TallocHandle, right: TallocHandle) -> Bool {
        left.slot == right.slot && left.stamp == right.stamp
    }
}

@available(*, unavailable)
extension TallocHandle: Sendable {}

@inline(never)
@usableFromInline
func staleHandleUsed(_ type: Any.Type, _ call: StaticString) -> Never {
    abort(
        "\(type).\(call) was called on a freed \(type); "
            + "a handle does not keep its object alive, ask 'isFreed' first if you cannot know")
}
