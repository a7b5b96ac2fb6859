import CTalloc
import CTevent
import Glibc
import Talloc
import Tevent

/// What the C face keeps with a context, besides what the engine knows: a chunk below it, so that looking is one load, and
/// nothing is counted.
struct ContextExtras {
    /// The context that these extras belong to.
    let context: TallocHandle
    let ops: UnsafePointer<tevent_ops>
    /// Which wrapper an event is being added through.
    var wrapper: TallocHandle?
    var wrapperStack: [OpaquePointer] = []
    /// What wakes a loop that waits by itself, as an event that the program's own backend watches.
    var wakingEvent: TallocHandle?

    // Functions of the program, and what they want to be given.
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
    /// What the C face keeps with the context, which it made.
    @inline(__always)
    var extras: UnsafeMutablePointer<ContextExtras> {
        pointee.attachment.unsafelyUnwrapped.assumingMemoryBound(to: ContextExtras.self)
    }

    /// Gives a new context what belongs to it; false if there is no memory.
    func makeExtras(ops: UnsafePointer<tevent_ops>) -> Bool {
        let size = MemoryLayout<ContextExtras>.size
        guard let chunk = talloc_named_const(self, size, StaticString("struct tevent_context_extras").cString) else {
            return false
        }
        pointee.attachment = chunk
        chunk.initializeMemory(as: ContextExtras.self, to: ContextExtras(of: self, ops: ops))
        _talloc_set_destructor(chunk) { chunk in
            let extras = chunk!.assumingMemoryBound(to: ContextExtras.self)
            // The context has already ended, unless the program has replaced its destructor.
            if let context = extras.pointee.context.object { _ = destroyContext(context) }
            extras.deinitialize(count: 1)
            return 0
        }
        return true
    }

    /// The least important messages that the program gets.
    var maximumDebugLevel: tevent_debug_level {
        get { tevent_debug_level(UInt32(pointee.maximumDebugLevel.rawValue)) }
        nonmutating set { pointee.maximumDebugLevel = DebugLevel(rawValue: Int(newValue.rawValue)) ?? .trace }
    }

    func freeWakingEvent() {
        guard let event = extras.pointee.wakingEvent?.object else { return }
        extras.pointee.wakingEvent = nil
        freeChunk(event)
    }

    /// Wakes the loop, if another thread runs it.
    @inline(__always)
    func wakeIfShared() { if pointee.policies.contains(.sharedWhileWaiting) { wake() } }
}
