import CLinux
import Glibc

/// Waits with epoll, whose traps are met as follows.
///
/// - The kernel watches open files, not numbers: closing a number forgets it only when no copy is open elsewhere.
///   Registrations carry a generation, so that the engine notices one that has become a ghost.
/// - A number that was closed and opened again is unknown to epoll, though we think it registered (and the other way
///   round): ENOENT turns a change into an addition, EEXIST the other way.
/// - Regular files cannot be watched (EPERM); they are always ready instead.
/// - After `fork` both processes share one epoll; the child opens its own.
final class EpollBackend: Backend {
    static let name = "epoll"

    private var epoll: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    /// Whether something was ready when the backend last asked without waiting.
    private var isBusy = false
    private var waits: UInt8 = 0

    init() throws(TeventError) {
        epoll = try Self.open()
        // After what can fail: a class that is not yet whole has no deinit to free it.
        events = .allocate(capacity: ReadyBatch.usualLimit)
    }

    private static func open() throws(TeventError) -> Int32 {
        try StandardDescriptors.avoid("epoll_create1", epoll_create1(Int32(EPOLL_CLOEXEC)))
    }

    deinit {
        if epoll >= 0 { close(epoll) }
        events.deallocate()
    }

    func reopen() throws(TeventError) {
        let fresh = try Self.open()
        close(epoll)
        epoll = fresh
    }

    func change(
        _ descriptor: Int32, from old: DescriptorFlags, to new: DescriptorFlags, generation: UInt32
    ) -> BackendChange {
        var event = epoll_event()
        event.events = Self.epollEvents(new)
        event.data.u64 = UInt64(UInt32(bitPattern: descriptor)) | UInt64(generation) << 32
        if new.isEmpty {
            // Whatever the answer is, nothing is registered afterwards: the number was closed, or is another file's.
            epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
            return .done
        }
        let first = old.isEmpty ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        let second = old.isEmpty ? EPOLL_CTL_MOD : EPOLL_CTL_ADD
        if epoll_ctl(epoll, first, descriptor, &event) == 0 { return .done }
        if errno == ENOENT || errno == EEXIST, epoll_ctl(epoll, second, descriptor, &event) == 0 { return .done }
        switch errno {
        case EPERM: return .alwaysReady
        // The number was closed and is this backend's own by now.
        case EBADF, EINVAL: return .badDescriptor
        case let code: return .failed("epoll_ctl", code)
        }
    }

    func wait(nanoseconds: Int64?, _ ready: inout ReadyBatch) throws(TeventError) -> Bool {
        let timeout = systemTimeout(nanoseconds)
        let room = Int32(ready.room)
        var count: Int32 = 0
        if timeout > 0, asksFirst() {
            count = epoll_wait(epoll, events, room, 0)
            isBusy = count > 0
        }
        if count == 0 { count = epoll_wait(epoll, events, room, timeout) }
        if count < 0 {
            guard errno == EINTR else { throw .failed("epoll_wait") }
            return false
        }
        for index in 0..<Int(count) {
            let data = events[index].data.u64
            ready.append(
                Int32(truncatingIfNeeded: data), Self.flags(events[index].events),
                generation: UInt32(truncatingIfNeeded: data >> 32))
        }
        return true
    }

    /// How often a loop that was not busy is asked whether it is by now; a power of two.
    private static var waitsBetweenTries: UInt8 { 64 }

    /// Whether to ask what is ready before waiting for a limited time.
    ///
    /// To begin such a wait the system reads the clock, though it need not wait at all when something is ready: a tenth of
    /// what a hop to and fro over a socket pair costs. A busy loop is spared that; one that sleeps tries in vain only now
    /// and then, to find out whether it has become busy.
    private func asksFirst() -> Bool {
        waits &+= 1
        return isBusy || waits % Self.waitsBetweenTries == 0
    }

    private static func epollEvents(_ flags: DescriptorFlags) -> UInt32 {
        var events: UInt32 = 0
        if flags.contains(.read) { events |= EPOLLIN.rawValue }
        if flags.contains(.write) { events |= EPOLLOUT.rawValue }
        if flags.contains(.error) { events |= EPOLLRDHUP.rawValue }
        return events
    }

    private static func flags(_ events: UInt32) -> DescriptorFlags {
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { return .everything }
        var flags: DescriptorFlags = []
        if events & EPOLLIN.rawValue != 0 { flags.insert(.read) }
        if events & EPOLLOUT.rawValue != 0 { flags.insert(.write) }
        if events & EPOLLRDHUP.rawValue != 0 { flags.insert(.error) }
        return flags
    }
}
