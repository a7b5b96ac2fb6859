import CLinux
import Glibc

package typealias RecordRingPointer = UnsafeMutablePointer<RecordRing>

/// What one thread records: the newest records, in a ring whose memory is reserved at the start.
///
/// Only the ring's thread adds to it; a lock lets another thread copy it meanwhile. Nothing here allocates after the
/// start, and nothing calls foreign code.
package struct RecordRing: ~Copyable {
    package let capacity: Int
    /// How many records were ever added; those from `capacity` on have overwritten the oldest.
    package private(set) var total = 0
    package fileprivate(set) var names = RecordNames()
    /// The process whose records these are; a child of a fork begins with none.
    package private(set) var generation = clinux_forks()
    /// The thread's number in the system, and its name.
    package private(set) var thread = pthread_self()
    private let records: ReservedMemory<Record>
    fileprivate let lock = UnsafeMutablePointer<clinux_lock>.allocate(capacity: 1)

    fileprivate init(capacity: Int) {
        self.capacity = capacity
        records = ReservedMemory(count: capacity)
        clinux_lock_begin(lock)
    }

    fileprivate func unmap() {
        records.unmap()
        names.unmap()
        clinux_lock_end(lock)
        lock.deallocate()
    }

    // snippet: append
    fileprivate mutating func append(_ record: consuming Record) {
        records.base[total % capacity] = record
        total += 1
    }
    // snippet-end: append

    /// The records that are left, the oldest first.
    package var remaining: [Record] {
        (max(0, total - capacity)..<total).map { records.base[$0 % capacity] }
    }

    /// How many records were overwritten.
    package var lost: Int { max(0, total - capacity) }

    /// Forgets the records of a thread that has ended, and returns how many there were.
    fileprivate mutating func beginOnThisThread() -> Int {
        defer {
            total = 0
            thread = pthread_self()
        }
        return total
    }

    fileprivate mutating func beginInNewProcess() {
        total = 0
        generation = clinux_forks()
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
        guard let ring = clinux_recording_here().pointee?.assumingMemoryBound(to: RecordRing.self) else {
            return RecordRings.makeHere()
        }
        return ring
    }

    /// Whether this thread has a ring.
    package static var isThreadRecorded: Bool { clinux_recording_here().pointee != nil }

    func beginOnThisThread() -> Int { withLock { $0.beginOnThisThread() } }

    /// Leaves the records from before a fork to the parent.
    package func noticeFork() {
        if pointee.generation != clinux_forks() { withLock { $0.beginInNewProcess() } }
    }

    /// Makes this the ring of the calling thread, or ends that.
    package static func setHere(_ ring: RecordRingPointer?) {
        let old = clinux_recording_here().pointee
        clinux_recording_here().pointee = UnsafeMutableRawPointer(ring)
        clinux_count_recordings((ring == nil ? 0 : 1) - (old == nil ? 0 : 1))
    }

    /// Adds a record, with the present time.
    ///
    /// - Parameters:
    ///   - name: A name for the record; it is copied unless it is known.
    ///   - file: The file named in the record.
    ///   - foreignName: The name of the parent, if that has no record of its own.
    package func add(
        _ record: consuming Record, name: UnsafePointer<CChar>? = nil, file: UnsafePointer<CChar>? = nil,
        foreignName: UnsafePointer<CChar>? = nil
    ) {
        noticeFork()
        var record = record
        record.time = monotonicNanoseconds()
        withLock { ring in
            if name != nil { record.name = ring.names.number(of: name) }
            if file != nil { record.file = ring.names.number(of: file) }
            if foreignName != nil { record.detail = Int32(bitPattern: ring.names.number(of: foreignName)) }
            ring.append(record)
        }
    }

    /// Adds text of the program, in as many records as it needs.
    package func add(_ what: Record.What, text: UnsafeRawBufferPointer, detail: Int32 = 0) {
        noticeFork()
        var rest = text[...]
        var record = Record(what)
        record.time = monotonicNanoseconds()
        record.detail = detail
        repeat {
            let part = rest.prefix(Record.textRoom)
            record.textLength = UInt8(part.count)
            record.withText { $0.copyBytes(from: part) }
            withLock { $0.append(record) }
            rest = rest.dropFirst(part.count)
        } while !rest.isEmpty
    }

    package func withLock<Result>(_ body: (inout RecordRing) -> Result) -> Result {
        let lock = pointee.lock
        pthread_mutex_lock(&lock.pointee.mutex)
        defer { pthread_mutex_unlock(&lock.pointee.mutex) }
        return body(&pointee)
    }
}

package func monotonicNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
