import Glibc
import Talloc

/// What the engine needs of the system's way to wait for descriptors: the contract of a backend.
///
/// - A backend is told what to watch by `change` and never asks the engine anything.
/// - `wait` adds what is ready to a batch; what does not fit stays ready and comes with the next wait.
/// - All backends report alike: an error or a closed other side makes a descriptor ready for everything.
/// - Descriptors are level-triggered: they are reported as long as they are ready.
package protocol Backend: AnyObject {
    /// What users choose it by.
    static var name: String { get }

    init() throws(TeventError)

    /// Watches a descriptor for `new` instead of `old`; both may be empty.
    ///
    /// `generation` tells registrations of one number apart, and comes back with what is ready.
    func change(
        _ descriptor: Int32, from old: FDEvent.Flags, to new: FDEvent.Flags, generation: UInt32
    ) -> BackendChange

    /// Waits at most `nanoseconds`, or without a limit if nil, and adds what is ready to the batch, as far as there is room.
    ///
    /// - Returns: False when a signal interrupted it.
    func wait(nanoseconds: Int64?, _ ready: inout ReadyBatch) throws(TeventError) -> Bool

    /// Begins anew with nothing watched, without touching what another process shares with this one.
    func reopen() throws(TeventError)
}

/// The backend of a context, used where it lies: a reference that is not copied is not counted, either.
struct OwnedBackend: ~Copyable {
    private let backend: any Backend

    init(_ backend: any Backend) { self.backend = backend }

    var name: String { type(of: backend).name }

    borrowing func change(
        _ descriptor: Int32, from old: FDEvent.Flags, to new: FDEvent.Flags, generation: UInt32
    ) -> BackendChange { backend.change(descriptor, from: old, to: new, generation: generation) }

    borrowing func wait(nanoseconds: Int64?, _ ready: inout ReadyBatch) throws(TeventError) -> Bool {
        try backend.wait(nanoseconds: nanoseconds, &ready)
    }

    borrowing func reopen() throws(TeventError) { try backend.reopen() }
}

extension ContextPointer {
    /// Puts another backend in place of the one that has been used so far, which watches nothing yet.
    package func replaceBackend(with backend: any Backend) { pointee.backend = OwnedBackend(backend) }
}

/// What became of a change.
package enum BackendChange: Equatable {
    case done
    /// The system cannot wait for this kind of descriptor; it never blocks.
    case alwaysReady
    /// The number is not open.
    case badDescriptor
    /// The system call failed with this `errno`.
    case failed(String, Int32)
}

extension EventContext {
    private static var known: [any Backend.Type] { [EpollBackend.self, PollBackend.self] }

    /// The names of the backends, the default first.
    ///
    /// The corresponding C function is `tevent_backend_list()`.
    public static var backends: [String] { known.map { $0.name } }

    /// The backend used when none is named: the fastest this system has.
    public static var defaultBackend: String { known[0].name }

    package static func makeBackend(_ name: String) throws(TeventError) -> any Backend {
        for type in known where type.name == name { return try type.init() }
        throw .unknownBackend(name: name)
    }
}

/// What a backend found ready, kept until the loop has run the handlers: one entry for each descriptor.
package struct ReadyBatch {
    struct Entry {
        var descriptor: Int32
        var generation: UInt32
        var ready: FDEvent.Flags
    }

    static let name: StaticString = "struct tevent_fd batch"
    static let capacity = 256
    static let usualLimit = capacity / 2
    static let chunkSize = capacity * MemoryLayout<Entry>.stride

    /// How many a backend may add in one wait.
    ///
    /// More save system calls. But the handler of one may read what another was ready for, and then the other's is called in
    /// vain: programs in C, whose descriptors may block, rely on being asked one by one.
    var limit = usualLimit

    private let entries: UnsafeMutablePointer<Entry>
    private var head = 0
    private var end = 0

    init(memory: UnsafeMutableRawPointer) {
        entries = memory.bindMemory(to: Entry.self, capacity: Self.capacity)
    }

    var memory: UnsafeMutableRawPointer { UnsafeMutableRawPointer(entries) }
    var isEmpty: Bool { head == end }
    var isFull: Bool { end == Self.capacity }
    /// How many more a backend may add now.
    var room: Int { min(limit, Self.capacity - end) }

    /// Adds an entry, for which there must be room.
    mutating func append(_ descriptor: Int32, _ ready: FDEvent.Flags, generation: UInt32) {
        assert(!isFull)
        entries[end] = Entry(descriptor: descriptor, generation: generation, ready: ready)
        end += 1
    }

    var first: Entry? { isEmpty ? nil : entries[head] }

    /// Takes the first entry out, or leaves it there with what remains to be served.
    mutating func replaceFirst(remaining: FDEvent.Flags) {
        if remaining.isEmpty { removeFirst() } else { entries[head].ready = remaining }
    }

    mutating func removeFirst() {
        head += 1
        if head == end { removeAll() }
    }

    mutating func removeAll() {
        head = 0
        end = 0
    }
}

extension FDEvent.Flags {
    /// Errors and hang-ups: whoever waits for anything shall find out.
    static let everything: FDEvent.Flags = [.read, .write, .error]
    /// The descriptor is not open; handlers never see it.
    static let notOpen = FDEvent.Flags(rawValue: 0x80)
}

/// A waiting time as the system's calls want it: milliseconds, rounded up so that no timer is early, -1 for ever.
func systemTimeout(_ nanoseconds: Int64?) -> Int32 {
    guard let nanoseconds else { return -1 }
    return Int32(clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0))
}
