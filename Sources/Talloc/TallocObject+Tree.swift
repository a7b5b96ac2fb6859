import CLinux
import CTalloc

extension TallocObject {
    /// The object's parent, or nil if the object is a root.
    ///
    /// The corresponding C function is `talloc_parent()`.
    public var parent: TallocContext? {
        talloc_parent(chunk()).flatMap { TallocContext(chunkAt: $0) }
    }

    /// The object's children, in the order they were added.
    ///
    /// Private memory of libtalloc and of the engine is omitted.
    ///
    /// - Complexity: O(*n*) in the number of children.
    public var children: [TallocContext] { childChunks(of: chunk()).compactMap { TallocContext(chunkAt: $0) } }

    /// Moves the object, and everything below it, to another parent.
    ///
    /// Traps if the new parent is below the object itself, since the tree would lose both.
    ///
    /// - Complexity: O(*d*) in the depth of the new parent; O(1) for an object without children.
    ///
    /// The corresponding C functions are `talloc_steal()` and `talloc_move()`.
    public func move(under parent: some TallocObject) {
        // Get both handles before using either: a conformance may free the other object.
        let handles = (tallocHandle, parent.tallocHandle)
        let chunk = chunk(with: handles.0, "move(under:)")
        let newParent = parent.chunk(with: handles.1, "move(under:)")
        guard !lies(newParent, below: chunk) else {
            abort(
                "'\(nameOfChunk(chunk))' cannot move under '\(nameOfChunk(newParent))', which belongs to it: "
                    + "the tree would lose both")
        }
        _ = _talloc_steal_loc(newParent, chunk, nil)
        MemoryLimits.treeGrew(above: newParent)
        if clinux_is_recording() { recordMoved(chunk) }
    }

    /// Makes the object a root; from now on only its owner frees it.
    ///
    /// The corresponding C call is `talloc_steal(NULL, ptr)`.
    public func moveToRoot() {
        let chunk = chunk()
        _ = _talloc_steal_loc(nil, chunk, nil)
        if clinux_is_recording() { recordMoved(chunk) }
    }

    /// The number of bytes requested for the object and everything below it, without talloc's headers.
    ///
    /// - Complexity: O(*n*) in the number of chunks below.
    ///
    /// The corresponding C function is `talloc_total_size()`.
    public var totalSize: Int { walkTree(from: chunk()).reduce(0) { $0 + talloc_get_size($1.chunk) } }

    /// The number of chunks: the object and everything below it.
    ///
    /// - Complexity: O(*n*) in the number of chunks below.
    ///
    /// The corresponding C function is `talloc_total_blocks()`.
    public var totalBlocks: Int { walkTree(from: chunk()).count }
}

/// Whether a chunk is the same as another one, or anywhere below it.
///
/// libtalloc's own function gives up after 10,000 levels.
private func lies(_ chunk: UnsafeMutableRawPointer, below other: UnsafeMutableRawPointer) -> Bool {
    guard clinux_may_have_children(other) else { return chunk == other }
    var ancestor: UnsafeMutableRawPointer? = chunk
    while let found = ancestor, found != other { ancestor = talloc_parent(found) }
    return ancestor != nil
}

/// The direct children of a chunk, including private memory, in the order they were added.
package func childChunks(of parent: UnsafeMutableRawPointer) -> [UnsafeMutableRawPointer] {
    var newestFirst: [UnsafeMutableRawPointer] = []
    withUnsafeMutablePointer(to: &newestFirst) { found in
        talloc_report_depth_cb(
            parent, 0, 1,
            { chunk, depth, _, isReference, found in
                guard isReference == 0, depth == 1, let chunk else { return }
                found.unsafelyUnwrapped.assumingMemoryBound(to: [UnsafeMutableRawPointer].self).pointee
                    .append(UnsafeMutableRawPointer(mutating: chunk))
            }, found)
    }
    return newestFirst.reversed()
}

/// Adds up a number for each chunk of a walked tree, from the last chunk to the first.
///
/// - Parameter total: Receives a chunk, and the sum of its own results for the chunk's children.
func totals(of steps: [TreeStep], _ total: (_ step: TreeStep, _ children: Int) -> Int) -> [Int] {
    // At each depth, the sum for the chunks found there whose parent has not been reached yet.
    var waiting: [Int] = []
    var totals: [Int] = []
    for step in steps.reversed() {
        waiting.append(contentsOf: repeatElement(0, count: max(0, step.depth + 2 - waiting.count)))
        let own = total(step, waiting[step.depth + 1])
        waiting.removeSubrange((step.depth + 1)...)
        waiting[step.depth] += own
        totals.append(own)
    }
    return totals.reversed()
}

/// One chunk found while walking a tree.
package struct TreeStep {
    package let chunk: UnsafeMutableRawPointer
    package let depth: Int
}

/// All chunks from `root` down: parents before children, siblings in the order they were added.
///
/// Keeps a list of chunks to visit instead of recursing: a tree may be a million levels deep.
package func walkTree(from root: UnsafeMutableRawPointer) -> [TreeStep] {
    var steps: [TreeStep] = []
    var next = [TreeStep(chunk: root, depth: 0)]
    while let step = next.popLast() {
        steps.append(step)
        for child in childChunks(of: step.chunk).reversed() {
            next.append(TreeStep(chunk: child, depth: step.depth + 1))
        }
    }
    return steps
}
