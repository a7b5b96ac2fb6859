import CLinux
import CTalloc
import Glibc
import Synchronization

package typealias RecordRingPointer = UnsafeMutablePointer<RecordRing>

/// What one thread records: the newest records, in a ring whose memory is reserved at the start.
///
/// Only the ring's thread adds to it; a lock lets another thread copy it meanwhile. Nothing here allocates after the
/// start, and nothing calls foreign code.
package struct RecordRing: ~Copyable {
    package let capacity: Int
    /// How many records were ever added; those from `capacity` on have overwritten the oldest.
    private var total = 0
    private var newest: UnsafeMutablePointer<Record>
    package internal(set) var names = RecordNames()
    var parents = KnownParents()
    /// The process whose records these are; a child of a fork begins with none.
    package private(set) var generation = clinux_forks()
    package private(set) var thread = pthread_self()
    /// What the thread was called when it first recorded; a new thread has the name of the one that made it.
    package private(set) var threadName = RecordRing.nameOfThisThread
    private let records: ReservedMemory<Record>
    // Two instructions where the C library's lock takes 64; it is nearly always free.
    fileprivate let isBusy = Atomic(false)

    fileprivate init(capacity: Int) {
        self.capacity = capacity
        records = ReservedMemory(count: capacity)
        newest = records.base + capacity - 1
    }

    fileprivate func unmap() {
        records.unmap()
        names.unmap()
    }

    // snippet: append
    @inline(__always)
    fileprivate mutating func append(_ record: Record) -> UnsafeMutablePointer<Record> {
        newest = newest + 1 == end ? records.base : newest + 1
        newest.pointee = record
        total += 1
        return newest
    }
    // snippet-end: append

    @inline(__always)
    fileprivate func timeOfNext(_ what: Record.What, _ object: UInt, isAtOnce: Bool) -> Int64 {
        guard isAtOnce || Record.follows(newest, what, object) else { return monotonicNanoseconds() }
        return newest.pointee.time
    }

    private var end: UnsafeMutablePointer<Record> { records.base + capacity }

    /// The records that are left, the oldest first.
    package var remaining: [Record] {
        let all = UnsafeBufferPointer(start: records.base, count: min(total, capacity))
        let oldest = total < capacity ? 0 : (newest + 1 - records.base) % capacity
        return Array(all[oldest...]) + all[..<oldest]
    }

    /// How many records were overwritten.
    package var lost: Int { max(0, total - capacity) }

    /// Forgets the records of a thread that has ended, and returns how many there were.
    fileprivate mutating func beginOnThisThread() -> Int {
        defer { forget() }
        thread = pthread_self()
        threadName = Self.nameOfThisThread
        return total
    }

    fileprivate mutating func beginInNewProcess() {
        generation = clinux_forks()
        forget()
    }

    /// Empty if the program has not named it.
    private static var nameOfThisThread: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { name in
            clinux_name_of_this_thread(name.baseAddress) ? String(cString: name.baseAddress.unsafelyUnwrapped) : ""
        }
    }

    private mutating func forget() {
        total = 0
        newest = end - 1
        // No record follows one like this.
        newest.pointee = Record(.made)
    }
}

extension RecordRingPointer {
    package static func make(capacity: Int) -> RecordRingPointer {
        let ring = allocate(capacity: 1)
        ring.initialize(to: RecordRing(capacity: capacity))
        return ring
    }

    package func free() {
        pointee.unmap()
        deinitialize(count: 1)
        deallocate()
    }

    /// The ring of this thread, or nil if it is not recorded.
    @inline(__always)
    package static var here: RecordRingPointer? {
        clinux_recording_here().pointee?.assumingMemoryBound(to: RecordRing.self) ?? RecordRings.makeHere()
    }

    /// Whether this thread has a ring.
    package static var isThreadRecorded: Bool { clinux_recording_here().pointee != nil }

