import CTevent
import Glibc

// Events whose handlers are closures.

typealias TimerBody = (_ ev: OpaquePointer?, _ te: OpaquePointer?, _ now: timeval) -> Void
typealias ImmediateBody = (_ ev: OpaquePointer?, _ im: OpaquePointer?) -> Void
typealias FDBody = (_ ev: OpaquePointer?, _ fde: OpaquePointer?, _ flags: UInt16) -> Void
typealias SignalBody = (_ ev: OpaquePointer?, _ se: OpaquePointer?, _ arrival: CSignalArrival) -> Void

/// What a signal handler receives besides its event.
struct CSignalArrival {
    let number: CInt
    let count: CInt
    let info: UnsafeMutablePointer<siginfo_t>?
}

extension CAPITestCase {
    /// Adds a timer, below its context if no parent is given; its time is zero if none is given.
    @discardableResult
    func timer(
        _ ev: OpaquePointer?, under parent: UnsafeMutableRawPointer? = nil, at time: timeval = timeval(),
        _ body: @escaping TimerBody
    ) -> OpaquePointer? {
        _tevent_add_timer(
            ev, parent ?? chunk(ev), time,
            { ev, te, now, data in kept(data, as: TimerBody.self)(ev, te, now) }, keep(body), c("on_time"), here)
    }

    func immediate(under parent: UnsafeMutableRawPointer? = nil) -> OpaquePointer? {
        _tevent_create_immediate(parent ?? memory, here)
    }

    func schedule(_ im: OpaquePointer?, on ev: OpaquePointer?, _ body: @escaping ImmediateBody) {
        _tevent_schedule_immediate(
            im, ev, { ev, im, data in kept(data, as: ImmediateBody.self)(ev, im) }, keep(body), c("at_once"), here)
    }

    @discardableResult
    func descriptor(
        _ ev: OpaquePointer?, _ number: Int32, _ flags: UInt16 = 1, under parent: UnsafeMutableRawPointer? = nil,
        _ body: @escaping FDBody
    ) -> OpaquePointer? {
        _tevent_add_fd(
            ev, parent ?? chunk(ev), number, flags,
            { ev, fde, flags, data in kept(data, as: FDBody.self)(ev, fde, flags) }, keep(body), c("on_ready"), here)
    }

    @discardableResult
    func signal(
        _ ev: OpaquePointer?, _ number: Int32, _ saFlags: CInt = 0, under parent: UnsafeMutableRawPointer? = nil,
        _ body: @escaping SignalBody
    ) -> OpaquePointer? {
        _tevent_add_signal(
            ev, parent ?? chunk(ev), number, saFlags,
            { ev, se, number, count, info, data in
                let info = info?.assumingMemoryBound(to: siginfo_t.self)
                kept(data, as: SignalBody.self)(ev, se, CSignalArrival(number: number, count: count, info: info))
            }, keep(body), c("on_signal"), here)
    }
}

/// The flags of descriptors, which C programs know as TEVENT_FD_READ and so on.
enum Flag {
    static let read: UInt16 = 1
    static let write: UInt16 = 2
}
