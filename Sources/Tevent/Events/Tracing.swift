import Glibc
import Talloc

/// The points in the loop at which a trace callback is called.
public enum LoopTracePoint: Sendable, Equatable {
    /// The loop is about to wait for descriptors.
    case beforeWait
    /// The loop has waited.
    case afterWait
    /// A turn begins.
    case beforeLoopOnce
    /// A turn has ended.
    case afterLoopOnce
}

/// The points in an event's life at which a trace callback is called.
public enum EventTracePoint: Sendable, Equatable {
    /// The event has joined a loop.
    case attach
    /// The event's handler is about to run.
    case beforeHandler
    /// The event has left its loop; an immediate leaves just before its handler runs.
    ///
    /// Events also leave when their context is freed; by then the context's handles are stale.
    case detach
}

/// The points in the life of a queue entry at which a trace callback is called.
public enum QueueTracePoint: Sendable, Equatable {
    /// The entry has joined its queue.
    case attach
    /// The entry is first, and the loop has been told to start it.
    case schedule
    /// The entry's turn has come, and its trigger is about to be called, unless it has none or its request has ended.
    case beforeHandler
    /// The entry has left its queue.
    case detach
}

/// How important a debug message is.
public enum DebugLevel: Int, Sendable, Comparable {
    /// The program cannot go on.
    case fatal
    /// Something failed, and the loop goes on.
    case error
    /// Something is odd.
    case warning
    /// What the loop does, step by step.
    case trace

    /// Whether `left` is more important than `right`.
    public static func < (left: DebugLevel, right: DebugLevel) -> Bool { left.rawValue < right.rawValue }
}

/// The trace callbacks of a context; a context that is not traced has none, which costs one branch.
final class Hooks {
    var loop: ((LoopTracePoint) -> Void)?
    var timers: ((TimerEvent, EventTracePoint) -> Void)?
    var immediates: ((ImmediateEvent, EventTracePoint) -> Void)?
    var signals: ((SignalEvent, EventTracePoint) -> Void)?
    var descriptors: ((FDEvent, EventTracePoint) -> Void)?
    var queues: ((_ entry: TallocHandle, QueueTracePoint) -> Void)?
}

extension EventContext {
    func hooks(_ call: StaticString) -> Hooks {
        let context = record(call)
        if let hooks = context.pointee.hooks { return hooks }
        let hooks = Hooks()
        context.pointee.hooks = hooks
        return hooks
    }

    // Swap instead of assigning: releasing the old function may run any deinit, which must find the new one in place.

    /// Sets a function that is called at each point of the loop; nil removes it.
    ///
    /// The corresponding C function is `tevent_set_trace_callback()`.
    public func setLoopTrace(_ trace: ((LoopTracePoint) -> Void)?) {
        var trace = trace
        swap(&hooks("setLoopTrace(_:)").loop, &trace)
    }

    /// Sets a function that is notified of each stage of a timer's life; nil removes it.
    ///
    /// The corresponding C function is `tevent_set_trace_timer_callback()`.
    public func setTimerTrace(_ trace: ((TimerEvent, EventTracePoint) -> Void)?) {
        var trace = trace
        swap(&hooks("setTimerTrace(_:)").timers, &trace)
    }

    /// Sets a function that is notified of each stage of an immediate's life; nil removes it.
    ///
    /// The corresponding C function is `tevent_set_trace_immediate_callback()`.
    public func setImmediateTrace(_ trace: ((ImmediateEvent, EventTracePoint) -> Void)?) {
        var trace = trace
        swap(&hooks("setImmediateTrace(_:)").immediates, &trace)
    }

    /// Sets a function that is notified of each stage of a signal event's life; nil removes it.
    ///
    /// The corresponding C function is `tevent_set_trace_signal_callback()`.
    public func setSignalTrace(_ trace: ((SignalEvent, EventTracePoint) -> Void)?) {
        var trace = trace
        swap(&hooks("setSignalTrace(_:)").signals, &trace)
    }

    /// Sets a function that is notified of each stage of a descriptor event's life; nil removes it.
    ///
    /// The corresponding C function is `tevent_set_trace_fd_callback()`.
    public func setFDTrace(_ trace: ((FDEvent, EventTracePoint) -> Void)?) {
        var trace = trace
        swap(&hooks("setFDTrace(_:)").descriptors, &trace)
    }

    /// Sets a function that receives the engine's own messages; nil, the default, discards them.
    ///
    /// Like any handler, it may do anything, even free the context.
    ///
    /// The corresponding C function is `tevent_set_debug()`.
    public func setDebug(_ debug: ((_ level: DebugLevel, _ message: String) -> Void)?) {
        var debug = debug
        swap(&record("setDebug(_:)").pointee.debug, &debug)
    }

    /// Prints the engine's own messages of `level` and more important ones to standard error.
    ///
    /// The corresponding C function is `tevent_set_debug_stderr()`.
    public func setDebugToStandardError(_ level: DebugLevel = .warning) {
        setDebug { messageLevel, message in
            guard messageLevel <= level else { return }
            let line = "tevent: \(messageLevel): \(message)\n"
            _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        }
    }

    /// Sets a function that receives the reason before the engine aborts the program.
    ///
    /// The corresponding C function is `tevent_set_abort_fn()`.
    public static func setAbortHook(_ hook: (@Sendable (_ reason: String) -> Void)?) {
        TallocLibrary.setAbortHook(hook)
    }
}
