import CLinux
import Glibc
import Synchronization

// Where messages are stored.
//
// One thread creates a message, and another frees it. malloc handles that badly: both threads contend for its lock, and
// the first thread does not get back what the other one frees. Therefore a thread that sends has a block of cells, and
// takes one after the other. Freeing a cell only decrements a count; freeing the last one of a block makes the block a
// spare for any thread. Most messages take one cell, and none spans two blocks.
//
//     block:   cells left │ message │ message │ free │ message │ next ▸ │ …
//
// Messages are stored in the order in which they are written and read, so the processor prefetches them.

/// A block of memory for messages; the record takes the place of the first cell.
struct MessageBlock: ~Copyable {
    /// How many cells are not freed yet, including those not taken yet.
    private let cellsLeft = Atomic(Self.cellCount)

    /// The size of a cache line, so that a thread that writes one message does not disturb those that another thread
    /// reads.
    private static let cellSize = 64
    /// Blocks are aligned to their size, so that the block of a cell follows from the cell's address.
    private static let size = 32768
    private static let cellCount = size / cellSize - 1
    /// A larger message is allocated separately.
    private static let mostCells = 16

    /// Memory for a message that the calling thread creates; nil if there is no memory.
    @inline(__always)
    static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        let cells = cellCount(for: size)
        guard cells <= mostCells else { return malloc(size) }
        let here = clinux_message_cells_here()!
        if here.pointee.left < cells { begin(here) }
        guard let cell = here.pointee.next else { return nil }
        here.pointee.next = cell + cells * cellSize
        here.pointee.left -= cells
        return cell
    }

    /// Frees the memory of a message; may be called on any thread.
    @inline(__always)
    static func free(_ message: UnsafeMutableRawPointer, size: Int) {
        let cells = cellCount(for: size)
        if cells <= mostCells { freeCells(cells, at: message) } else { Glibc.free(message) }
    }

    @inline(__always)
    private static func cellCount(for size: Int) -> Int { (size + cellSize - 1) / cellSize }

    /// Frees adjacent cells.
    private static func freeCells(_ count: Int, at cell: UnsafeMutableRawPointer) {
        let block = UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: cell) & ~UInt(size - 1)).unsafelyUnwrapped
        let record = block.assumingMemoryBound(to: MessageBlock.self)
        // The thread that frees the last cell must see that all others are done with theirs.
        let left = record.pointee.cellsLeft.wrappingSubtract(count, ordering: .acquiringAndReleasing).newValue
        if left == 0 { Spares.keep(block) }
    }

    /// Replaces the thread's full block with another one; leaves it without one if there is no memory.
    @inline(never)
    private static func begin(_ here: UnsafeMutablePointer<clinux_message_cells>) {
        end(here)
        threadEnd.watchThisThread()
        guard let block = Spares.take() ?? aligned_alloc(size, size) else { return }
        block.initializeMemory(as: MessageBlock.self, to: MessageBlock())
        here.pointee.next = block + cellSize
        here.pointee.left = cellCount
    }

    /// Frees the cells that the thread has not taken.
    private static func end(_ here: UnsafeMutablePointer<clinux_message_cells>) {
        let (cell, left) = (here.pointee.next, here.pointee.left)
        here.pointee.next = nil
        here.pointee.left = 0
        if left > 0, let cell { freeCells(left, at: cell) }
    }

    static func setUp() {
        _ = threadEnd
        Spares.setUp()
    }

    /// Runs when a thread ends.
    private static let threadEnd = ThreadEnd { _ in MessageBlock.end(clinux_message_cells_here()!) }

    /// Unused blocks; those that do not fit here are returned to malloc.
    private enum Spares {
        /// The address of a block, or 0.
        ///
        /// Not a list: taking from a list without a lock means reading a block that may belong to another thread by
        /// then.
        private static let places = InlineArray<64, Atomic<UInt>> { _ in Atomic(0) }

        static func setUp() { _ = places[0].load(ordering: .relaxed) }

        static func take() -> UnsafeMutableRawPointer? {
            for index in places.indices where places[index].load(ordering: .relaxed) != 0 {
                let block = UnsafeMutableRawPointer(bitPattern: places[index].exchange(0, ordering: .acquiring))
                if let block { return block }
            }
            return nil
        }

        static func keep(_ block: UnsafeMutableRawPointer) {
            for index in places.indices where places[index].load(ordering: .relaxed) == 0 {
                let (isKept, _) = places[index].compareExchange(
                    expected: 0, desired: UInt(bitPattern: block), ordering: .releasing)
                if isKept { return }
            }
            Glibc.free(block)
        }
    }
}
