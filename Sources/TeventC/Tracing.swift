import CTevent
import Talloc
import Tevent

// A program's trace functions. The engine calls its own hooks; each of these passes on to the program what it is told.

/// A trace function of the program, with what it wants to be called with.
struct Trace<Function> {
    let function: Function
    let data: UnsafeMutableRawPointer?

    init?(_ function: Function?, _ data: UnsafeMutableRawPointer?) {
        guard let function else { return nil }
        self.function = function
        self.data = data
    }
}

/// The type of all trace functions but the loop's.
typealias EventTraceFunction =
    @convention(c) (OpaquePointer?, tevent_event_trace_point, UnsafeMutableRawPointer?) -> Void

extension Optional {
    /// Stores the function and its data where the program wants them; a null pointer for what it does not want.
    fileprivate func store<Function>(_ function: UnsafeMutablePointer<Function?>?, _ data: UnsafeMutableRawPointer?)
    where Wrapped == Trace<Function> {
        function?.pointee = self?.function
        data?.store(self?.data)
    }
}

extension Trace<EventTraceFunction> {
    /// The engine's hook that passes on to the program what happens to an event.
    fileprivate func hook<Event: TallocObject>() -> (Event, EventTracePoint) -> Void {
        { event, point in self(OpaquePointer(event.tallocHandle), tevent_event_trace_point(point)) }
    }

    func callAsFunction(_ event: OpaquePointer?, _ point: tevent_event_trace_point) { function(event, point, data) }
}

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
    /// Stores data where a C program expects it, in a pointer to a pointer.
    func store(_ data: UnsafeMutableRawPointer?) { storeBytes(of: data, as: UnsafeMutableRawPointer?.self) }
}

// MARK: The loop

@c @implementation
package func tevent_set_trace_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    let trace = Trace(callback, private_data)
    context.extras.pointee.traces.loop = trace
    // `_tevent_loop_once` traces turns, since a program's own backends have turns as well.
    EventContext(context).setLoopTrace(
        trace.map { trace in
            { point in
                switch point {
                case .beforeWait: trace.function(TEVENT_TRACE_BEFORE_WAIT, trace.data)
                case .afterWait: trace.function(TEVENT_TRACE_AFTER_WAIT, trace.data)
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
    context(ev).extras.pointee.traces.loop.store(callback, private_data)
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
    let trace = Trace(callback, private_data)
    context.extras.pointee.traces.fds = trace
    EventContext(context).setFDTrace(trace?.hook())
}

@c @implementation
package func tevent_get_trace_fd_callback(
    _ ev: OpaquePointer?, _ callback: UnsafeMutablePointer<tevent_trace_fd_callback_t?>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    context(ev).extras.pointee.traces.fds.store(callback, private_data)
}

@c @implementation
package func tevent_trace_fd_callback(
    _ ev: OpaquePointer?, _ fde: OpaquePointer?, _ point: tevent_event_trace_point
) {
    context(ev).extras.pointee.traces.fds?(fde, point)
}

// MARK: Signals

@c @implementation
package func tevent_set_trace_signal_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_signal_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    let trace = Trace(callback, private_data)
    context.extras.pointee.traces.signals = trace
    EventContext(context).setSignalTrace(trace?.hook())
}

@c @implementation
package func tevent_get_trace_signal_callback(
    _ ev: OpaquePointer?, _ callback: UnsafeMutablePointer<tevent_trace_signal_callback_t?>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    context(ev).extras.pointee.traces.signals.store(callback, private_data)
}

@c @implementation
package func tevent_trace_signal_callback(
    _ ev: OpaquePointer?, _ se: OpaquePointer?, _ point: tevent_event_trace_point
) {
    context(ev).extras.pointee.traces.signals?(se, point)
}

// MARK: Timers

@c @implementation
package func tevent_set_trace_timer_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_timer_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    let trace = Trace(callback, private_data)
    context.extras.pointee.traces.timers = trace
    EventContext(context).setTimerTrace(trace?.hook())
}

@c @implementation
package func tevent_get_trace_timer_callback(
    _ ev: OpaquePointer?, _ callback: UnsafeMutablePointer<tevent_trace_timer_callback_t?>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    context(ev).extras.pointee.traces.timers.store(callback, private_data)
}

@c @implementation
package func tevent_trace_timer_callback(
    _ ev: OpaquePointer?, _ te: OpaquePointer?, _ point: tevent_event_trace_point
) {
    context(ev).extras.pointee.traces.timers?(te, point)
}

// MARK: Immediates

@c @implementation
package func tevent_set_trace_immediate_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_immediate_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    let trace = Trace(callback, private_data)
    context.extras.pointee.traces.immediates = trace
    EventContext(context).setImmediateTrace(
        trace.map { trace in
            { event, point in
                let im = OpaquePointer(event.tallocHandle)
                // The program is told that it leaves when its handler has returned, see Running.swift.
                if point == .detach, context.extras.pointee.startingImmediate == im {
                    return context.extras.pointee.startingImmediate = nil
                }
                if point == .beforeHandler { context.extras.pointee.startingImmediate = im }
                trace(im, tevent_event_trace_point(point))
            }
        })
}

@c @implementation
package func tevent_get_trace_immediate_callback(
    _ ev: OpaquePointer?, _ callback: UnsafeMutablePointer<tevent_trace_immediate_callback_t?>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    context(ev).extras.pointee.traces.immediates.store(callback, private_data)
}

@c @implementation
package func tevent_trace_immediate_callback(
    _ ev: OpaquePointer?, _ im: OpaquePointer?, _ point: tevent_event_trace_point
) {
    context(ev).extras.pointee.traces.immediates?(im, point)
}

// MARK: Queues

@c @implementation
package func tevent_set_trace_queue_callback(
    _ ev: OpaquePointer?, _ callback: tevent_trace_queue_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev)
    let trace = Trace(callback, private_data)
    context.extras.pointee.traces.queues = trace
    EventContext(context).setQueueTrace(
        trace.map { trace in
            { entry, point in
                let entry = OpaquePointer(entry.tallocHandle)
                switch point {
                case .attach: trace(entry, TEVENT_EVENT_TRACE_ATTACH)
                case .beforeHandler: trace(entry, TEVENT_EVENT_TRACE_BEFORE_HANDLER)
                // C's trace does not know the first, and is told about the second before it happens.
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
    context(ev).extras.pointee.traces.queues.store(callback, private_data)
}

@c @implementation
package func tevent_trace_queue_callback(
    _ ev: OpaquePointer?, _ entry: OpaquePointer?, _ point: tevent_event_trace_point
) {
    context(ev).extras.pointee.traces.queues?(entry, point)
}
