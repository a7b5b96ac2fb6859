import CTevent
import Talloc
import Tevent

// A program's trace functions. The engine tells its own hooks; each of these passes on to the program what they hear.

extension tevent_event_trace_point {
    init(_ point: EventTracePoint) {
        switch point {
        case .attach: self = TEVENT_EVENT_TRACE_ATTACH
        case .detach: self = TEVENT_EVENT_TRACE_DETACH
        case .beforeHandler: self = TEVENT_EVENT_TRACE_BEFORE_HANDLER
        }
    }
}

extension UnsafeMutableRawPointer {
    /// Stores data where a C program wants to have it, a pointer to a pointer.
    func store(_ data: UnsafeMutableRawPointer?) { storeBytes(of: data, as: UnsafeMutableRawPointer?.self) }
}

// MARK: The loop

@c @implementation
package func tevent_set_trace_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    context.extras.pointee.traces.loop = callback.map { ($0, private_data) }
    // Turns are traced by `_tevent_loop_once`, since backends of the program's own have some, too.
    EventContext(context).setLoopTrace(
        callback.map { callback in
            { point in
                switch point {
                case .beforeWait: callback(TEVENT_TRACE_BEFORE_WAIT, private_data)
                case .afterWait: callback(TEVENT_TRACE_AFTER_WAIT, private_data)
                case .beforeLoopOnce, .afterLoopOnce: break
                }
            }
        })
}

@c @implementation
package func tevent_get_trace_callback(
    _ ev: OpaquePointer?, _ callback: UnsafeMutablePointer<tevent_trace_callback_t?>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    let trace = context(ev).extras.pointee.traces.loop
    callback?.pointee = trace?.function
    private_data?.store(trace?.data)
}

@c @implementation
package func tevent_trace_point_callback(_ ev: OpaquePointer?, _ point: tevent_trace_point) {
    guard let trace = context(ev).extras.pointee.traces.loop else { return }
    trace.function(point, trace.data)
}

// MARK: Descriptors

@c @implementation
package func tevent_set_trace_fd_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_fd_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    context.extras.pointee.traces.fds = callback.map { ($0, private_data) }
    EventContext(context).setFDTrace(
        callback.map { callback in
            { event, point in
                callback(OpaquePointer(event.tallocHandle), tevent_event_trace_point(point), private_data)
            }
        })
}

@c @implementation
package func tevent_get_trace_fd_callback(
    _ ev: OpaquePointer?, _ callback: UnsafeMutablePointer<tevent_trace_fd_callback_t?>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    let trace = context(ev).extras.pointee.traces.fds
    callback?.pointee = trace?.function
    private_data?.store(trace?.data)
}

@c @implementation
package func tevent_trace_fd_callback(
    _ ev: OpaquePointer?, _ fde: OpaquePointer?, _ point: tevent_event_trace_point
) {
    guard let trace = context(ev).extras.pointee.traces.fds else { return }
    trace.function(fde, point, trace.data)
}

// MARK: Signals

@c @implementation
package func tevent_set_trace_signal_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_signal_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    context.extras.pointee.traces.signals = callback.map { ($0, private_data) }
    EventContext(context).setSignalTrace(
        callback.map { callback in
            { event, point in
                callback(OpaquePointer(event.tallocHandle), tevent_event_trace_point(point), private_data)
            }
        })
}

@c @implementation
package func tevent_get_trace_signal_callback(
    _ ev: OpaquePointer?, _ callback: UnsafeMutablePointer<tevent_trace_signal_callback_t?>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    let trace = context(ev).extras.pointee.traces.signals
    callback?.pointee = trace?.function
    private_data?.store(trace?.data)
}

@c @implementation
package func tevent_trace_signal_callback(
    _ ev: OpaquePointer?, _ se: OpaquePointer?, _ point: tevent_event_trace_point
) {
    guard let trace = context(ev).extras.pointee.traces.signals else { return }
    trace.function(se, point, trace.data)
}

// MARK: Timers

@c @implementation
package func tevent_set_trace_timer_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_timer_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    context.extras.pointee.traces.timers = callback.map { ($0, private_data) }
    EventContext(context).setTimerTrace(
        callback.map { callback in
            { event, point in
                callback(OpaquePointer(event.tallocHandle), tevent_event_trace_point(point), private_data)
            }
        })
}

@c @implementation
package func tevent_get_trace_timer_callback(
    _ ev: OpaquePointer?, _ callback: UnsafeMutablePointer<tevent_trace_timer_callback_t?>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    let trace = context(ev).extras.pointee.traces.timers
    callback?.pointee = trace?.function
    private_data?.store(trace?.data)
}

@c @implementation
package func tevent_trace_timer_callback(
    _ ev: OpaquePointer?, _ te: OpaquePointer?, _ point: tevent_event_trace_point
) {
    guard let trace = context(ev).extras.pointee.traces.timers else { return }
    trace.function(te, point, trace.data)
}

// MARK: Immediates

@c @implementation
package func tevent_set_trace_immediate_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_immediate_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    context.extras.pointee.traces.immediates = callback.map { ($0, private_data) }
    EventContext(context).setImmediateTrace(
        callback.map { callback in
            { event, point in
                let im = OpaquePointer(event.tallocHandle)
                // That it leaves is told when its handler has returned, see Running.swift.
                if point == .detach, context.extras.pointee.startingImmediate == im {
                    return context.extras.pointee.startingImmediate = nil
                }
                if point == .beforeHandler { context.extras.pointee.startingImmediate = im }
                callback(im, tevent_event_trace_point(point), private_data)
            }
        })
}

@c @implementation
package func tevent_get_trace_immediate_callback(
    _ ev: OpaquePointer?, _ callback: UnsafeMutablePointer<tevent_trace_immediate_callback_t?>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    let trace = context(ev).extras.pointee.traces.immediates
    callback?.pointee = trace?.function
    private_data?.store(trace?.data)
}

@c @implementation
package func tevent_trace_immediate_callback(
    _ ev: OpaquePointer?, _ im: OpaquePointer?, _ point: tevent_event_trace_point
) {
    guard let trace = context(ev).extras.pointee.traces.immediates else { return }
    trace.function(im, point, trace.data)
}

// MARK: Queues

@c @implementation
package func tevent_set_trace_queue_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_queue_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    context.extras.pointee.traces.queues = callback.map { ($0, private_data) }
    EventContext(context).setQueueTrace(
        callback.map { callback in
            { entry, point in
                let entry = OpaquePointer(entry.tallocHandle)
                switch point {
                case .attach: callback(entry, TEVENT_EVENT_TRACE_ATTACH, private_data)
                case .beforeHandler: callback(entry, TEVENT_EVENT_TRACE_BEFORE_HANDLER, private_data)
                // C's trace knows the one not at all, and hears of the other before it happens.
                case .schedule, .detach: break
                }
            }
        })
}

@c @implementation
package func tevent_get_trace_queue_callback(
    _ ev: OpaquePointer?, _ callback: UnsafeMutablePointer<tevent_trace_queue_callback_t?>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    let trace = context(ev).extras.pointee.traces.queues
    callback?.pointee = trace?.function
    private_data?.store(trace?.data)
}

@c @implementation
package func tevent_trace_queue_callback(
    _ ev: OpaquePointer?, _ entry: OpaquePointer?, _ point: tevent_event_trace_point
) {
    guard let trace = context(ev).extras.pointee.traces.queues else { return }
    trace.function(entry, point, trace.data)
}
