// swift-format-ignore-file: NoLeadingUnderscores
import CTevent
import Glibc
import Talloc
import Tevent

private typealias ImmediateCall = Call<tevent_immediate_handler_t>

extension ImmediatePointer {
    fileprivate var c: UnsafeMutablePointer<ImmediateCall> {
        placeBehindRecord.assumingMemoryBound(to: ImmediateCall.self)
    }
}

/// Calls the program's handler of an immediate that has left its loop.
private func callImmediate(_ immediate: ImmediateEvent, _ events: EventContext) {
    let im = OpaquePointer(immediate.tallocHandle)
    let call = ImmediatePointer(im).c.pointee
    runHandler(of: im, left: events.tallocHandle) {
        call.caller.callImmediate(im, on: events, call.handler, call.data)
    }
}

@c @implementation
package func _tevent_create_immediate(
    _ mem_ctx: UnsafeMutableRawPointer?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    prepareProgram()
    let immediate = object { () throws(TeventError) in
        try ImmediateEvent(under: mem_ctx, file: place(location), line: 0, behind: MemoryLayout<ImmediateCall>.size)
            .tallocHandle
    }
    setDestructor(of: immediate)
    return immediate
}

@c @implementation
package func _tevent_schedule_immediate(
    _ im: OpaquePointer?, _ ev: OpaquePointer?, _ handler: tevent_immediate_handler_t?,
    _ private_data: UnsafeMutableRawPointer?, _ handler_name: UnsafePointer<CChar>?,
    _ location: UnsafePointer<CChar>?
) {
    if im == nil { refuse(nil, .immediate, #function) }
    // Without a context or a handler, the call only cancels what was scheduled.
    guard ev != nil else { return tevent_common_immediate_cancel(im) }
    let isScheduled: Void? = throughWrapper(ev) { ev, ops in
        ops.schedule_immediate(im, ev, handler, private_data, handler_name, location)
    }
    if isScheduled == nil { tevent_abort(nil, "an immediate was scheduled on a wrapper without a context") }
}

@c @implementation
package func tevent_common_schedule_immediate(
    _ im: OpaquePointer?, _ ev: OpaquePointer?, _ handler: tevent_immediate_handler_t?,
    _ private_data: UnsafeMutableRawPointer?, _ handler_name: UnsafePointer<CChar>?,
    _ location: UnsafePointer<CChar>?
) {
    let immediate: ImmediatePointer = record(im, .immediate)
    guard let handler else { return tevent_common_immediate_cancel(im) }
    let context = context(ev)
    let events = EventContext(context)
    let call = ImmediateCall(handler: handler, data: private_data, caller: Caller(context, handler_name, location))
    if immediate.pointee.prefix.context == nil { traceLeavingIfRunning(OpaquePointer(immediate)) }
    while immediate.pointee.prefix.context != nil {
        let handle = immediate.handle
        immediate.detach()
        // A trace was notified, and may have freed either, or scheduled the immediate again.
        guard !handle.isStale, !events.isFreed else { return }
    }
    immediate.c.initialize(to: call)
    // As in C, this replaces a destructor that the program may have set.
    setDestructor(of: im)
    ImmediateEvent(immediate).schedule(on: events, callImmediate)
    context.hasAdded(im, handler_name)
}

extension Caller {
    /// Calls the handler of an immediate, whether the loop's own thread scheduled it or another.
    @inline(__always)
    func callImmediate(
        _ im: OpaquePointer?, on events: EventContext, _ handler: tevent_immediate_handler_t,
        _ data: UnsafeMutableRawPointer?
    ) {
        call(on: ContextPointer(OpaquePointer(events.tallocHandle))) { ev in
            handler(ev, im, data)
        } before: { ops, wrapper in
            ops.before_immediate_handler?(wrapper.ev, wrapper.state, wrapper.main, im, handlerName, location)
        } after: { ops, wrapper in
            ops.after_immediate_handler?(wrapper.ev, wrapper.state, wrapper.main, im, handlerName, location)
        }
    }
}

@c @implementation
package func tevent_reset_immediate(_ im: OpaquePointer?) { cancel(record(im, .immediate)) }

@c @implementation
package func tevent_common_immediate_cancel(_ im: OpaquePointer?) { cancel(record(im, .immediate)) }

private func cancel(_ immediate: ImmediatePointer) {
    // It has already left if its handler runs, but another thread may have announced that it will join.
    let hasLeft = immediate.pointee.prefix.context == nil
    immediate.detach()
    if hasLeft { traceLeavingIfRunning(OpaquePointer(immediate)) }
}

@c @implementation
package func tevent_immediate_set_tag(_ im: OpaquePointer?, _ tag: UInt64) {
    guard im != nil else { return }
    (record(im, .immediate) as ImmediatePointer).tag(tag)
}

@c @implementation
package func tevent_immediate_get_tag(_ im: OpaquePointer?) -> UInt64 {
    im == nil ? 0 : (record(im, .immediate) as ImmediatePointer).pointee.prefix.tag
}

@c @implementation
package func tevent_common_loop_immediate(_ ev: OpaquePointer?) -> Bool {
    let context = context(ev)
    _ = context.receiveMessages()
    return context.runImmediate()
}

@c @implementation
package func tevent_common_invoke_immediate_handler(
    _ im: OpaquePointer?, _ removed: UnsafeMutablePointer<Bool>?
) -> CInt {
    let immediate: ImmediatePointer = record(im, .immediate)
    let handle = immediate.handle
    if immediate.pointee.prefix.context != nil { immediate.run() }
    removed?.pointee = handle.isStale
    return 0
}
