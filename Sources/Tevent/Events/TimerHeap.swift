import CTalloc
import Talloc

/// The timers of one context, the earliest on top: a heap with four children per node, stored in one talloc chunk.
///
/// Adding a timer and taking out any of them are O(log n). The heap moves only the keys of timers, and each move
/// updates a table of places, indexed by the timer's number. The timers themselves are not touched: thousands of them
/// do not fit into the processor's cache, but their keys and places do.
package struct TimerHeap {
    /// The deadline, then the order of adding for equal deadlines, as one number to compare.
    ///
    /// Its last digits are the number of the timer that it belongs to.
    struct Key {
        private let value: Int128

        init(deadline: Int64, order: UInt32, number: UInt32) {
            value = Int128(deadline) << 64 | Int128(order) << 32 | Int128(number)
        }

        var deadline: Int64 { Int64(truncatingIfNeeded: value >> 64) }
        var number: UInt32 { UInt32(truncatingIfNeeded: value) }

        func renumbered(_ order: UInt32) -> Key { Key(deadline: deadline, order: order, number: number) }

        static func < (left: Key, right: Key) -> Bool { left.value < right.value }
    }

    /// The place of a timer that is not in the heap because its handler runs.
    private static let notInHeap = UInt32.max
    private static let name: StaticString = "struct tevent_timer heap"

    /// The keys, the timers and the places, one after the other; each has room for `capacity`.
    private(set) var memory: UnsafeMutableRawPointer?
    private(set) var capacity = 0
    package private(set) var count = 0
    /// How many timers have a number: those in the heap, and those whose handlers run, so that updating them cannot fail.
    private(set) var numbered = 0
    /// Numbers from here on have never been given out.
    private(set) var nextNumber: UInt32 = 0
    /// The number returned last; the places of returned numbers link each to the one before.
    private var freeNumber = notInHeap
    /// The deadline of the timer noted last.
    package private(set) var runningDeadline: Int64 = 0
    /// How many timers were added; orders timers with equal deadlines.
    var added: UInt32 = 0

    var keys: UnsafeMutablePointer<Key> {
        memory.unsafelyUnwrapped.assumingMemoryBound(to: Key.self)
    }

    /// The timers by number; nil for returned numbers.
    var timers: UnsafeMutablePointer<TimerPointer?> {
        (memory.unsafelyUnwrapped + capacity &* MemoryLayout<Key>.stride).assumingMemoryBound(to: TimerPointer?.self)
    }

    /// The places of timers in the heap, by number.
    var places: UnsafeMutablePointer<UInt32> {
        (memory.unsafelyUnwrapped + capacity &* (MemoryLayout<Key>.stride + MemoryLayout<TimerPointer?>.stride))
            .assumingMemoryBound(to: UInt32.self)
    }

    var first: TimerPointer? { count > 0 ? timer(of: keys[0]) : nil }
    package var firstDeadline: Int64? { count > 0 ? keys[0].deadline : nil }

    /// A timer that waits or runs; the first one if any waits.
    var any: TimerPointer? {
        if let first { return first }
        return numbered > 0 ? (0..<Int(nextNumber)).lazy.compactMap { timers[$0] }.first : nil
    }

    private func timer(of key: Key) -> TimerPointer { timers[Int(key.number)].unsafelyUnwrapped }

    func contains(_ timer: TimerPointer) -> Bool { places[Int(timer.pointee.number)] != Self.notInHeap }
    func deadline(of timer: TimerPointer) -> Int64 { keys[Int(places[Int(timer.pointee.number)])].deadline }

    /// The timers in the order in which they will run.
    package var sorted: [TimerPointer] { (0..<count).map { keys[$0] }.sorted(by: <).map(timer(of:)) }

    /// Prefetches the timers that run next, while the handler of another runs.
    ///
    /// Timers are not due in the order in which they are stored, so the processor would wait for each of them: first
    /// for the timer, then for the slot that it points to. Hence this prefetches the second timer, and the slot of the
    /// first, which was prefetched before. With 20,000 due timers it saves a third of the time.
    @inline(__always)
    func fetchAhead() {
        guard count > 0 else { return }
        timer(of: keys[0]).fetchSlotAhead()
        if let second = earliestChild(of: 0) { timer(of: keys[second]).fetchAhead() }
    }

    // MARK: Timers that come and go

    /// Makes room for one more timer, so that the next `add` cannot fail; returns false if there is no memory.
    @inline(__always)
    mutating func reserve(under parent: @autoclosure () -> UnsafeMutableRawPointer) -> Bool {
        numbered < capacity || grow(under: parent())
    }

    private mutating func grow(under parent: UnsafeMutableRawPointer) -> Bool {
        let larger = max(16, capacity * 2)
        let size = MemoryLayout<Key>.stride + MemoryLayout<TimerPointer?>.stride + MemoryLayout<UInt32>.stride
        let name = Self.name.cString
        guard let grown = reallocatePrivateChunk(memory, size: larger * size, name: name, under: parent)
        else { return false }
        memory = grown
        let (oldTimers, oldPlaces, old) = (timers, places, capacity)
        capacity = larger
        // From the end, because each array moves to where the next one was.
        places.moveInitialize(from: oldPlaces, count: old)
        timers.moveInitialize(from: oldTimers, count: old)
        return true
    }

    /// Adds a new timer after all that have the same deadline; there must be room.
    mutating func add(_ timer: TimerPointer, deadline: Int64) {
        let number = freeNumber == Self.notInHeap ? nextNumber : freeNumber
        if number == nextNumber { nextNumber += 1 } else { freeNumber = places[Int(number)] }
        numbered += 1
        timers[Int(number)] = timer
        timer.pointee.number = number
        insert(number, deadline)
    }

    /// Moves a timer, in the heap or running, after all that have the same deadline.
    mutating func update(_ timer: TimerPointer, deadline: Int64) {
        let number = timer.pointee.number
        takeOut(number)
        insert(number, deadline)
    }

    /// Takes a timer out of the heap while its handler runs; the timer keeps its number.
    mutating func beginRunning(_ timer: TimerPointer) { takeOut(timer.pointee.number) }

    /// Remembers the deadline of a timer that is about to run, for C's handlers.
    mutating func noteDeadline(of timer: TimerPointer) {
        if contains(timer) { runningDeadline = deadline(of: timer) }
    }

    /// Forgets a timer, in the heap or running.
    mutating func remove(_ timer: TimerPointer) {
        let number = timer.pointee.number
        takeOut(number)
        numbered -= 1
        timers[Int(number)] = nil
        places[Int(number)] = freeNumber
        freeNumber = number
    }

    // MARK: The heap

    private mutating func insert(_ number: UInt32, _ deadline: Int64) {
        if added == .max { renumber() }
        added += 1
        count += 1
        siftUp(Key(deadline: deadline, order: added, number: number), from: count - 1)
    }

    private mutating func takeOut(_ number: UInt32) {
        let place = places[Int(number)]
        guard place != Self.notInHeap else { return }
        places[Int(number)] = Self.notInHeap
        count -= 1
        if place < count { siftUp(keys[count], from: sinkHole(from: Int(place))) }
    }

    @inline(__always)
    private mutating func place(_ key: Key, at index: Int) {
        keys[index] = key
        places[Int(key.number)] = UInt32(truncatingIfNeeded: index)
    }

    // Everything that moves keys is mutating although it writes to memory elsewhere; otherwise it would get a copy of
    // the heap's fields.

    // snippet: sift-up
    private mutating func siftUp(_ key: Key, from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 4
            guard key < keys[parent] else { break }
            place(keys[parent], at: index)
            index = parent
        }
        place(key, at: index)
    }
    // snippet-end: sift-up

    /// Moves the earliest child up into the hole, level by level, and returns where the hole ends.
    ///
    /// The key that fills the hole was the heap's last, so it belongs near the bottom. Letting it rise from there takes
    /// fewer comparisons than checking at each level whether it has to sink further.
    private mutating func sinkHole(from start: Int) -> Int {
        // Copy to locals: the compiler must assume that stores alias these fields.
        let (keys, places) = (keys, places)
        var hole = start
        while let child = earliestChild(of: hole) {
            keys[hole] = keys[child]
            places[Int(keys[child].number)] = UInt32(truncatingIfNeeded: hole)
            hole = child
        }
        return hole
    }

    @inline(__always)
    private func earliestChild(of index: Int) -> Int? {
        let first = index &* 4 &+ 1
        // The processor cannot predict which of the four is the earliest. Comparing two pairs and then the winners
        // needs no branch, and takes less than half the time.
        if first &+ 3 < count { return earlier(earlier(first, first &+ 1), earlier(first &+ 2, first &+ 3)) }
        return first < count ? (first..<count).min { keys[$0] < keys[$1] } : nil
    }

    @inline(__always)
    private func earlier(_ left: Int, _ right: Int) -> Int { keys[right] < keys[left] ? right : left }

    /// Renumbers the order of the waiting timers; happens once in four thousand million timers.
    private mutating func renumber() {
        let waiting = (0..<count).map { keys[$0] }.sorted(by: <)
        // A sorted array is also a heap.
        for (index, key) in waiting.enumerated() { place(key.renumbered(UInt32(index)), at: index) }
        added = UInt32(count)
    }
}
