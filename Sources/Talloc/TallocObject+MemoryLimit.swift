import CTalloc
import Synchronization

// libtalloc's memory limits and its moves do not go together (2.4.0, where the limits are deprecated). When a chunk with
// children is moved, the children keep pointing at the limit they had: out of a limit, that is freed memory later, and
// within a limit, libtalloc makes the limit its own upper one and then walks in a circle for ever. A chunk without
// children moves well, so once a program has set a limit, a tree is moved chunk by chunk.

/// Whether the program has ever set a memory limit.
private let hasMemoryLimits = Atomic<Bool>(false)

extension TallocObject {
    /// Lets the object and everything below it hold at most `bytes`, talloc's headers included; nil lifts the limit.
    ///
    /// An allocation that would go over throws ``TallocError/outOfMemory(name:)``.
    ///
    /// libtalloc's limits do not go well with moves: an object that is moved loses a limit of its own, and what is moved
    /// out of a limit, or within one, is still counted where it was. From the first limit on, moves cost O(*n*) in the
    /// chunks that are moved. Nor do they take back what a freed pool held: a limit above work that goes on making pools
    /// is used up in time. They are good for tests of what happens then.
    ///
    /// - Throws: ``TallocError/outOfMemory(name:)`` when there is no memory for the limit itself.
    ///
    /// The corresponding C function is `talloc_set_memlimit()`.
    public func setMemoryLimit(bytes: Int?) throws(TallocError) {
        if let bytes, bytes <= 0 {
            abort("a memory limit must be more than 0 bytes, not \(bytes); nil lifts the limit")
        }
        hasMemoryLimits.store(true, ordering: .relaxed)
        guard talloc_set_memlimit(chunk("setMemoryLimit(bytes:)"), bytes ?? 0) == 0 else {
            throw TallocError.outOfMemory(name: "memory limit of \(name)")
        }
    }
}

/// Moves a chunk and everything below it under another parent, or makes it a root.
func moveChunk(_ chunk: UnsafeMutableRawPointer, under parent: UnsafeMutableRawPointer?) {
    guard hasMemoryLimits.load(ordering: .relaxed) else {
        _ = _talloc_steal_loc(parent, chunk, nil)
        return
    }
    let steps = walkTree(from: chunk)
    // Taken apart, children before parents …
    for step in steps.reversed() { _ = _talloc_steal_loc(nil, step.chunk, nil) }
    // … and put together again, parents before children, siblings in the order they came.
    var path: [UnsafeMutableRawPointer?] = [parent]
    for step in steps {
        path.removeSubrange((step.depth + 1)...)
        if let parent = path[step.depth] { _ = _talloc_steal_loc(parent, step.chunk, nil) }
        path.append(step.chunk)
    }
}
