// swift-format-ignore-file: NoLeadingUnderscores
import CTevent
import Glibc
import Talloc
import Tevent
import TeventRecording

/// Runs one turn of a loop, as the engine's own backends do.
///
/// C's loop returns whenever it has waited, even if no handler ran: a signal that the program handles itself may have
/// interrupted it, and the program wants to check for that.
func loopOnce(_ context: ContextPointer) -> CInt {
    let handle = context.handleHere
    var limit: EventInstant?
    do throws(TeventError) {
        try context.noticeFork()
        // All signals that have arrived make one turn together.
        guard !context.runArrivedSignals() else { return 0 }
        var result = try context.turn(waitUntil: &limit)
        // Handle right away what the wait was for.
        if case .again = result {
            guard !handle.isStale, !context.runArrivedSignals() else { return 0 }
            if context.isTimerDue { result = try context.turn(waitUntil: &limit) }
        }
        guard case .timedOut = result else { return 0 }
        errno = EAGAIN
        return -1
    } catch {
        // The event has left the loop, and the loop goes on, as in C.
        if case .badDescriptor = error { return 0 }
        errno = error.code
        return -1
    }
}

extension ContextPointer {
    fileprivate var isTimerDue: Bool {
        guard let deadline = pointee.timers.firstDeadline else { return false }
        return deadline <= now.nanoseconds
    }
}

/// The context whose loop to run; a wrapper has none.
@inline(__always)
private func loopContext(_ ev: OpaquePointer?, _ call: StaticString) -> ContextPointer? {
    guard let ev, ev.slot.isOf(.contextWrapper) else { return context(ev, call) }
    tevent_abort(ev, "a loop was run with a wrapper, which has none")
    errno = ENOSYS
    return nil
}

/// Runs a loop under the rules for nesting, and calls the program's hook.
private func nested(
    _ ev: OpaquePointer?, _ location: UnsafePointer<CChar>?, call: StaticString = #function,
    _ body: (ContextPointer) -> CInt
) -> CInt {
    guard let context = loopContext(ev, call) else { return -1 }
    let handle = context.handleHere
    let level = context.pointee.nesting.level + 1
    guard level == 1 || context.pointee.nesting.isAllowed else {
        let place = location.map { String(cString: $0) } ?? "?"
        tevent_abort(ev, "a loop was run inside a handler of its own context, at \(place)")
        errno = ELOOP
        return -1
    }
    context.pointee.nesting.level = level
    defer { if !handle.isStale { context.pointee.nesting.level = level - 1 } }
    // Space for the hook, which finds at the end what it stored here at the beginning.
    var onStack: UnsafeMutableRawPointer?
    func ask(begins: Bool) -> CInt {
        guard !handle.isStale, let hook = context.extras.pointee.nestingHook else { return 0 }
        return hook.function(ev, hook.data, UInt32(level), begins, &onStack, location)
    }
    let refusal = ask(begins: true)
    guard refusal == 0, !handle.isStale else { return refusal }
    let result = body(context)
    let end = ask(begins: false)
    return end == 0 ? result : end
}

/// Runs one turn of a loop between two calls of the program's trace.
private func tracedOnce(_ context: ContextPointer, _ location: UnsafePointer<CChar>?) -> CInt {
    let ev = OpaquePointer(context)
    let handle = context.handleHere
    if isRecording {
        ProgramRecording.writeIfAsked()
        recordTurn(of: context, begins: true)
    }
    defer { if isRecording { recordTurn(of: context, begins: false) } }
    if let trace = context.extras.pointee.traces.loop {
        trace.function(TEVENT_TRACE_BEFORE_LOOP_ONCE, trace.data)
        guard !handle.isStale else { return 0 }
    }
    let result = context.extras.pointee.ops.pointee.loop_once(ev, location)
    guard !handle.isStale, let trace = context.extras.pointee.traces.loop else { return result }
    let code = errno
    trace.function(TEVENT_TRACE_AFTER_LOOP_ONCE, trace.data)
    errno = code
    return result
}

@c @implementation
package func _tevent_loop_once(_ ev: OpaquePointer?, _ location: UnsafePointer<CChar>?) -> CInt {
    defer { CallDepth.endTurn() }
    return nested(ev, location) { tracedOnce($0, location) }
}

@c @implementation
package func _tevent_loop_until(
    _ ev: OpaquePointer?, _ finished: tevent_finished_fn_t?, _ private_data: UnsafeMutableRawPointer?,
    _ location: UnsafePointer<CChar>?
) -> CInt {
    nested(ev, location) { context in
        let handle = context.handleHere
        while !handle.isStale, finished?(private_data) == false {
            let result = tracedOnce(context, location)
            guard result == 0 else { return result }
        }
        return 0
    }
}

@c @implementation
package func _tevent_loop_wait(_ ev: OpaquePointer?, _ location: UnsafePointer<CChar>?) -> CInt {
    guard let context = loopContext(ev, #function) else { return -1 }
    return context.extras.pointee.ops.pointee.loop_wait(OpaquePointer(context), location)
}

@c @implementation
package func tevent_common_loop_wait(_ ev: OpaquePointer?, _ location: UnsafePointer<CChar>?) -> CInt {
    let context = context(ev)
    let handle = context.handleHere
    while !handle.isStale, tevent_common_have_events(ev) {
        let result = _tevent_loop_once(ev, location)
        guard result == 0 else { return result }
    }
    return 0
}

@c @implementation
package func tevent_common_have_events(_ ev: OpaquePointer?) -> Bool {
    let context = context(ev)
    guard !context.hasEventsBesideDescriptors else { return true }
    // Events that wait for nothing do not count, nor does the one that only wakes the loop.
    let wakingEvent = context.extras.pointee.wakingEvent?.object.map { FDPointer(OpaquePointer($0)) }
    let isWaking = wakingEvent.map { !$0.pointee.flags.isEmpty } ?? false
    return context.pointee.watchingFDs > (isWaking ? 1 : 0)
}

@c @implementation
package func tevent_loop_allow_nesting(_ ev: OpaquePointer?) { EventContext(context(ev)).allowNesting() }

@c @implementation
package func tevent_loop_set_nesting_hook(
    _ ev: OpaquePointer?, _ hook: tevent_nesting_hook?, _ private_data: UnsafeMutableRawPointer?
) {
    context(ev).extras.pointee.nestingHook = hook.map { ($0, private_data) }
}

// MARK: Waking

@c @implementation
package func tevent_common_wakeup_init(_ ev: OpaquePointer?) -> CInt {
    do throws(TeventError) {
        try context(ev).openWaker()
        return 0
    } catch { return error.code }
}

@c @implementation
package func tevent_common_wakeup(_ ev: OpaquePointer?) -> CInt {
    let context = context(ev)
    guard context.hasWaker else { return ENOTCONN }
    context.wake()
    return 0
}

@c @implementation
package func tevent_common_wakeup_fd(_ fd: CInt) -> CInt {
    // Works for a pipe, and for an eventfd, whose counter must not be read too early.
    var one: UInt64 = 1
    while write(fd, &one, 8) < 0 { if errno != EINTR { return errno } }
    return 0
}
