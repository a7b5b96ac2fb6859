import CTalloc

/// A chunk of talloc memory that holds one Swift value of any type.
///
/// The value is stored in the chunk itself and deinitialised when the chunk is freed, so the references that it holds
/// are released and nothing leaks. Like every handle, this one is two words, owns nothing, and belongs to one thread.
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

    /// Creates a root chunk, which its owner must free.
    ///
    /// - Parameters:
    ///   - value: The value to store in the chunk.
    ///   - name: The name in reports; by default, the name of the value's type.
    /// - Throws: ``TallocError/outOfMemory(name:)``; then the value is released.
    public init(_ value: consuming Value, named name: StaticString? = nil) throws(TallocError) {
        try self.init(value, parent: nil, name: name)
    }

    /// Creates a chunk that is freed with `parent`, unless it was freed or moved before.
    ///
    /// - Parameters:
    ///   - value: The value to store in the chunk.
    ///   - parent: The chunk's parent.
    ///   - name: The name in reports; by default, the name of the value's type.
    /// - Throws: ``TallocError/outOfMemory(name:)``; then the value is released.
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
    /// Changing a part of it (`chunk.value.count += 1`) happens in place. Until the change is over, freeing the chunk,
    /// or any other use of its value, traps.
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

    /// Sets a destructor, which is called before the chunk is freed and may refuse; nil removes it.
    ///
    /// - Parameter destructor: Called once for each attempt to free, while the value and everything below still exist.
    ///   The chunk owns the destructor and releases it when it is freed.
    ///
    /// The corresponding C macro is `talloc_set_destructor()`.
    public func setDestructor(_ destructor: ((TallocChunk) -> FreeDecision)?) {
        let chunk = record(as: ValueChunkRecord.self, "setDestructor(_:)")
        // Swap instead of assigning: releasing the old destructor may run any deinit, which must find the new one in
        // place.
        var destructor = destructor.map { ask in { ask(TallocChunk(tallocHandle: $0)) } }
        swap(&chunk.pointee.header.destructor, &destructor)
    }

    /// Renames the chunk; the copy of the name is freed with it.
    ///
    /// - Throws: ``TallocError/outOfMemory(name:)``; then the old name stays.
    ///
    /// The corresponding C function is `talloc_set_name()`.
    public func setName(_ name: String) throws(TallocError) { try renameChunk(chunk("setName(_:)"), name) }

    /// The chunk, or a trap while its value is being changed, since no other code may see a half-changed value.
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
