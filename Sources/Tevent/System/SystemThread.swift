import CLinux
import Glibc
import Synchronization
import Talloc

/// A thread of the operating system, for a loop of its own.
///
/// Swift's tasks run on threads that must never wait; an event loop waits for a living, so it needs a thread that nobody
/// else counts on.
///
/// The corresponding C functions are `pthread_create()` and `pthread_join()`.
public final class SystemThread<Success: Sendable>: Sendable {
    private let outcome: Outcome
    private let joining: Joining

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: What debuggers and `top` call it; the system keeps the first 15 bytes.
    ///   - body: What the thread does. It owns what it has captured: the caller cannot use that any more, unless it is
    ///     `Sendable`.
    /// - Throws: ``TeventError/systemCall(name:code:)`` when the system has no room for another thread.
    public init(named name: String, _ body: consuming sending @escaping () throws -> Success) throws(TeventError) {
        let outcome = Outcome()
        // Nothing of the function stays here: what it has captured is the new thread's to let go.
        let start = Unmanaged.passRetained(Start(name: name, body: consume body, outcome: outcome))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, runThread, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw .systemCall(name: "pthread_create", code: code)
        }
        self.outcome = outcome
        joining = Joining(thread)
    }

    /// Waits until the thread has ended; it may be called again, and by several threads.
    ///
    /// In the thread itself it is a trap.
    ///
    /// - Returns: What the thread's function returned.
    /// - Throws: What it threw.
    @discardableResult
    public func join() throws -> Success {
        // The system may give the number of a thread that has ended to another one.
        if !outcome.isThere.load(ordering: .acquiring), pthread_equal(joining.number, pthread_self()) != 0 {
            abort("a thread tried to join itself, and would wait for ever; join it from another one")
        }
        joining.join()
        return try outcome.result.unsafelyUnwrapped.get()
    }

    /// Written by the thread, and read when it has ended.
    private final class Outcome: @unchecked Sendable {
        var result: Result<Success, any Error>?
        let isThere = Atomic(false)
    }

    /// What the new thread gets.
    private final class Start: ThreadStart {
        private let name: String
        private let body: () throws -> Success
        private let outcome: Outcome

        init(name: String, body: @escaping () throws -> Success, outcome: Outcome) {
            self.name = name
            self.body = body
            self.outcome = outcome
        }

        override func run() {
            // Bytes, not a string: half a letter at the end would be replaced by something longer.
            let name = name.utf8.prefix(15).map { CChar(bitPattern: $0) } + [0]
            pthread_setname_np(pthread_self(), name)
            outcome.result = Result { try body() }
            outcome.isThere.store(true, ordering: .releasing)
        }
    }
}

/// Waits for a thread, once for all who want to.
private final class Joining: @unchecked Sendable {
    let number: pthread_t
    private let isJoined = Locked(false)

    init(_ number: pthread_t) { self.number = number }

    deinit {
        // Nobody will ask what became of it, so the system need not remember.
        if !isJoined.withLock({ $0 }) { pthread_detach(number) }
    }

    func join() {
        isJoined.withLock { isJoined in
            if !isJoined { pthread_join(number, nil) }
            isJoined = true
        }
    }
}

private class ThreadStart {
    func run() {}
}

private func runThread(_ start: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    Unmanaged<ThreadStart>.fromOpaque(start!).takeRetainedValue().run()
    return nil
}

/// The processors that this process may use.
public enum Processors {
    /// How many there are; one thread for each keeps them all busy.
    ///
    /// The corresponding C function is `sched_getaffinity()`.
    public static var available: Int {
        var set = cpu_set_t()
        guard sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) == 0 else { return 1 }
        return withUnsafeBytes(of: set) { $0.reduce(0) { $0 + $1.nonzeroBitCount } }
    }
}
