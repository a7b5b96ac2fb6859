import CLinux
import Glibc

/// A value that threads share and use one at a time.
///
/// It works like Swift's `Mutex`, but with the C library's lock, which the thread sanitizer understands. The sanitizer
/// does not see how Swift's lock wakes a waiting thread, and reports races that do not exist. In addition, `fork` waits
/// until the lock is free, so that a child never finds it held by a thread of its parent. Code that runs under the lock
/// must therefore be short, take no other lock, and call no foreign code: no handler, no deinit, no hook.
package final class Locked<Value>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<clinux_lock>.allocate(capacity: 1)
    private var value: Value

    /// Creates one; the value must not have size zero.
    ///
    /// Swift places a zero-sized value at the address of the object itself. Every thread reads the object's type there
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

    /// Runs `body` while no other thread uses the value.
    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(&lock.pointee.mutex)
        defer { pthread_mutex_unlock(&lock.pointee.mutex) }
        return try body(&value)
    }
}
