import CLinux
import Glibc
import Synchronization
import Talloc

// How a signal handler or another thread wakes a loop.
//
// The loop sets a flag before it sleeps. A thread that has something for the loop stores that first, and then wakes the
// loop only if the flag is set, by writing to an eventfd that the backend watches. A loop that is awake costs no system
// call.
//
//     loop: sleeping = true ─▶ anything left for me? ─▶ wait        sender: leave it ─▶ sleeping? ─▶ write
//
// Both orders are sequentially consistent, so at least one of the two sees the other. Wakers are never returned to the
// system, since a signal handler may use one at any time; other contexts reuse them.

typealias WakerPointer = UnsafeMutablePointer<Waker>

struct Waker: ~Copyable {
    let isSleeping = Atomic(false)
    let hasSignal = Atomic(false)
    /// Whether the loop's own thread has sent it a message since the loop last took any.
    let hasOwnMessage = Atomic(false)
    /// The signals that its context has events for: bit 0 is signal 1.
    let signals = Atomic<UInt64>(0)
    /// How many signal handlers and other threads may be about to write to its eventfd.
    let visitors = Atomic(0)
    /// The channel of its context, needed in the child of a fork; 0 if there is none.
    let channel = Atomic<UInt>(0)
    let eventFD = Atomic<Int32>(-1)
    /// Set before the waker is published, and constant from then on.
    fileprivate let next: WakerPointer?

    fileprivate init(next: WakerPointer?) { self.next = next }
}

extension WakerPointer {
    /// The address of the first of all wakers; 0 before there is one.
    private static let all = Atomic<UInt>(0)
    private static let lock = Locked(false)

    static var first: WakerPointer? { WakerPointer(bitPattern: all.load(ordering: .acquiring)) }
    var next: WakerPointer? { pointee.next }

    /// Takes an unused waker, or creates one, and opens its eventfd.
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

    /// Closes the eventfd, once no thread can use it to wake the loop.
    func close() {
        pointee.signals.store(0, ordering: .sequentiallyConsistent)
        pointee.isSleeping.store(false, ordering: .sequentiallyConsistent)
        // Another thread uses it only briefly, and never waits.
        while pointee.visitors.load(ordering: .sequentiallyConsistent) > 0 { sched_yield() }
        let descriptor = pointee.eventFD.load(ordering: .relaxed)
        pointee.hasSignal.store(false, ordering: .relaxed)
        Glibc.close(descriptor)
        pointee.eventFD.store(-1, ordering: .releasing)
    }

    /// Replaces the eventfd, which both processes share after a `fork`.
    func reopen() throws(TeventError) {
        let descriptor = try Self.openEventFD()
        Glibc.close(pointee.eventFD.exchange(descriptor, ordering: .sequentiallyConsistent))
    }

    /// In the child of a fork: makes each loop check for a fork at the beginning of its next turn, and sets messages
    /// aside.
    ///
    /// Threads that were about to write do not exist in the child, and will not deregister.
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
    /// Safe in a signal handler and on any thread, even if the waker has been closed or belongs to another loop by now;
    /// that loop then checks once in vain.
    func wake() {
        // Most loops are awake, and a load is cheaper than an exchange: all threads can keep the cache line.
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
