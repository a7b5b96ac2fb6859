import CLinux
import CTalloc

// Frees the children of a chunk.
//
// libtalloc frees children after the destructor of their parent has returned. By then it has taken the parent out of
// the tree, but it still relies on the parent's own parent, in case a child refuses. If a child's destructor frees that
// parent, libtalloc is left with the address of freed memory. Therefore the engine's destructors free the children
// themselves, as their last step, while libtalloc still protects their chunk: it refuses any attempt to free the chunk
// meanwhile.
//
// Each level takes some stack; `withStackRoom` makes sure that there is always enough.

/// The last step of every destructor: frees what is below the chunk.
@inlinable @inline(__always)
package func freeChildrenIfAny(of chunk: UnsafeMutableRawPointer) {
    if clinux_may_have_children(chunk) { freeChildren(of: chunk) }
}

/// Frees the children of a chunk whose destructor is running; children that refuse move to the chunk's parent.
@inline(never)
@usableFromInline
package func freeChildren(of chunk: UnsafeMutableRawPointer) {
    withStackRoom { talloc_free_children(chunk) }
}

/// Finds out where libtalloc keeps the first child of a chunk, for `clinux_may_have_children`.
///
/// libtalloc has no function that tells whether a chunk has children, short of walking through them; calling
/// `talloc_free_children` at each free would take 57 instructions. The right word is the one that changes when a chunk
/// gets a child, and changes back when the child is freed. If not exactly one word does, every chunk counts as a
/// parent.
func findFirstChildWord() {
    // From a cleared pool, so that no word of the header is uninitialised.
    guard let pool = talloc_pool(nil, 1024) else { return }
    defer { freeChunk(pool) }
    pool.initializeMemory(as: UInt8.self, repeating: 0, count: 1024)
    guard let parent = talloc_named_const(pool, 8, copiedName.cString) else { return }
    // A header has at least ten words.
    let offsets = Array(stride(from: -80, to: 0, by: MemoryLayout<UInt>.stride))
    func words() -> [UInt] { offsets.map { parent.load(fromByteOffset: $0, as: UInt.self) } }
    let before = words()
    guard let child = talloc_named_const(parent, 0, copiedName.cString) else { return }
    let during = words()
    freeChunk(child)
    let after = words()
    let found = offsets.indices.filter { before[$0] == 0 && during[$0] != 0 && after[$0] == 0 }
    if found.count == 1 { clinux_set_first_child_offset(offsets[found[0]]) }
}

/// Frees the children of an object that stays; children that refuse stay as well, and so does private memory.
///
/// Keeps what a destructor moves away, and frees what it adds: the search goes on until every child has been asked.
package func freeChildrenThatAgree(of parent: TallocHandle, except isKept: (TallocHandle) -> Bool = { _ in false }) {
    var asked: [HandleSlotPointer: UInt64] = [:]
    var hasAskedAny = true
    while hasAskedAny, let chunk = parent.object {
        hasAskedAny = false
        for child in childChunks(of: chunk).reversed().compactMap(TallocContext.init(chunkAt:)) {
            let handle = child.tallocHandle
            guard let chunk = handle.object, let parent = parent.object, talloc_parent(chunk) == parent,
                asked[handle.slot] != handle.stamp, !isKept(handle)
            else { continue }
            asked[handle.slot] = handle.stamp
            hasAskedAny = true
            freeChunk(chunk)
        }
    }
}
