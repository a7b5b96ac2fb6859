import CTevent
import Glibc
import Talloc
import Tevent

/// What the C face keeps with a context, besides what the engine knows.
final class ContextExtras {
    var ops: UnsafePointer<tevent_ops>
    /// Whether other threads may add events while the loop sleeps, under a lock of the program's own.
    var isShared = false
    /// Which wrapper an event is being added through.
    var wrapper: TallocHandle?
    var wrapperStack: [OpaquePointer] = []
    /// What wakes a loop that waits by itself, as an event that the program's own backend watches.
    var wakingEvent: TallocHandle?

    // Functions of the program, and what they want to be given.
    var debug: (function: UnsafeMutableRawPointer, data: UnsafeMutableRawPointer?)?
    var maximumDebugLevel = TEVENT_DEBUG_TRACE
    var nestingHook: (function: tevent_nesting_hook, data: UnsafeMutableRawPointer?)?
    var traces = Traces()
    /// Immediates whose handlers run and of which the trace has not heard yet that they have left their loop: in C it hears
    /// that when the handler has returned, or schedules its immediate anew.
    var leavingImmediates: [OpaquePointer] = []
    /// The immediate whose handler is about to run.
    var startingImmediate: OpaquePointer?

    struct Traces {
        var loop: (function: tevent_trace_callback_t, data: UnsafeMutableRawPointer?)?
        var fds: (function: tevent_trace_fd_callback_t, data: UnsafeMutableRawPointer?)?
        var signals: (function: tevent_trace_signal_callback_t, data: UnsafeMutableRawPointer?)?
        var timers: (function: tevent_trace_timer_callback_t, data: UnsafeMutableRawPointer?)?
        var immediates: (function: tevent_trace_immediate_callback_t, data: UnsafeMutableRawPointer?)?
        var queues: (function: tevent_trace_queue_callback_t, data: UnsafeMutableRawPointer?)?
    }

    init(ops: UnsafePointer<tevent_ops>) { self.ops = ops }

    func freeWakingEvent() {
        if let event = wakingEvent.take()?.object { freeChunk(event) }
    }
}

extension ContextPointer {
    /// What the C face keeps with the context, which it made.
    var extras: ContextExtras { unsafeDowncast(pointee.attachment.unsafelyUnwrapped, to: ContextExtras.self) }

    /// Wakes the loop, if another thread runs it.
    @inline(__always)
    func wakeIfShared() { if extras.isShared { wake() } }
}
