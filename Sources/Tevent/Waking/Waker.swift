import CLinux
import Glibc
import Synchronization
import Talloc

// How a loop is woken from outside: by a signal handler, or by another thread.
//
// The loop says that it sleeps before it does; whoever has something for it leaves that first, and then wakes the loop
// only if it sleeps, by a byte into an eventfd that the backend watches. A loop that is awake costs no system call.
//
//     loop: sleeping = true ─▶ anything left for me? ─▶ wait        sender: leave it ─▶ sleeping? ─▶ write
//
// Both orders are sequentially consistent, so one of the two always sees the other. Wakers are never given back to the
// system, since a signal handler may look at one at any time; they are used again by other contexts.

typealias WakerPointer = UnsafeMutablePointer<Waker>

struct Waker: ~Copyable {
    let isSleeping = Atomic(false)
    let hasSignal = Atomic(false)
    /// Whether the loop's own thread has sent it a message since it last took any.
    let hasOwnMessage = Atomic(false)
    /// The signals that its context has events for: bit 0 is signal 1.
    let signals = Atomic<UInt64>(0)
    /// How many signal handlers and other threads may be about to write to its eventfd.
    let visitors = Atomic(0)
    /// The channel of its context, for the child of a fork; 0 if there is none.
    let channel = Atomic<UInt>(0)
    let eventFD = Atomic<Int32>(-1)
    /// Set before the waker is published, and never changed.
    fileprivate let next: WakerPointer?

    fileprivate init(next: WakerPointer?) { self.next = next }
}

extension WakerPointer {
    /// The address of the first of all wakers; 0 before there is one.
    private static let all = Atomic<UInt>(0)
    private static let lock = Locked(false)

    static var first: WakerPointer? { WakerPointer(bitPattern: all.load(ordering: .acquiring)) }
    var next: WakerPointer? { pointee.next }

    /// Takes a waker that is not in use, or makes one, and opens its eventfd.
    static func open() throws(TeventError) -> WakerPointer {
        let descriptor = try openEventFD()
        return lock.withLock { _ in
            var waker = first
            while let candidate = waker, candidate.pointee.eventFD.load(ordering: .relaxed) >= 0 {
                waker = candidate.next
            }
            let taken = waker ?? makeWaker()
            taken.pointee.eventFD.store(descriptor, ordering: .releasing)
            return taken
        }
    }

    private static func openEventFD() throws(TeventError) -> Int32 {
        try StandardDescriptors.avoid("eventfd", eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)))
    }

    private static func makeWaker() -> WakerPointer {
        let waker = WakerPointer.allocate(capacity: 1)
        waker.initialize(to: Waker(next: first))
        all.store(UInt(bitPattern: waker), ordering: .releasing)
        return waker
    }

    /// Closes the eventfd, through which no thread wakes the loop any more.
    func close() {
        pointee.signals.store(0, ordering: .sequentiallyConsistent)
        pointee.isSleeping.store(false, ordering: .sequentiallyConsistent)
        // What another thread does with it is short, and ends.
        while pointee.visitors.load(ordering: .sequentiallyConsistent) > 0 { sched_yield() }
        let descriptor = pointee.eventFD.load(ordering: .relaxed)
        pointee.hasSignal.store(false, ordering: .relaxed)
        Glibc.close(descriptor)
        pointee.eventFD.store(-1, ordering: .releasing)
    }

    /// Replaces the eventfd, which after `fork` both processes share.
    func reopen() throws(TeventError) {
        let descriptor = try Self.openEventFD()
        Glibc.close(pointee.eventFD.exchange(descriptor, ordering: .sequentiallyConsistent))
    }

    /// In the child of a fork: lets each loop look around at the beginning of its next turn, where it notices the fork, and
    /// sets messages aside.
    ///
    /// Threads that were about to write have stayed behind, and will not take themselves off.
    static func noteFork() {
        var waker = first
        while let found = waker {
            found.pointee.visitors.store(0, ordering: .relaxed)
            found.pointee.isSleeping.store(false, ordering: .relaxed)
            found.pointee.hasSignal.store(found.pointee.eventFD.load(ordering: .relaxed) >= 0, ordering: .relaxed)
            if let channel = UnsafeRawPointer(bitPattern: found.pointee.channel.load(ordering: .relaxed)) {
                Unmanaged<Channel>.fromOpaque(channel).takeUnretainedValue().noteFork()
            }
            waker = found.next
        }
    }

    static func setUp() {
        lock.withLock { _ in }
        _ = first
    }

    // snippet: wake
    /// Wakes the loop if it sleeps.
    ///
    /// Safe in a signal handler and on any thread, also when the waker has been closed since, or is another's by now:
    /// that loop looks about in vain, once.
    func wake() {
        // Most loops are awake, and a load is cheaper than an exchange: the cache line stays with everybody.
        guard pointee.isSleeping.load(ordering: .sequentiallyConsistent) else { return }
        pointee.visitors.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if pointee.isSleeping.exchange(false, ordering: .sequentiallyConsistent) {
            var one: UInt64 = 1
            while write(pointee.eventFD.load(ordering: .acquiring), &one, 8) < 0, errno == EINTR {}
        }
        pointee.visitors.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }
    // snippet-end: wake

    /// Empties the eventfd after it has woken the loop.
    func drain() {
        var count: UInt64 = 0
        _ = read(pointee.eventFD.load(ordering: .relaxed), &count, 8)
    }
}
