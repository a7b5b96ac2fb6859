import Talloc
import Tevent

/// A task that was begun with one of the engine's functions, which therefore learn of its cancellation.
struct BegunTask {
    /// The identity of the task; 0 for a spare record.
    fileprivate(set) var task: UInt = 0
    /// Changes when the task ends, so that what another thread says about it later concerns no other task.
    fileprivate(set) var slot: HandleSlotPointer
    /// The request that it waits for, or waited for last.
    var awaited: TallocHandle?
    var isCancelled = false
    fileprivate var nextSpare: BegunTaskPointer?
}

typealias BegunTaskPointer = UnsafeMutablePointer<BegunTask>

/// The tasks begun on a loop, by their identity: a table with open addressing.
struct BegunTasks {
    private var places: [BegunTaskPointer?] = Array(repeating: nil, count: 16)
    private var count = 0
    private var spares: BegunTaskPointer?

    @inline(__always)
    private func place(of task: UInt) -> Int {
        Int(truncatingIfNeeded: ((task >> 4) &* 0x9E37_79B9_7F4A_7C15) >> 32) & (places.count - 1)
    }

    /// The record of a task; nil for a task that was begun with Swift's own means.
    @inline(__always)
    func find(_ task: UInt) -> BegunTaskPointer? {
        var index = place(of: task)
        while let found = places[index] {
            if found.pointee.task == task { return found }
            index = (index + 1) & (places.count - 1)
        }
        return nil
    }

    mutating func add(_ task: UInt) -> BegunTaskPointer {
        let record = spares ?? BegunTaskPointer.allocate(capacity: 1)
        guard let slot = HandleSlotPointer.acquire(for: record, kind: .jobs) else {
            abort("out of memory: a task could not be begun")
        }
        if spares != nil { spares = record.pointee.nextSpare }
        record.initialize(to: BegunTask(task: task, slot: slot))
        count += 1
        if 2 * count > places.count { grow() }
        insert(record)
        return record
    }

    mutating func remove(_ record: BegunTaskPointer) {
        count -= 1
        var index = place(of: record.pointee.task)
        while places[index] != record { index = (index + 1) & (places.count - 1) }
        places[index] = nil
        // Those that follow may have been displaced by it.
        index = (index + 1) & (places.count - 1)
        while let next = places[index] {
            places[index] = nil
            insert(next)
            index = (index + 1) & (places.count - 1)
        }
        record.pointee.slot.release()
        record.pointee.nextSpare = spares
        spares = record
    }

    private mutating func insert(_ record: BegunTaskPointer) {
        var index = place(of: record.pointee.task)
        while places[index] != nil { index = (index + 1) & (places.count - 1) }
        places[index] = record
    }

    @inline(never)
    private mutating func grow() {
        let old = places
        places = Array(repeating: nil, count: 2 * old.count)
        for case let record? in old { insert(record) }
    }

    /// Frees the records; all tasks have ended.
    mutating func free() {
        while let record = spares {
            spares = record.pointee.nextSpare
            record.deallocate()
        }
    }
}

/// The identity of the running task: the address of an object of Swift's runtime.
@inline(__always)
func currentTask() -> UInt { withUnsafeCurrentTask { unsafeBitCast($0, to: UInt.self) } }
