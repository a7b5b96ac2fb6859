import Glibc
import Synchronization

/// What the system tells of one arrival of a signal.
///
/// The corresponding C type is `siginfo_t`.
public struct SignalInfo: Sendable, Equatable {
    /// Why it was sent, such as `SI_USER` or `SI_QUEUE`.
    public let code: Int32
    /// The process that sent it, where that is known.
    public let sender: Int32
    /// The user that sent it, where that is known.
    public let user: UInt32
    /// The number given to `sigqueue`, or the exit status of a child for `SIGCHLD`.
    public let value: Int32

    init(_ info: siginfo_t) {
        let fields = info._sifields
        code = info.si_code
        sender = fields._kill.si_pid
        user = fields._kill.si_uid
        value = info.si_signo == SIGCHLD ? fields._sigchld.si_status : fields._rt.si_sigval.sival_int
    }
}

/// The details of the latest arrivals of one signal: written by signal handlers, read by the loops.
///
/// The memory is never freed, since a signal handler may use it at any time. When half of it is unread, the writer is
/// asked to block the signal in its thread; the other half is for threads that have not blocked it yet.
struct SignalInfoRing {
    static let capacity = 512

    private struct Entry: ~Copyable {
        /// The arrival's number plus one, once `info` is there to be read.
        let ready = Atomic<UInt64>(0)
        var info = siginfo_t()
    }

    private struct Head: ~Copyable {
        let written = Atomic<UInt64>(0)
        let read = Atomic<UInt64>(0)
        let isBlocked = Atomic(false)
        let hasReaders = Atomic(false)
        /// How far each reader has come, by its record's address.
        let readers = Mutex<[UInt: UInt64]>([:])
    }

    private let head: UnsafeMutablePointer<Head>
    private var entries: UnsafeMutablePointer<Entry> {
        (UnsafeMutableRawPointer(head) + MemoryLayout<Head>.stride).alignedUp(for: Entry.self)
            .assumingMemoryBound(to: Entry.self)
    }

    init(_ memory: UnsafeMutableRawPointer) { head = memory.assumingMemoryBound(to: Head.self) }

    static func allocate() -> UnsafeMutableRawPointer? {
        let size = MemoryLayout<Head>.stride + MemoryLayout<Entry>.stride * capacity + 16
        guard let memory = malloc(size) else { return nil }
        memory.bindMemory(to: Head.self, capacity: 1).initialize(to: Head())
        let entries = SignalInfoRing(memory).entries
        for index in 0..<capacity { (entries + index).initialize(to: Entry()) }
        return memory
    }

    /// Notes an arrival, in a signal handler; true when the signal should be blocked.
    func append(_ info: siginfo_t) -> Bool {
        guard head.pointee.hasReaders.load(ordering: .acquiring) else { return false }
        let number = head.pointee.written.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        let entry = entries + Int(number % UInt64(Self.capacity))
        entry.pointee.info = info
        entry.pointee.ready.store(number + 1, ordering: .releasing)
        // Readers that come and go meanwhile may have left this arrival behind: the difference may be negative.
        let unread = Int64(bitPattern: number &+ 1 &- head.pointee.read.load(ordering: .acquiring))
        guard unread >= Self.capacity / 2 else { return false }
        head.pointee.isBlocked.store(true, ordering: .sequentiallyConsistent)
        return true
    }

    /// Adds a reader that wants to know of all arrivals from now on; returns where it begins.
    func addReader(_ reader: UInt) -> UInt64 {
        head.pointee.readers.withLock { readers in
            if readers.isEmpty {
                head.pointee.read.store(head.pointee.written.load(ordering: .acquiring), ordering: .releasing)
            }
            let start = head.pointee.written.load(ordering: .acquiring)
            readers[reader] = start
            head.pointee.hasReaders.store(true, ordering: .releasing)
            return start
        }
    }

    func removeReader(_ reader: UInt, signal: Int32) {
        head.pointee.readers.withLock { readers in
            readers[reader] = nil
            if readers.isEmpty { head.pointee.hasReaders.store(false, ordering: .releasing) }
            update(readers)
        }
        unblockIfThereIsRoom(signal)
    }

    func countUnread(after seen: UInt64) -> Int {
        var next = seen
        while next < seen + UInt64(Self.capacity), hasUnread(after: next) { next += 1 }
        return Int(next - seen)
    }

    func hasUnread(after seen: UInt64) -> Bool {
        entries[Int(seen % UInt64(Self.capacity))].ready.load(ordering: .acquiring) == seen + 1
    }

    /// Takes the arrival after `seen`; there must be one.
    func take(after seen: UInt64, reader: UInt, signal: Int32) -> siginfo_t {
        let info = entries[Int(seen % UInt64(Self.capacity))].info
        head.pointee.readers.withLock { readers in
            readers[reader] = seen + 1
            update(readers)
        }
        unblockIfThereIsRoom(signal)
        return info
    }

    private func update(_ readers: [UInt: UInt64]) {
        let slowest = readers.values.min() ?? head.pointee.written.load(ordering: .acquiring)
        head.pointee.read.store(slowest, ordering: .releasing)
    }

    private func unblockIfThereIsRoom(_ signal: Int32) {
        // In this order: what is read meanwhile was written before.
        let read = head.pointee.read.load(ordering: .acquiring)
        let unread = head.pointee.written.load(ordering: .acquiring) - read
        guard unread < UInt64(Self.capacity / 2),
            head.pointee.isBlocked.exchange(false, ordering: .acquiringAndReleasing)
        else { return }
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, signal)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
