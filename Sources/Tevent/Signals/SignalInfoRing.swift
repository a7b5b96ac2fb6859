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

/// The details of the latest arrivals of one signal: written by signal handlers on any thread, read by the loops.
///
/// The memory is never freed, since a signal handler may use it at any time. Handlers never wait, and never block the
/// signal, which no other thread could undo: when all places are unread, further arrivals are only counted, and readers
/// are told how many.
struct SignalInfoRing {
    static let capacity = 256

    private struct Entry: ~Copyable {
        /// The arrival's number plus one, once `info` is there to be read.
        let ready = Atomic<UInt64>(0)
        var info = siginfo_t()
    }

    private struct Head: ~Copyable {
        /// How many places have been given out.
        let written = Atomic<UInt64>(0)
        /// How many of them all readers have read; as good as infinite while there are none.
        let read = Atomic<UInt64>(0)
        let hasReaders = Atomic(false)
        /// How many arrivals found no place.
        let uncounted = Atomic<UInt64>(0)
        /// Where the child of the last fork begins: what was written before belongs to the parent.
        var start = Position()
    }

    /// How far a reader has come.
    struct Position {
        var seen: UInt64 = 0
        /// How many arrivals without a place it knows of.
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

    /// Notes an arrival, in a signal handler.
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

    /// Where a reader begins that wants to know of all arrivals from now on.
    var now: Position {
        Position(
            seen: head.pointee.written.load(ordering: .acquiring),
            uncounted: head.pointee.uncounted.load(ordering: .acquiring))
    }

    func hasUnread(after position: Position) -> Bool {
        entry(position.seen).pointee.ready.load(ordering: .acquiring) == position.seen + 1
    }

    /// How many calls of a handler the arrivals so far are good for.
    func countCalls(after position: Position) -> Int {
        var next = position
        while next.seen < position.seen + UInt64(Self.capacity), hasUnread(after: next) { next.seen += 1 }
        let isShort = head.pointee.uncounted.load(ordering: .acquiring) != position.uncounted
        return Int(next.seen - position.seen) + (isShort ? 1 : 0)
    }

    /// Takes the details of the next arrival, or nil if there are none yet.
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

    /// Notes how far the slowest reader has come; nil without any.
    func readersHaveCome(to slowest: UInt64?) {
        head.pointee.read.store(slowest ?? head.pointee.written.load(ordering: .acquiring), ordering: .releasing)
        head.pointee.hasReaders.store(slowest != nil, ordering: .releasing)
    }

    // MARK: Forking

    /// Where the reading begins in the child of a fork, for readers that were there before.
    var start: Position { head.pointee.start }

    /// Notes in the child of a fork, which has one thread, what is the parent's.
    ///
    /// A thread that has stayed behind may have been given a place and not have filled it: it will never be read.
    func noteFork() { head.pointee.start = now }
}