    /// Makes this the ring of the calling thread, or ends that.
    package static func setHere(_ ring: RecordRingPointer?) {
        let old = clinux_recording_here().pointee
        clinux_recording_here().pointee = UnsafeMutableRawPointer(ring)
        clinux_count_recordings((ring == nil ? 0 : 1) - (old == nil ? 0 : 1))
    }

    func beginOnThisThread() -> Int { withLock { $0.beginOnThisThread() } }

    /// Leaves the records from before a fork to the parent.
    package func noticeFork() {
        guard pointee.generation != clinux_forks() else { return }
        // A thread that held the lock does not exist here.
        pointee.isBusy.store(false, ordering: .relaxed)
        withLock { $0.beginInNewProcess() }
    }

    // MARK: Adding

    /// Adds a record, written in its place.
    ///
    /// - Parameters:
    ///   - time: When it happened, or `Record.now` or `Record.atOnce`.
    ///   - fill: Writes what else there is to know; the rest of the record is zero.
    @inline(__always)
    func add(
        _ what: Record.What, _ object: UnsafeMutableRawPointer?, kind: UInt8 = 0, at time: Int64 = Record.now,
        _ fill: (UnsafeMutablePointer<Record>, inout RecordRing) -> Void = { _, _ in }
    ) {
        noticeFork()
        withLock { ring in
            var record = Record(what)
            record.object = UInt(bitPattern: object)
            record.kind = kind
            record.time =
                time > Record.now ? time : ring.timeOfNext(what, record.object, isAtOnce: time == Record.atOnce)
            fill(ring.append(record), &ring)
        }
    }

    /// Adds text of the program, in as many records as it needs.
    package func add(_ what: Record.What, text: UnsafeRawBufferPointer, detail: Int64 = 0) {
        noticeFork()
        var rest = text[...]
        var record = Record(what)
        record.time = monotonicNanoseconds()
        record.detail = detail
        repeat {
            let part = rest.prefix(Record.textRoom)
            record.textLength = UInt8(part.count)
            record.withText { $0.copyBytes(from: part) }
            withLock { _ = $0.append(record) }
            rest = rest.dropFirst(part.count)
        } while !rest.isEmpty
    }

    @inline(__always)
    package func withLock<Result>(_ body: (inout RecordRing) -> Result) -> Result {
        while pointee.isBusy.exchange(true, ordering: .acquiring) { sched_yield() }
        defer { pointee.isBusy.store(false, ordering: .releasing) }
        return body(&pointee)
    }
}

/// The objects of the engine under which something was made most recently, which need no look at the table of slots.
struct KnownParents {
    private static let count = 8
    private var addresses = (UInt(0), UInt(0), UInt(0), UInt(0), UInt(0), UInt(0), UInt(0), UInt(0))

    private mutating func withPlace<Result>(of parent: UnsafeMutableRawPointer, _ body: (inout UInt) -> Result)
        -> Result
    {
        withUnsafeMutableBytes(of: &addresses) { bytes in
            let words = bytes.assumingMemoryBound(to: UInt.self)
            return body(&words[Int(UInt(bitPattern: parent) >> 6) % Self.count])
        }
    }

    mutating func contains(_ parent: UnsafeMutableRawPointer) -> Bool {
        withPlace(of: parent) { $0 == UInt(bitPattern: parent) }
    }

    /// The name of a chunk that is no object of the engine; nil, and the chunk is known from now on, if it is one.
    mutating func foreignName(of parent: UnsafeMutableRawPointer) -> UnsafePointer<CChar>? {
        guard HandleSlotPointer.find(forObjectAt: parent, size: talloc_get_size(parent)) != nil else {
            return talloc_get_name(parent)
        }
        withPlace(of: parent) { $0 = UInt(bitPattern: parent) }
        return nil
    }

    mutating func forget(_ parent: UnsafeMutableRawPointer?) {
        guard let parent else { return }
        withPlace(of: parent) { if $0 == UInt(bitPattern: parent) { $0 = 0 } }
    }
}

package func monotonicNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
