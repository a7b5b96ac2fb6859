import CTalloc

/// Anything that is a talloc chunk: memory, and every context, event and request of the engine.
///
/// Any `TallocObject` can be the parent of others, and freeing it frees everything below it.
///
/// Your own type that wraps an object conforms by returning the object's handle. The engine checks that handle at each
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

    /// Frees the object and everything below it, children in reverse order of creation.
    ///
    /// - Returns: Whether it was freed; false if a destructor refused, in which case nothing has changed.
    /// - Complexity: O(*n*) in the number of chunks below.
    ///
    /// The corresponding C function is `talloc_free()`.
    @inlinable
    @discardableResult
    public func free() -> Bool { freeChunk(chunk("free()")) }

    /// Frees everything below the object, but not the object itself.
    ///
    /// A child whose destructor refuses stays where it is, and so does private memory, such as the tables of an event
    /// context. (The C function frees private memory while the object still uses it, and moves refusing children to the
    /// object's parent.) What a destructor moves away meanwhile is kept; what it adds is freed.
    ///
    /// - Complexity: O(*n*) in the number of chunks below.
    ///
    /// The corresponding C function is `talloc_free_children()`.
    public func freeChildren() {
        freeChildrenThatAgree(of: checked("freeChildren()").handle)
    }

    /// The chunk's name in reports and error messages.
    ///
    /// The corresponding C function is `talloc_get_name()`.
    public var name: String { nameOfChunk(chunk()) }

    /// The same object as plain memory, for code that works with any object.
    public var tallocContext: TallocContext { TallocContext(tallocHandle: tallocHandle) }

    /// The object as a typed chunk, or nil if it holds something else.
    ///
    /// Compares the type itself, not its name: two types of the same name are two types.
    ///
    /// The corresponding C macro is `talloc_get_type()`.
    public func chunk<Value>(of type: Value.Type) -> TallocChunk<Value>? {
        let handle = checked("chunk(of:)").handle
        return heldType(by: handle) == type ? TallocChunk(tallocHandle: handle) : nil
    }

    /// The object as a typed chunk; traps with the names of both types if it holds something else.
    ///
    /// The corresponding C macro is `talloc_get_type_abort()`.
    public func chunk<Value>(expecting type: Value.Type) -> TallocChunk<Value> {
        let handle = checked("chunk(expecting:)").handle
        let held = heldType(by: handle)
        guard held == type else { usedAsAnother(handle, held, type) }
        return TallocChunk(tallocHandle: handle)
    }

    // snippet: held-type
    /// The type of the value in a typed chunk; nil for any other object.
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

/// The names of two types, qualified with their modules if the names are equal.
package func distinctNames(_ left: Any.Type, _ right: Any.Type) -> (String, String) {
    let names = ("\(left)", "\(right)")
    return names.0 == names.1 ? (String(reflecting: left), String(reflecting: right)) : names
}
