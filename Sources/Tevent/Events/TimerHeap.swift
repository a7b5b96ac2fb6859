import CTalloc
import Talloc

/// The timers of one context, the earliest on top: a heap with four children a node, kept in one talloc chunk.
///
/// Each timer knows its place in the heap, so that taking out any of them is O(log n), like adding one. The deadlines
/// lie in the heap itself: comparing looks into a timer only when two deadlines are equal.
struct TimerHeap {
    private struct Entry {
        var deadline: Int64
        var timer: TimerPointer
    }

    private static let name: StaticString = "struct tevent_timer heap"

    private var entries: UnsafeMutablePointer<Entry>?
    private(set) var count = 0
    private var capacity = 0
    /// Timers whose handlers run now and have not updated them; their places are kept, so that updating cannot fail.
    private(set) var running = List<TimerRecord>()
    private var runningCount = 0
    /// How many timers were ever added: breaks ties between equal deadlines.
    private var added: UInt64 = 0

    var first: TimerPointer? { count > 0 ? entries![0].timer : nil }
    var firstDeadline: Int64? { count > 0 ? entries![0].deadline : nil }

    /// Makes room for one more timer, so that the next `insert` cannot fail; false when there is no memory.
    mutating func reserve(under context: UnsafeMutableRawPointer) -> Bool {
        guard count + runningCount == capacity else { return true }
        let newCapacity = max(16, capacity * 2)
        let size = newCapacity * MemoryLayout<Entry>.stride
        guard let memory = _talloc_realloc(context, entries, size, Self.name.cString) else { return false }
        entries = memory.assumingMemoryBound(to: Entry.self)
        capacity = newCapacity
        return true
    }

    /// Adds a timer behind all that have the same deadline; there must be room.
    mutating func insert(_ timer: TimerPointer, deadline: Int64) {
        added += 1
        timer.pointee.order = added
        count += 1
        siftUp(Entry(deadline: deadline, timer: timer), from: count - 1)
    }

    /// Takes a timer out of the heap while its handler runs, and keeps its place.
    mutating func beginRunning(_ timer: TimerPointer) {
        remove(timer)
        running.append(timer)
        runningCount += 1
    }

    /// Takes a timer out, be it in the heap or running.
    mutating func remove(_ timer: TimerPointer) {
        guard timer.pointee.isInHeap else {
            running.remove(timer)
            runningCount -= 1
            return
        }
        let index = Int(timer.pointee.heapIndex)
        timer.pointee.heapIndex = TimerRecord.notInHeap
        count -= 1
        guard index < count else { return }
        let moved = entries![count]
        if index > 0, precedes(moved, entries![(index - 1) / 4]) {
            siftUp(moved, from: index)
        } else {
            siftDown(moved, from: index)
        }
    }

    func deadline(of timer: TimerPointer) -> Int64 { entries![Int(timer.pointee.heapIndex)].deadline }

    /// The timers in the order they will run.
    var sorted: [TimerPointer] {
        (0..<count).map { entries![$0] }.sorted(by: precedes).map(\.timer)
    }

    @inline(__always)
    private func precedes(_ left: Entry, _ right: Entry) -> Bool {
        left.deadline < right.deadline
            || (left.deadline == right.deadline && left.timer.pointee.order < right.timer.pointee.order)
    }

    @inline(__always)
    private func place(_ entry: Entry, at index: Int) {
        entries.unsafelyUnwrapped[index] = entry
        entry.timer.pointee.heapIndex = UInt32(truncatingIfNeeded: index)
    }

    // snippet: sift-up
    private func siftUp(_ entry: Entry, from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 4
            guard precedes(entry, entries.unsafelyUnwrapped[parent]) else { break }
            place(entries.unsafelyUnwrapped[parent], at: index)
            index = parent
        }
        place(entry, at: index)
    }
    // snippet-end: sift-up

    private func siftDown(_ entry: Entry, from start: Int) {
        var index = start
        while index * 4 + 1 < count {
            let firstChild = index * 4 + 1
            var least = firstChild
            for child in (firstChild + 1)..<max(firstChild + 1, min(firstChild + 4, count))
            where precedes(entries.unsafelyUnwrapped[child], entries.unsafelyUnwrapped[least]) {
                least = child
            }
            guard precedes(entries.unsafelyUnwrapped[least], entry) else { break }
            place(entries.unsafelyUnwrapped[least], at: index)
            index = least
        }
        place(entry, at: index)
    }

    /// Whether there is room for all, every parent precedes its children and every timer knows its place; for tests.
    var isConsistent: Bool {
        guard count + runningCount <= capacity, running.snapshot.count == runningCount else { return false }
        return (0..<count).allSatisfy { index in
            entries![index].timer.pointee.heapIndex == UInt32(index)
                && (index == 0 || !precedes(entries![index], entries![(index - 1) / 4]))
        }
    }
}
