import Glibc
import Talloc

/// Where in the loop a trace callback is called.
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

/// Where in an event's life a trace callback is called.
public enum EventTracePoint: Sendable, Equatable {
    /// The event has joined a loop.
    case attach
    /// The event's handler is about to run.
    case beforeHandler
    /// The event has left its loop; an immediate does so just before its handler runs.
    ///
    /// Events also leave when their context is freed, which is gone by then: its handles are stale.
    case detach
}

/// Where in the life of a queue's entry a trace callback is called.
public enum QueueTracePoint: Sendable, Equatable {
    /// The entry has joined its queue.
    case attach
    /// The entry is first, and the loop has been told to start it.
    case schedule
    /// The entry's turn has come: its trigger is about to be called, unless it has none or its request has ended.
    case beforeHandler
    /// The entry has left its queue.
    case detach
}

/// How much a debug message matters.
public enum DebugLevel: Int, Sendable, Comparable {
    /// The program cannot go on.
    case fatal
    /// Something failed, and the loop goes on.
    case error
    /// Something is odd.
    case warning
    /// What the loop does, step by step.
    case trace

    /// Whether `left` matters more than `right`.
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

    // They are swapped, not assigned: releasing the old function may run any deinit, so it comes when the new one is in place.

    /// Sets what is told where the loop is; nil ends it.
    ///
    /// The corresponding C function is `tevent_set_trace_callback()`.
    public func setLoopTrace(_ trace: ((LoopTracePoint) -> Void)?) {
        var trace = trace
        swap(&hooks("setLoopTrace(_:)").loop, &trace)
    }

    /// Sets a function that is told about each timer's life; nil removes it.
    ///
    /// The corresponding C function is `tevent_set_trace_timer_callback()`.
    public func setTimerTrace(_ trace: ((TimerEvent, EventTracePoint) -> Void)?) {
        var trace = trace
        swap(&hooks("setTimerTrace(_:)").timers, &trace)
    }

    /// Sets a function that is told about each immediate's life; nil removes it.
    ///
    /// The corresponding C function is `tevent_set_trace_immediate_callback()`.
    public func setImmediateTrace(_ trace: ((ImmediateEvent, EventTracePoint) -> Void)?) {
        var trace = trace
        swap(&hooks("setImmediateTrace(_:)").immediates, &trace)
    }

    /// Sets a function that is told about each signal event's life; nil removes it.
    ///
    /// The corresponding C function is `tevent_set_trace_signal_callback()`.
    public func setSignalTrace(_ trace: ((SignalEvent, EventTracePoint) -> Void)?) {
        var trace = trace
        swap(&hooks("setSignalTrace(_:)").signals, &trace)
    }

    /// Sets a function that is told about each descriptor event's life; nil removes it.
    ///
    /// The corresponding C function is `tevent_set_trace_fd_callback()`.
    public func setFDTrace(_ trace: ((FDEvent, EventTracePoint) -> Void)?) {
        var trace = trace
        swap(&hooks("setFDTrace(_:)").descriptors, &trace)
    }

    /// Sets what gets the engine's own messages; nil silences them, as they are at first.
    ///
    /// Like any handler, it may do anything, even free the context.
    ///
    /// The corresponding C function is `tevent_set_debug()`.
    public func setDebug(_ debug: ((_ level: DebugLevel, _ message: String) -> Void)?) {
        var debug = debug
        swap(&record("setDebug(_:)").pointee.debug, &debug)
    }

    /// Sends the engine's own messages to standard error, those of `level` and worse.
    ///
    /// The corresponding C function is `tevent_set_debug_stderr()`.
    public func setDebugToStandardError(_ level: DebugLevel = .warning) {
        setDebug { messageLevel, message in
            guard messageLevel <= level else { return }
            let line = "tevent: \(messageLevel): \(message)\n"
            _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        }
    }

    /// Sets a function that is told the reason before the engine aborts the program.
    ///
    /// The corresponding C function is `tevent_set_abort_fn()`.
    public static func setAbortHook(_ hook: (@Sendable (_ reason: String) -> Void)?) {
        TallocLibrary.setAbortHook(hook)
    }
}
