import Glibc

/// A value that threads share, and use one at a time.
///
/// It is what Swift's `Mutex` is, with the C library's lock: the thread sanitizer knows that one, while it does not see
/// how Swift's wakes a thread that has waited, and then reports a race where there is none. So this is for what threads
/// really wait for.
package final class Locked<Value>: @unchecked Sendable {
    // Before the value: one without a size would have the lock's address, and the thread sanitizer take one for the other.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value

    package init(_ value: consuming Value) {
        self.value = value
        pthread_mutex_init(lock, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    /// Runs a body while no other thread uses the value.
    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value)
    }
}
