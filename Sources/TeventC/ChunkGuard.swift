import CTalloc
import Talloc
import Tevent

/// A chunk below an object; when libtalloc frees the chunk, it ends the object for the engine.
///
/// A C program may replace the destructor of an object. The object's children are still freed, each with its own
/// destructor, which is why libtevent keeps an immediate below each request. Events have no guard: one that is freed
/// with another destructor while it is in a loop stays linked, as in libtevent.
///
/// The guard is the first child, and therefore the last to be freed.
struct ChunkGuard {
    private let object: UnsafeMutableRawPointer
    private let end: Destructor

    typealias Destructor = @convention(c) (UnsafeMutableRawPointer?) -> CInt
    typealias Pointer = UnsafeMutablePointer<ChunkGuard>

    static let size = MemoryLayout<ChunkGuard>.size
    private static let name: StaticString = "struct tevent_guard"

    // snippet: guard
    /// Creates the guard of a new object; returns nil if there is no memory.
    @inline(__always)
    static func make(below object: UnsafeMutableRawPointer, _ end: Destructor) -> Pointer? {
        guard let chunk = talloc_named_const(object, size, name.cString) else { return nil }
        let record = chunk.initializeMemory(as: ChunkGuard.self, to: ChunkGuard(object: object, end: end))
        _talloc_set_destructor(chunk) { chunk in
            let record = chunk!.assumingMemoryBound(to: ChunkGuard.self).pointee
            return record.end(record.object)
        }
        return record
    }
    // snippet-end: guard
}

extension ChunkGuard.Pointer {
    /// Makes the guard do nothing, because the object has already ended.
    func disarm() { _talloc_set_destructor(self, nil) }
}
