import CTalloc

/// A chunk that holds nothing and serves as a parent: everything below it is freed with it.
///
/// It is a handle: copying it copies two words and does not keep the memory alive. It belongs to one thread.
///
/// ```swift
/// let program = try TallocContext(named: "program")
/// let request = try TallocContext(under: program, named: "request")
/// program.free()
/// print(request.isFreed)  // true
/// ```
///
/// The corresponding C type is `TALLOC_CTX`.
public struct TallocContext: TallocObject, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    package init(tallocHandle: TallocHandle) { self.tallocHandle = tallocHandle }

    /// The handle of a chunk found in the tree, or nil if the chunk is private memory of talloc or of the engine.
    package init?(chunkAt address: UnsafeMutableRawPointer) {
        guard let slot = HandleSlotPointer.find(forObjectAt: address, size: talloc_get_size(address)) else {
            return nil
        }
        tallocHandle = TallocHandle(slot: slot)
    }

    /// Creates a root: a context without a parent, which its owner must free.
    ///
    /// - Parameter name: The name in reports; by default, the file that created it.
    /// - Throws: ``TallocError/outOfMemory(name:)``.
    ///
    /// The corresponding C macro is `talloc_new(NULL)`.
    public init(named name: StaticString = #fileID) throws(TallocError) {
        self.init(tallocHandle: try ChunkHeader.make(kind: .context, name: name.cString, under: nil))
    }

    /// Creates a context that is freed with `parent`, unless it was freed or moved before.
    ///
    /// - Parameters:
    ///   - parent: The context's parent.
    ///   - name: The name in reports; by default, the file that created it.
    /// - Throws: ``TallocError/outOfMemory(name:)``.
    ///
    /// The corresponding C macro is `talloc_new()`.
    public init(under parent: some TallocObject, named name: StaticString = #fileID) throws(TallocError) {
        self.init(
            tallocHandle: try ChunkHeader.make(
                kind: .context, name: name.cString, under: parent.chunk("init(under:named:)")))
    }

    /// Renames the context; the copy of the name is freed with it.
    ///
    /// - Throws: ``TallocError/outOfMemory(name:)``; then the old name stays.
    ///
    /// The corresponding C function is `talloc_set_name()`.
    public func setName(_ name: String) throws(TallocError) { try renameChunk(chunk("setName(_:)"), name) }

    /// Sets a destructor, which is called before the context is freed and may refuse; nil removes it.
    ///
    /// Engine objects rely on their own destructors, and a typed chunk has its own form of this call; for both, this
    /// call traps.
    ///
    /// - Parameter destructor: Called once for each attempt to free, while everything below still exists. The context
    ///   owns the destructor and releases it when it is freed.
    ///
    /// The corresponding C macro is `talloc_set_destructor()`.
    public func setDestructor(_ destructor: ((TallocContext) -> FreeDecision)?) {
        _ = chunk("setDestructor(_:)")
        guard let record = tallocHandle.record(as: PlainChunkRecord.self) else {
            abort(
                "'\(name)' is not plain memory and has a destructor of its own; hang a TallocContext below it instead")
        }
        // Swap instead of assigning: releasing the old destructor may run any deinit, which must find the new one in
        // place.
        var destructor = destructor.map { ask in { ask(TallocContext(tallocHandle: $0)) } }
        swap(&record.pointee.header.destructor, &destructor)
    }
}

@available(*, unavailable)
extension TallocContext: Sendable {}

/// A destructor's answer to an attempt to free.
public enum FreeDecision {
    /// The memory may be freed.
    case allow
    /// The memory must stay; `free()` returns false.
    case refuse
}

/// Runs `body` with a root context that is freed when `body` returns or throws.
///
/// - Parameters:
///   - name: The context's name in reports.
///   - body: Receives the context; handles below it are stale once `body` has ended.
/// - Throws: ``TallocError/outOfMemory(name:)``, or what `body` throws.
///
/// ```swift
/// try withTallocContext(named: "program") { program in
///     let list = try TallocChunk([1, 2, 3], under: program)
///     print(list.value)
/// }
/// ```
///
/// In C this is `talloc_new()` with a `talloc_free()` on each way out.
@discardableResult
public func withTallocContext<Result>(
    named name: StaticString = #fileID, _ body: (TallocContext) throws -> Result
) throws -> Result {
    let context = try TallocContext(named: name)
    defer { if !context.isFreed { context.free() } }
    return try body(context)
}
