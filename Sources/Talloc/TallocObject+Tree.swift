import CTalloc

extension TallocObject {
    /// What the object belongs to, or nil when it is a root.
    ///
    /// The corresponding C function is `talloc_parent()`.
    public var parent: TallocContext? {
        talloc_parent(chunk()).flatMap { TallocContext(chunkAt: $0) }
    }

    /// What belongs to the object, in the order it came.
    ///
    /// Private memory of libtalloc and of the engine is left out.
    ///
    /// - Complexity: O(*n*) in the number of chunks below.
    public var children: [TallocContext] {
        walkTree(from: chunk(), maximumDepth: 1).dropFirst().compactMap { TallocContext(chunkAt: $0.chunk) }
    }

    /// Moves the object, and everything below it, under another parent.
    ///
    /// A parent that lies below the object itself is refused with a trap, since the tree would lose both.
    ///
    /// The corresponding C functions are `talloc_steal()` and `talloc_move()`.
    public func move(under parent: some TallocObject) {
        let chunk = chunk("move(under:)")
        let newParent = parent.chunk("move(under:)")
        guard newParent != chunk, talloc_is_parent(newParent, chunk) == 0 else {
            abort("'\(name)' cannot move under '\(parent.name)', which belongs to it: the tree would lose both")
        }
        moveChunk(chunk, under: newParent)
    }

    /// Makes the object a root: nobody but its owner frees it from now on.
    ///
    /// The corresponding C call is `talloc_steal(NULL, ptr)`.
    public func moveToRoot() { moveChunk(chunk(), under: nil) }

    /// Bytes held by the object and everything below it, as asked for, without talloc's headers.
    ///
    /// - Complexity: O(*n*) in the number of chunks below.
    ///
    /// The corresponding C function is `talloc_total_size()`.
    public var totalSize: Int { talloc_total_size(chunk()) }

    /// Number of chunks: the object and everything below it.
    ///
    /// - Complexity: O(*n*) in the number of chunks below.
    ///
    /// The corresponding C function is `talloc_total_blocks()`.
    public var totalBlocks: Int { talloc_total_blocks(chunk()) }
}

/// Whether a chunk is a child of another one, asked of the parent alone: the chunk may be gone, or another thread's.
///
/// - Complexity: O(*n*) in the number of the parent's children.
package func isChild(_ chunk: UnsafeRawPointer, of parent: UnsafeRawPointer) -> Bool {
    var search = (chunk: chunk, isFound: false)
    withUnsafeMutablePointer(to: &search) { search in
        talloc_report_depth_cb(
            parent, 0, 1,
            { child, depth, _, _, search in
                let search = search!.assumingMemoryBound(to: (chunk: UnsafeRawPointer, isFound: Bool).self)
                if depth == 1, child == search.pointee.chunk { search.pointee.isFound = true }
            }, search)
    }
    return search.isFound
}

/// One chunk met while walking a tree.
package struct TreeStep {
    package let chunk: UnsafeMutableRawPointer
    package let depth: Int
}

/// All chunks from `root` down, parents before children, siblings in the order they came.
package func walkTree(from root: UnsafeMutableRawPointer, maximumDepth: Int = -1) -> [TreeStep] {
    var newestFirst: [TreeStep] = []
    withUnsafeMutablePointer(to: &newestFirst) { steps in
        talloc_report_depth_cb(
            root, 0, CInt(maximumDepth),
            { chunk, depth, _, isReference, steps in
                guard isReference == 0, let chunk else { return }
                let steps = steps!.assumingMemoryBound(to: [TreeStep].self)
                steps.pointee.append(TreeStep(chunk: UnsafeMutableRawPointer(mutating: chunk), depth: Int(depth)))
            }, steps)
    }
    return oldestFirst(newestFirst[...])
}

/// Turns the order of siblings around; talloc keeps the newest first.
private func oldestFirst(_ steps: ArraySlice<TreeStep>) -> [TreeStep] {
    guard let depth = steps.first?.depth else { return [] }
    let starts = steps.indices.filter { steps[$0].depth == depth }
    var end = steps.endIndex
    var result: [TreeStep] = []
    for start in starts.reversed() {
        result.append(steps[start])
        result += oldestFirst(steps[(start + 1)..<end])
        end = start
    }
    return result
}
