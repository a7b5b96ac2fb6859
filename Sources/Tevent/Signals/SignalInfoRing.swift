import Glibc
import Synchronization

/// What the system reports about one arrival of a signal.
///
/// The corresponding C type is `siginfo_t`.
public struct SignalInfo: Sendable, Equatable {
    /// Why it was sent, such as `SI_USER` or `SI_QUEUE`.
    public let code: Int32
    /// The process that sent it, if known.
    public let sender: Int32
    /// The user that sent it, if known.
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

/// The details of arrivals of one signal that not every loop has read, written by signal handlers on any thread and read
/// by the loops.
///
/// The memory is never freed, since a signal handler may use it at any time. A signal handler never waits, and never
/// blocks the signal, since no other thread could undo that. When no place is free, further arrivals are only counted,
/// and readers learn the number.
struct SignalInfoRing {
    static let capacity = 256

    private struct Entry: ~Copyable {
        /// The number of the arrival plus one, once `info` is ready to be read.
        let ready = Atomic<UInt64>(0)
        var info = siginfo_t()
    }

    private struct Head: ~Copyable {
        /// How many places have been handed out.
        let written = Atomic<UInt64>(0)
        /// How many of them all readers have read; effectively infinite while there are no readers.
        let read = Atomic<UInt64>(0)
        let hasReaders = Atomic(false)
        /// How many arrivals found no free place.
        let uncounted = Atomic<UInt64>(0)
        /// Where the child of the last fork begins; everything earlier belongs to the parent.
        var start = Position()
    }

    /// How far a reader has read.
    struct Position {
        var seen: UInt64 = 0
        /// How many arrivals without a place it has learned about.
        var uncounted: UInt64 = 0
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

    private func entry(_ number: UInt64) -> UnsafeMutablePointer<Entry> {
        entries + Int(number % UInt64(Self.capacity))
    }

    // MARK: Writing

    /// Stores an arrival; called in a signal handler.
    func append(_ info: siginfo_t) {
        guard head.pointee.hasReaders.load(ordering: .acquiring) else { return }
        var number = head.pointee.written.load(ordering: .relaxed)
        while true {
            guard number &- head.pointee.read.load(ordering: .acquiring) < UInt64(Self.capacity) else {
                head.pointee.uncounted.wrappingAdd(1, ordering: .releasing)
                return
            }
            let (isOurs, found) = head.pointee.written.weakCompareExchange(
                expected: number, desired: number + 1, ordering: .acquiringAndReleasing)
            if isOurs { break }
            number = found
        }
        entry(number).pointee.info = info
        entry(number).pointee.ready.store(number + 1, ordering: .releasing)
    }

    // MARK: Reading

    /// Where a reader begins that wants all arrivals from now on.
    var now: Position {
        Position(
            seen: head.pointee.written.load(ordering: .acquiring),
            uncounted: head.pointee.uncounted.load(ordering: .acquiring))
    }

    func hasUnread(after position: Position) -> Bool {
        entry(position.seen).pointee.ready.load(ordering: .acquiring) == position.seen + 1
    }

    /// How often a handler must be called for the arrivals so far.
    func countCalls(after position: Position) -> Int {
        var next = position
        while next.seen < position.seen + UInt64(Self.capacity), hasUnread(after: next) { next.seen += 1 }
        let isShort = head.pointee.uncounted.load(ordering: .acquiring) != position.uncounted
        return Int(next.seen - position.seen) + (isShort ? 1 : 0)
    }

    /// Takes the details of the next arrival; nil if there are none yet.
    func take(_ position: inout Position) -> siginfo_t? {
        guard hasUnread(after: position) else { return nil }
        defer { position.seen += 1 }
        return entry(position.seen).pointee.info
    }

    /// Takes the number of arrivals that found no place.
    func takeUncounted(_ position: inout Position) -> Int {
        let uncounted = head.pointee.uncounted.load(ordering: .acquiring)
        defer { position.uncounted = uncounted }
        return Int(uncounted - position.uncounted)
    }

    /// Notes how far the slowest reader has read; nil if there are no readers.
    func readersHaveCome(to slowest: UInt64?) {
        head.pointee.read.store(slowest ?? head.pointee.written.load(ordering: .acquiring), ordering: .releasing)
        head.pointee.hasReaders.store(slowest != nil, ordering: .releasing)
    }

    // MARK: Forking

    /// Where readers from before the fork continue in the child.
    var start: Position { head.pointee.start }

    /// Notes, in the child of a fork, which has one thread, that all arrivals so far are the parent's.
    ///
    /// A thread of the parent may have reserved a place without filling it; the child never reads that place.
    func noteFork() { head.pointee.start = now }
}
