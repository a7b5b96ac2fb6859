import CLinux
import Glibc

/// A value that threads share, and use one at a time.
///
/// It is what Swift's `Mutex` is, with the C library's lock: the thread sanitizer knows that one, while it does not see
/// how Swift's wakes a thread that has waited, and then reports a race where there is none. And `fork` waits until the
/// lock is free, so that a child never finds it held by a thread that stayed behind. Hence whatever runs under the lock
/// is short, takes no other one, and calls no foreign code: no handler, no deinit, no hook.
package final class Locked<Value>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<clinux_lock>.allocate(capacity: 1)
    private var value: Value

    /// Makes one whose value must have a size.
    ///
    /// Swift puts a value without one at the address of the object itself. Every thread reads the object's type there,
    /// before it has the lock, and the thread sanitizer takes that for a use of the value.
    package init(_ value: consuming Value) {
        assert(MemoryLayout<Value>.size > 0, "give a value with a size, such as false, to what only locks")
        self.value = value
        clinux_lock_begin(lock)
    }

    deinit {
        clinux_lock_end(lock)
        lock.deallocate()
    }

    /// Runs a body while no other thread uses the value.
    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(&lock.pointee.mutex)
        defer { pthread_mutex_unlock(&lock.pointee.mutex) }
        return try body(&value)
    }
}
