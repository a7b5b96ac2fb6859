import Glibc

/// Waits with poll, which works everywhere and for every kind of descriptor, but checks every one of them each time.
///
/// Each scan begins after the descriptor reported last, so a full batch starves no descriptor.
final class PollBackend: Backend {
    static let name = "poll"

    private var watched: [pollfd] = []
    private var generations: [UInt32] = []
    /// The position of each descriptor in `watched`.
    private var places: [Int32: Int] = [:]
    private var scanStart = 0

    init() throws(TeventError) {}

    func reopen() {
        watched.removeAll()
        generations.removeAll()
        places.removeAll()
    }

    func change(
        _ descriptor: Int32, from old: DescriptorFlags, to new: DescriptorFlags, generation: UInt32
    ) -> BackendChange {
        guard !new.isEmpty else {
            remove(descriptor)
            return .done
        }
        let entry = pollfd(fd: descriptor, events: Self.pollEvents(new), revents: 0)
        if let place = places[descriptor] {
            watched[place] = entry
            generations[place] = generation
        } else {
            places[descriptor] = watched.count
            watched.append(entry)
            generations.append(generation)
        }
        return .done
    }

    private func remove(_ descriptor: Int32) {
        guard let place = places.removeValue(forKey: descriptor) else { return }
        watched.swapAt(place, watched.count - 1)
        generations.swapAt(place, generations.count - 1)
        watched.removeLast()
        generations.removeLast()
        if place < watched.count { places[watched[place].fd] = place }
    }

    func wait(nanoseconds: Int64?, _ ready: inout ReadyBatch) throws(TeventError) -> Bool {
        var left = poll(&watched, nfds_t(watched.count), systemTimeout(nanoseconds))
        if left < 0 {
            guard errno == EINTR else { throw .failed("poll") }
            return false
        }
        var place = scanStart
        var room = ready.room
        while left > 0, room > 0 {
            if place >= watched.count { place = 0 }
            if watched[place].revents != 0 {
                ready.append(watched[place].fd, Self.flags(watched[place].revents), generation: generations[place])
                left -= 1
                room -= 1
            }
            place += 1
        }
        scanStart = place
        return true
    }

    /// What a descriptor is ready for at this moment, among the wanted flags.
    ///
    /// Used for a single descriptor whose entry in the batch may be out of date.
    static func readiness(of descriptor: Int32, _ wanted: DescriptorFlags) -> DescriptorFlags {
        guard !wanted.isEmpty else { return [] }
        var entry = pollfd(fd: descriptor, events: pollEvents(wanted), revents: 0)
        while poll(&entry, 1, 0) < 0 { if errno != EINTR { return wanted } }
        return flags(entry.revents)
    }

    private static func pollEvents(_ flags: DescriptorFlags) -> Int16 {
        var events = 0
        if flags.contains(.read) { events |= Int(POLLIN) }
        if flags.contains(.write) { events |= Int(POLLOUT) }
        if flags.contains(.error) { events |= pollReadHangUp }
        return Int16(events)
    }

    private static func flags(_ events: Int16) -> DescriptorFlags {
        let events = Int(events)
        if events & Int(POLLNVAL) != 0 { return .notOpen }
        if events & Int(POLLERR | POLLHUP) != 0 { return .everything }
        var flags: DescriptorFlags = []
        if events & Int(POLLIN) != 0 { flags.insert(.read) }
        if events & Int(POLLOUT) != 0 { flags.insert(.write) }
        if events & pollReadHangUp != 0 { flags.insert(.error) }
        return flags
    }

    /// POLLRDHUP, which the headers declare only for GNU extensions.
    private static let pollReadHangUp = 0x2000
}
