import Foundation
import Synchronization

/// Turns Ctrl-C and similar signals into something that can end a wait.
///
/// The handler only writes to a pipe. Code that waits also waits for the pipe, kills the child it is waiting for, and
/// then calls ``yield()``, which lets the signal take its usual effect.
struct Interruption {
    /// Readable once a signal has arrived.
    let descriptor: Int32

    private static let writeEnd = Atomic<Int32>(-1)

    init() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { fatalError("no pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        Self.writeEnd.store(ends[1], ordering: .relaxed)
        descriptor = ends[0]
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(Interruption.writeEnd.load(ordering: .relaxed), &byte, 1)
            }
        }
    }

    /// Ends the process by the signal that arrived, if one has.
    func yield() {
        var news = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var number: UInt8 = 0
        guard poll(&news, 1, 0) > 0, read(descriptor, &number, 1) == 1 else { return }
        signal(Int32(number), SIG_DFL)
        raise(Int32(number))
    }
}
