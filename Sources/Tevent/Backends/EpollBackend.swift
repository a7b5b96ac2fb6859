import CLinux
import Glibc

/// Waits with epoll, and avoids its traps as follows.
///
/// - The kernel watches open files, not numbers: closing a number removes its registration only if no copy is open
///   elsewhere. Each registration carries a generation, so that the engine recognises one that has outlived its number.
/// - After a number was closed and opened again, epoll does not know it although the engine counts it as registered, or
///   the other way round. ENOENT turns a change into an addition, EEXIST an addition into a change.
/// - Regular files cannot be watched (EPERM); they are always ready.
/// - After `fork` both processes share one epoll; the child opens its own.
final class EpollBackend: Backend {
    static let name = "epoll"

    private var epoll: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    /// Whether the last check without waiting found anything ready.
    private var isBusy = false
    private var waits: UInt8 = 0

    init() throws(TeventError) {
        epoll = try Self.open()
        // Allocate after everything that can fail: a throwing initialiser does not run deinit.
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
            // Ignore the result: either way nothing is registered afterwards, since the number was closed or refers to
            // another file.
            epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
            return .done
        }
        let first = old.isEmpty ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        let second = old.isEmpty ? EPOLL_CTL_MOD : EPOLL_CTL_ADD
        if epoll_ctl(epoll, first, descriptor, &event) == 0 { return .done }
        if errno == ENOENT || errno == EEXIST, epoll_ctl(epoll, second, descriptor, &event) == 0 { return .done }
        switch errno {
        case EPERM: return .alwaysReady
        // The number was closed, and is now the backend's own epoll.
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

    /// How often an idle loop checks whether it has become busy: once in this many waits, a power of two.
    private static var waitsBetweenTries: UInt8 { 64 }

    /// Whether to check for ready descriptors before a wait with a limit.
    ///
    /// At the start of such a wait the kernel reads the clock, even if something is ready and it need not wait: that is
    /// a tenth of the cost of a hop back and forth over a socket pair. A busy loop avoids this; a loop that sleeps
    /// checks in vain only now and then, to find out whether it has become busy.
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
