import CLinux
import Glibc
import Synchronization
import Talloc

/// A thread of the operating system, for a loop of its own.
///
/// Swift's tasks run on threads that must never block. An event loop spends most of its time blocked, so it needs a
/// thread that no other code relies on.
///
/// ```swift
/// let thread = try SystemThread(named: "loop") {
///     let events = try EventContext()
///     defer { events.free() }
///     try events.addTimer(after: .milliseconds(1)) { _, _ in print("on a thread of its own") }
///     return try events.loopWait()
/// }
/// print(try thread.join())
/// ```
///
/// The corresponding C functions are `pthread_create()` and `pthread_join()`.
public final class SystemThread<Success: Sendable>: Sendable {
    private let outcome: Outcome
    private let joining: Joining

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: The thread's name in debuggers and `top`; the system keeps the first 15 bytes.
    ///   - body: What the thread does. The thread owns everything that it captures: the caller can no longer use that,
    ///     unless it is `Sendable`.
    /// - Throws: ``TeventError/systemCall(name:code:)`` if the system has no room for another thread.
    public init(named name: String, _ body: consuming sending @escaping () throws -> Success) throws(TeventError) {
        let outcome = Outcome()
        // Keep nothing of the function here: the new thread releases what it has captured.
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

    /// Whether this is the thread that asks.
    public var isCurrent: Bool { !outcome.isThere.load(ordering: .acquiring) && joining.isOwnThread }

    /// Waits until the thread has ended; may be called again, and by several threads.
    ///
    /// Traps if called by the thread itself. Traps in the child of a fork as well, where the thread does not exist,
    /// unless the thread had ended before the fork.
    ///
    /// - Returns: What the thread's function returned.
    /// - Throws: The error that the thread's function threw.
    @discardableResult
    public func join() throws -> Success {
        if !outcome.isThere.load(ordering: .acquiring) {
            // Ask only now: the system may reuse the number of an ended thread for another one.
            if joining.isOwnThread {
                abort("a thread tried to join itself, and would wait forever; join it from another one")
            }
            if joining.isOfParent {
                abort("a thread was joined in the child of a fork, where it does not exist; join it in the parent")
            }
        }
        joining.join()
        return try outcome.result.unsafelyUnwrapped.get()
    }

    /// Written by the thread, and read after it has ended.
    private final class Outcome: @unchecked Sendable {
        var result: Result<Success, any Error>?
        let isThere = Atomic(false)
    }

    /// What the new thread receives.
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
            // Bytes, not a string: an incomplete character at the end would be replaced by a longer one.
            let name = name.utf8.prefix(15).map { CChar(bitPattern: $0) } + [0]
            pthread_setname_np(pthread_self(), name)
            outcome.result = Result { try body() }
            outcome.isThere.store(true, ordering: .releasing)
        }
    }
}

extension SystemThread: CustomReflectable {
    /// Empty: the content belongs to the thread until it has been joined.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Joins a thread once, for all threads that wait for it.
private final class Joining: @unchecked Sendable {
    private enum State {
        case possible
        case underWay
        case done
    }

    private let number: pthread_t
    /// The process that the thread belongs to.
    private let process = clinux_forks()
    /// Guards the state; not held while a thread waits for the other one to end, which may take hours.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let isDone = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state = State.possible

    init(_ number: pthread_t) {
        self.number = number
        pthread_mutex_init(lock, nil)
        pthread_cond_init(isDone, nil)
    }

    deinit {
        // In the child of a fork, what a nonexistent thread waits with cannot be destroyed.
        guard !isOfParent else { return }
        // No code will ask for the result, so the system need not keep it.
        if state == .possible { pthread_detach(number) }
        pthread_cond_destroy(isDone)
        pthread_mutex_destroy(lock)
        isDone.deallocate()
        lock.deallocate()
    }

    var isOwnThread: Bool { !isOfParent && pthread_equal(number, pthread_self()) != 0 }

    /// Whether the thread belongs to the process from which this one was forked.
    var isOfParent: Bool { process != clinux_forks() }

    func join() {
        // A thread of the parent ended before the fork, or this would not be called.
        guard !isOfParent else { return }
        pthread_mutex_lock(lock)
        while state == .underWay { pthread_cond_wait(isDone, lock) }
        if state == .possible {
            state = .underWay
            pthread_mutex_unlock(lock)
            pthread_join(number, nil)
            pthread_mutex_lock(lock)
            state = .done
            pthread_cond_broadcast(isDone)
        }
        pthread_mutex_unlock(lock)
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
    /// How many processors there are; one thread for each keeps them all busy.
    ///
    /// The corresponding C function is `sched_getaffinity()`.
    public static var available: Int {
        var set = cpu_set_t()
        guard sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) == 0 else { return 1 }
        return withUnsafeBytes(of: set) { $0.reduce(0) { $0 + $1.nonzeroBitCount } }
    }
}
