import CLinux
import Glibc
import Synchronization

// Where messages lie.
//
// A message is made by one thread and freed by another. malloc does not like that: both threads meet at its lock, and
// what the one frees, the other does not get back. So a thread that sends has a block of cells, which it takes one after
// the other. Whoever frees a cell only counts; the last one of a block makes the block a spare, for any thread's use.
// Most messages are one cell, and none lies in two blocks.
//
//     block:   cells left │ message │ message │ free │ message │ next ▸ │ …
//
// Messages lie in the order they are written and read in, so the processor fetches them beforehand.

/// A piece of memory for messages; the record is in the place of the first cell.
struct MessageBlock: ~Copyable {
    /// How many cells are not free yet, including those not taken so far.
    private let cellsLeft = Atomic(Self.cellCount)

    /// A line of the processor's cache: a thread that writes one message leaves those alone that another reads.
    private static let cellSize = 64
    /// Blocks are aligned to their size, so that the address of a cell leads to its block.
    private static let size = 32768
    private static let cellCount = size / cellSize - 1
    /// A message that wants more has memory of its own.
    private static let mostCells = 16

    /// Memory for a message that the calling thread makes; nil when there is none.
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

    /// Frees the memory of a message, on any thread.
    @inline(__always)
    static func free(_ message: UnsafeMutableRawPointer, size: Int) {
        let cells = cellCount(for: size)
        if cells <= mostCells { freeCells(cells, at: message) } else { Glibc.free(message) }
    }

    @inline(__always)
    private static func cellCount(for size: Int) -> Int { (size + cellSize - 1) / cellSize }

    /// Frees cells that follow each other.
    private static func freeCells(_ count: Int, at cell: UnsafeMutableRawPointer) {
        let block = UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: cell) & ~UInt(size - 1)).unsafelyUnwrapped
        let record = block.assumingMemoryBound(to: MessageBlock.self)
        // Whoever frees the last one must see that all others are done with theirs.
        let left = record.pointee.cellsLeft.wrappingSubtract(count, ordering: .acquiringAndReleasing).newValue
        if left == 0 { Spares.keep(block) }
    }

    /// Gives the thread a block, in place of the one that has no room left; none when there is no memory.
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

    /// Blocks not in use at the moment; those that do not fit here go back to malloc.
    private enum Spares {
        /// The address of a block, or 0.
        ///
        /// No list: whoever takes from one without a lock looks into a block that may be another's by then.
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
