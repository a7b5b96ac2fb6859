import CTalloc

/// Anything that is one talloc chunk: memory, and every context, event and request of the engine.
///
/// Whatever is a `TallocObject` can be the parent of others, and freeing it frees everything below it.
///
/// A type of your own that wraps an object conforms by returning the object's handle. What it returns is checked at each
/// use, so a conformance cannot break anything: at worst, it refers to another object than you meant.
///
/// ```swift
/// /// A connection; freeing it frees everything below its memory.
/// struct Connection: TallocObject {
///     let memory: TallocContext
///     var tallocHandle: TallocHandle { memory.tallocHandle }
/// }
/// let connection = Connection(memory: try TallocContext(under: memory, named: "connection"))
/// let buffer = try TallocChunk([UInt8](), under: connection)
/// connection.free()
/// print(buffer.isFreed)  // true
/// ```
public protocol TallocObject {
    /// The checked reference to the chunk.
    var tallocHandle: TallocHandle { get }
}

extension TallocObject {
    /// Whether the object has been freed, by itself or with a parent; never traps.
    public var isFreed: Bool { tallocHandle.isStale }

    /// Frees the object and everything below it, children last made first.
    ///
    /// - Returns: Whether it was freed; false when a destructor refused, and then nothing has changed.
    /// - Complexity: O(*n*) in the number of chunks below.
    ///
    /// The corresponding C function is `talloc_free()`.
    @inlinable
    @discardableResult
    public func free() -> Bool { freeChunk(chunk("free()")) }

    /// Frees everything below the object, but not the object.
    ///
    /// A child whose destructor refuses stays where it is, and so does private memory, such as the tables of an event
    /// context: the C function would free the latter while the object still uses it, and move refusing children to the
    /// object's parent. What a destructor moves away meanwhile is kept, and what it adds is freed.
    ///
    /// - Complexity: O(*n*) in the number of chunks below.
    ///
    /// The corresponding C function is `talloc_free_children()`.
    public func freeChildren() {
        freeChildrenThatAgree(of: checked("freeChildren()").handle)
    }

    /// The chunk's name, for reports and for error messages.
    ///
    /// The corresponding C function is `talloc_get_name()`.
    public var name: String { nameOfChunk(chunk()) }

    /// The same object as plain memory, for code that does not care what it is.
    public var tallocContext: TallocContext { TallocContext(tallocHandle: tallocHandle) }

    /// The object seen as a typed chunk, or nil when it holds something else.
    ///
    /// The type itself is compared, not its name: two types of the same name are two types.
    ///
    /// The corresponding C macro is `talloc_get_type()`.
    public func chunk<Value>(of type: Value.Type) -> TallocChunk<Value>? {
        let handle = checked("chunk(of:)").handle
        return heldType(by: handle) == type ? TallocChunk(tallocHandle: handle) : nil
    }

    /// The object seen as a typed chunk, or a trap naming both types when it holds something else.
    ///
    /// The corresponding C macro is `talloc_get_type_abort()`.
    public func chunk<Value>(expecting type: Value.Type) -> TallocChunk<Value> {
        let handle = checked("chunk(expecting:)").handle
        let held = heldType(by: handle)
        guard held == type else { usedAsAnother(handle, held, type) }
        return TallocChunk(tallocHandle: handle)
    }

    // snippet: held-type
    /// The type of the value in a typed chunk; nil for anything else.
    private func heldType(by handle: TallocHandle) -> Any.Type? {
        handle.record(as: ValueChunkRecord.self)?.pointee.header.storage?.valueType
    }
    // snippet-end: held-type

    private func usedAsAnother(_ handle: TallocHandle, _ held: Any.Type?, _ wanted: Any.Type) -> Never {
        let name = TallocContext(tallocHandle: handle).name
        guard let held else {
            abort("'\(name)' is no chunk of a value and was used as a chunk of '\(wanted)'")
        }
        let (heldName, wantedName) = distinctNames(held, wanted)
        let chunk = "a chunk of '\(heldName)'"
        abort(
            "\(name == "\(held)" ? chunk : "'\(name)', \(chunk),") was used as a chunk of '\(wantedName)'; "
                + "look at the type it was made with")
    }
}

/// The names of two types, with their modules where they have the same name.
package func distinctNames(_ left: Any.Type, _ right: Any.Type) -> (String, String) {
    let names = ("\(left)", "\(right)")
    return names.0 == names.1 ? (String(reflecting: left), String(reflecting: right)) : names
}
