import Glibc

/// A function that runs at the end of each thread that asked for it.
package struct ThreadEnd: Sendable {
    private let key: pthread_key_t

    /// Makes the key; once in a process, since there are few.
    package init(_ run: @convention(c) (UnsafeMutableRawPointer?) -> Void) {
        var key = pthread_key_t()
        guard pthread_key_create(&key, run) == 0 else { abort("the process has used up its thread-specific keys") }
        self.key = key
    }

    /// Lets the function run at the end of the calling thread.
    package func watchThisThread() {
        // Any value but NULL makes the key's destructor run for this thread.
        pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1))
    }
}
