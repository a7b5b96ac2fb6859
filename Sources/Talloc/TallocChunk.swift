import CTalloc

/// A chunk of talloc memory that holds one Swift value of any type.
///
/// The value lives in the chunk itself and is deinitialised when the chunk is freed, so a reference it holds is released
/// and nothing leaks. Like every handle this one is two words, owns nothing, and belongs to one thread.
///
/// ```swift
/// struct Counter {
///     var count = 0
/// }
/// let counter = try TallocChunk(Counter(), under: memory)
/// counter.value.count += 1
/// print(counter.value.count)
/// ```
///
/// In C this is `talloc(ctx, type)`.
public struct TallocChunk<Value>: TallocObject, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    @inlinable
    package init(tallocHandle: TallocHandle) { self.tallocHandle = tallocHandle }

    /// Makes a root chunk, which its owner must free.
    ///
    /// - Parameters:
    ///   - value: What the chunk holds.
    ///   - name: What reports call it; by default the name of the value's type.
    /// - Throws: ``TallocError/outOfMemory(name:)``; the value is released then.
    public init(_ value: consuming Value, named name: StaticString? = nil) throws(TallocError) {
        try self.init(value, parent: nil, name: name)
    }

    /// Makes a chunk that is freed with `parent`, unless it was freed or moved before.
    ///
    /// - Parameters:
    ///   - value: What the chunk holds.
    ///   - parent: What the chunk belongs to.
    ///   - name: What reports call it; by default the name of the value's type.
    /// - Throws: ``TallocError/outOfMemory(name:)``; the value is released then.
    ///
    /// The corresponding C macro is `talloc()`.
    public init(
        _ value: consuming Value, under parent: some TallocObject, named name: StaticString? = nil
    ) throws(TallocError) {
        try self.init(value, parent: parent.chunk("init(_:under:named:)"), name: name)
    }

    private init(
        _ value: consuming Value, parent: UnsafeMutableRawPointer?, name: StaticString?
    ) throws(TallocError) {
        let chunk = try makeTypedChunk(
            name: name?.cString ?? TypeNames.cString(of: Value.self), storage: Storage<Value>.self, under: parent)
        Storage<Value>.value(in: chunk).initialize(to: value)
        tallocHandle = TallocHandle(objectAt: chunk)
    }

    /// The value in the chunk.
    ///
    /// Changing a part of it (`chunk.value.count += 1`) happens in place. Until the change is over, any other use of the
    /// same chunk's value, or freeing it, is a trap.
    @inlinable
    public var value: Value {
        get { Storage<Value>.value(in: unchangingChunk("value")).pointee }
        nonmutating set {
            let place = Storage<Value>.value(in: unchangingChunk("value"))
            // Release the old value last: its deinit may do anything, such as free the chunk.
            let old = place.move()
            place.initialize(to: newValue)
            withExtendedLifetime(old) {}
        }
        nonmutating _modify {
            let chunk = unchangingChunk("value")
            let header = chunk.assumingMemoryBound(to: ChunkHeader.self)
            header.pointee.isBeingChanged = true
            defer { header.pointee.isBeingChanged = false }
            yield &Storage<Value>.value(in: chunk).pointee
        }
    }

    /// Sets what is asked before the chunk is freed, and may refuse.
    ///
    /// Nil takes it away.
    ///
    /// - Parameter destructor: Called once for each attempt to free, while the value and everything below are still
    ///   there. The chunk owns it, and lets it go when it is freed.
    ///
    /// The corresponding C macro is `talloc_set_destructor()`.
    public func setDestructor(_ destructor: ((TallocChunk) -> FreeDecision)?) {
        let chunk = record(as: ValueChunkRecord.self, "setDestructor(_:)")
        // Swapped, not assigned: releasing the old one may run any deinit, so it comes when the new one is in place.
        var destructor = destructor.map { ask in { ask(TallocChunk(tallocHandle: $0)) } }
        swap(&chunk.pointee.header.destructor, &destructor)
    }

    /// Gives the chunk another name, copied into memory that goes with it.
    ///
    /// - Throws: ``TallocError/outOfMemory(name:)``; the old name stays then.
    ///
    /// The corresponding C function is `talloc_set_name()`.
    public func setName(_ name: String) throws(TallocError) { try renameChunk(chunk("setName(_:)"), name) }

    /// The chunk, or a trap when its value is being changed: no other code may see it half done.
    @inlinable
    func unchangingChunk(_ call: StaticString) -> UnsafeMutableRawPointer {
        let record = record(as: ValueChunkRecord.self, call)
        let chunk = UnsafeMutableRawPointer(record)
        if record.pointee.header.isBeingChanged { usedWhileChanged(chunk) }
        return chunk
    }
}

@available(*, unavailable)
extension TallocChunk: Sendable {}
