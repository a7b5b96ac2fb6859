import CTalloc
import CTevent
import Glibc
import Talloc
import Tevent

/// What the C API keeps with a context in addition to the engine's record: a chunk below the context, so that access is
/// one load and needs no reference counting.
struct ContextExtras {
    /// The context that these extras belong to.
    let context: TallocHandle
    let ops: UnsafePointer<tevent_ops>
    /// The wrapper through which an event is currently being added.
    var wrapper: TallocHandle?
    var wrapperStack: [OpaquePointer] = []
    /// An event that wakes a loop that waits by itself; the program's own backend watches it.
    var wakingEvent: TallocHandle?

    // Functions of the program, and the data to pass to them.
    var debug: (function: UnsafeMutableRawPointer, data: UnsafeMutableRawPointer?)?
    var nestingHook: (function: tevent_nesting_hook, data: UnsafeMutableRawPointer?)?
    var traces = Traces()
    /// The immediate whose handler is about to run.
    var startingImmediate: OpaquePointer?

    struct Traces {
        var loop: Trace<tevent_trace_callback_t>?
        var fds: Trace<EventTraceFunction>?
        var signals: Trace<EventTraceFunction>?
        var timers: Trace<EventTraceFunction>?
        var immediates: Trace<EventTraceFunction>?
        var queues: Trace<EventTraceFunction>?
    }

    init(of context: ContextPointer, ops: UnsafePointer<tevent_ops>) {
        self.context = context.handle
        self.ops = ops
    }
}

extension ContextPointer {
    /// What the C API keeps with the context, which it created.
    @inline(__always)
    var extras: UnsafeMutablePointer<ContextExtras> {
        pointee.attachment.unsafelyUnwrapped.assumingMemoryBound(to: ContextExtras.self)
    }

    /// Gives a new context its extras; returns false if there is no memory.
    func makeExtras(ops: UnsafePointer<tevent_ops>) -> Bool {
        let size = MemoryLayout<ContextExtras>.size
        guard let chunk = talloc_named_const(self, size, StaticString("struct tevent_context_extras").cString) else {
            return false
        }
        pointee.attachment = chunk
        chunk.initializeMemory(as: ContextExtras.self, to: ContextExtras(of: self, ops: ops))
        noteContextBegins()
        _talloc_set_destructor(chunk) { chunk in
            let extras = chunk!.assumingMemoryBound(to: ContextExtras.self)
            // The context has already ended, unless the program has replaced its destructor.
            if let context = extras.pointee.context.object { _ = destroyContext(context) }
            extras.deinitialize(count: 1)
            noteContextHasEnded()
            return 0
        }
        return true
    }

    /// The least important level of messages that the program receives.
    var maximumDebugLevel: tevent_debug_level {
        get { tevent_debug_level(UInt32(pointee.maximumDebugLevel.rawValue)) }
        nonmutating set { pointee.maximumDebugLevel = DebugLevel(rawValue: Int(newValue.rawValue)) ?? .trace }
    }

    func freeWakingEvent() {
        guard let event = extras.pointee.wakingEvent?.object else { return }
        extras.pointee.wakingEvent = nil
        freeChunk(event)
    }
}
