// swift-format-ignore-file: NoLeadingUnderscores
import CTevent
import Glibc
import Talloc
import Tevent

private typealias TimerCall = Call<tevent_timer_handler_t>

extension TimerPointer {
    fileprivate var c: UnsafeMutablePointer<TimerCall> { placeBehindRecord.assumingMemoryBound(to: TimerCall.self) }
}

/// Calls the program's handler of a timer, and then frees the timer, even if it was given another time meanwhile.
private func callTimer(_ timer: TimerEvent, now: EventInstant) {
    let te = OpaquePointer(timer.tallocHandle)
    let call = TimerPointer(te).c.pointee
    let caller = call.caller
    let context = TimerPointer(te).pointee.prefix.context
    let due = context?.pointee.timers.runningDeadline ?? 0
    let deadline = timeval(EventInstant(nanoseconds: due))
    // A timer that asks for no time gets none.
    let now = deadline.isZero ? .zero : timeval(now)
    runHandler(of: te, isOver: true) {
        caller.call(on: context) { ev in
            call.handler(ev, te, now, call.data)
        } before: { ops, wrapper in
            ops.before_timer_handler?(
                wrapper.ev, wrapper.state, wrapper.main, te, deadline, now, caller.handlerName, caller.location)
        } after: { ops, wrapper in
            ops.after_timer_handler?(
                wrapper.ev, wrapper.state, wrapper.main, te, deadline, now, caller.handlerName, caller.location)
        }
    }
}

@c @implementation
package func _tevent_add_timer(
    _ ev: OpaquePointer?, _ mem_ctx: UnsafeMutableRawPointer?, _ deadline: timeval,
    _ handler: tevent_timer_handler_t?, _ private_data: UnsafeMutableRawPointer?,
    _ handler_name: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    throughWrapper(ev) { ev, ops in
        ops.add_timer(ev, mem_ctx, deadline, handler, private_data, handler_name, location)
    } ?? nil
}

@c @implementation
package func tevent_common_add_timer_v2(
    _ ev: OpaquePointer?, _ mem_ctx: UnsafeMutableRawPointer?, _ deadline: timeval,
    _ handler: tevent_timer_handler_t?, _ private_data: UnsafeMutableRawPointer?,
    _ handler_name: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    let context = context(ev)
    let call = TimerCall(
        handler: handler ?? missingHandler, data: private_data, caller: Caller(context, handler_name, location))
    let timer = object { () throws(TeventError) in
        try context.addTimer(
            at: EventInstant(deadline), under: mem_ctx ?? context.chunk, file: place(location), line: 0,
            behind: MemoryLayout<TimerCall>.size, callTimer
        ).tallocHandle
    }
    if let timer { TimerPointer(timer).c.initialize(to: call) }
    setDestructor(of: timer)
    context.hasAdded(timer, handler_name)
    return timer
}

/// The handler of a timer that was added without one.
///
/// As in C, the mistake shows only when the timer is due.
private let missingHandler: tevent_timer_handler_t = { _, te, _, _ in
    abort("the timer added at \((record(te, .timer) as TimerPointer).pointee.prefix.origin) has no handler")
}

@c @implementation
package func tevent_common_add_timer(
    _ ev: OpaquePointer?, _ mem_ctx: UnsafeMutableRawPointer?, _ deadline: timeval,
    _ handler: tevent_timer_handler_t?, _ private_data: UnsafeMutableRawPointer?,
    _ handler_name: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    tevent_common_add_timer_v2(ev, mem_ctx, deadline, handler, private_data, handler_name, location)
}

@c @implementation
package func tevent_update_timer(_ te: OpaquePointer?, _ deadline: timeval) {
    let timer: TimerPointer = record(te, .timer)
    guard let context = timer.pointee.prefix.context else { return }
    let ev = OpaquePointer(context)
    tevent_trace_timer_callback(ev, te, TEVENT_EVENT_TRACE_DETACH)
    TimerEvent(timer).update(at: EventInstant(deadline))
    tevent_trace_timer_callback(ev, te, TEVENT_EVENT_TRACE_ATTACH)
    context.wakeIfShared()
}

@c @implementation
package func tevent_timer_set_tag(_ te: OpaquePointer?, _ tag: UInt64) {
    guard te != nil else { return }
    (record(te, .timer) as TimerPointer).tag(tag)
}

@c @implementation
package func tevent_timer_get_tag(_ te: OpaquePointer?) -> UInt64 {
    te == nil ? 0 : (record(te, .timer) as TimerPointer).pointee.prefix.tag
}

@c @implementation
package func tevent_common_invoke_timer_handler(
    _ te: OpaquePointer?, _ now: timeval, _ removed: UnsafeMutablePointer<Bool>?
) -> CInt {
    let timer: TimerPointer = record(te, .timer)
    timer.run(now: EventInstant(now))
    removed?.pointee = true
    return 0
}

@c @implementation
package func tevent_common_loop_timer_delay(_ ev: OpaquePointer?) -> timeval {
    let context = context(ev)
    // Zero would mean that a timer has run, so this value means that a loop never sleeps.
    let (seconds, never) = (context.pointee.idleSeconds, timeval(tv_sec: 0, tv_usec: suseconds_t(Int32.max)))
    guard let deadline = context.pointee.timers.firstDeadline else {
        return seconds == 0 ? never : timeval(tv_sec: Int(seconds), tv_usec: 0)
    }
    guard !context.runTimer() else { return .zero }
    guard seconds != 0 else { return never }
    return timeval.current.duration(to: timeval(EventInstant(nanoseconds: deadline)))
}
