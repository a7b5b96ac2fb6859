import CTalloc
import CTevent
import Glibc
import Talloc
import Tevent

// A backend, to a C program, is a table of functions that it finds by name. The tables of the engine's own backends
// differ in one function only, which gives a new context its backend. Programs may register others, and often copy one
// of these to replace some functions.

enum Backends {
    private struct Known {
        let name: String
        /// Nil if a program has registered the name without a table.
        let ops: UnsafePointer<tevent_ops>?
    }

    private struct State {
        var all: [Known]
        /// What a context gets if it does not ask for a backend.
        var standard = "standard"
    }

    // The names that C programs use. "select" and "poll" have always been the same, and the standard backend is the
    // fastest.
    private static let state = Locked(
        State(all: [
            Known(name: "standard", ops: table { install("epoll", on: $0) }),
            Known(name: "epoll", ops: table { install("epoll", on: $0) }),
            Known(name: "poll_mt", ops: table { installShared(on: $0) }),
            Known(name: "poll", ops: table { install("poll", on: $0) }),
        ]))

    /// Whether immediates take the engine's own path with a backend, and not through a function of the program.
    static func hasOwnImmediates(_ ops: UnsafePointer<tevent_ops>) -> Bool {
        unsafeBitCast(ops.pointee.schedule_immediate, to: UInt.self) == ownScheduling
    }

    private static let ownScheduling = unsafeBitCast(
        ops(named: "epoll").unsafelyUnwrapped.pointee.schedule_immediate, to: UInt.self)

    /// The functions of a backend, or of the default one; nil if no backend has this name.
    static func ops(named name: String?) -> UnsafePointer<tevent_ops>? {
        state.withLock { state in
            let name = name ?? state.standard
            return state.all.first { $0.name == name }?.ops
        }
    }

    static var names: [String] { state.withLock { $0.all.map(\.name) } }

    /// Adds a backend in front of the others, unless its name is taken.
    static func register(_ name: String, _ ops: UnsafePointer<tevent_ops>?) {
        state.withLock { state in
            guard !state.all.contains(where: { $0.name == name }) else { return }
            state.all.insert(Known(name: name, ops: ops), at: 0)
        }
    }

    static func setDefault(_ name: String) { state.withLock { $0.standard = name } }

    /// The functions that all the engine's own backends share; never freed.
    private static func table(
        _ initialise: @escaping @convention(c) (OpaquePointer?) -> CInt
    ) -> UnsafePointer<tevent_ops> {
        let ops = UnsafeMutablePointer<tevent_ops>.allocate(capacity: 1)
        ops.initialize(
            to: tevent_ops(
                context_init: initialise,
                add_fd: tevent_common_add_fd,
                set_fd_close_fn: tevent_common_fd_set_close_fn,
                get_fd_flags: tevent_common_fd_get_flags,
                set_fd_flags: tevent_common_fd_set_flags,
                add_timer: tevent_common_add_timer_v2,
                schedule_immediate: tevent_common_schedule_immediate,
                add_signal: tevent_common_add_signal,
                loop_once: { ev, _ in loopOnce(context(ev)) },
                loop_wait: tevent_common_loop_wait))
        return UnsafePointer(ops)
    }

    private static func install(_ name: String, on ev: OpaquePointer?) -> CInt {
        status { () throws(TeventError) in try context(ev).replaceBackend(with: EventContext.makeBackend(name)) }
    }

    /// Poll, for contexts to which other threads add events while the loop sleeps.
    private static func installShared(on ev: OpaquePointer?) -> CInt {
        guard install("poll", on: ev) == 0 else { return -1 }
        context(ev).pointee.policies.insert(.sharedWhileWaiting)
        return status { () throws(TeventError) in try context(ev).openWaker() }
    }
}

/// Represents a backend of the program's own, which waits by itself and knows all descriptors except the waker's.
final class ProgramBackend: Backend {
    static let name = "the program's own"
    /// The context that uses it, which outlives it.
    var context: ContextPointer?

    init() {}

    // snippet: waker
    /// Has the program's backend watch what wakes the loop, the only change that the engine makes itself.
    func change(
        _ descriptor: Int32, from old: FDEvent.Flags, to new: FDEvent.Flags, generation: UInt32
    ) -> BackendChange {
        guard let context, !new.isEmpty else { return .done }
        let ev = OpaquePointer(context)
        let event = context.extras.pointee.ops.pointee.add_fd(
            ev, ev.chunk, descriptor, UInt16(new.rawValue), { ev, _, _, _ in TeventC.context(ev).expectWaking() }, nil,
            StaticString("wakeup_pipe_handler").cString, StaticString(#fileID).cString)
        guard let event else { return .failed("add_fd", errno) }
        context.freeWakingEvent()
        context.extras.pointee.wakingEvent = (record(event, .descriptor) as FDPointer).handle
        context.expectWaking()
        return .done
    }
    // snippet-end: waker

    func wait(nanoseconds: Int64?, _ ready: inout ReadyBatch) throws(TeventError) -> Bool { true }

    func reopen() {}
}

@c @implementation
package func tevent_backend_list(
    _ mem_ctx: UnsafeMutableRawPointer?
) -> UnsafeMutablePointer<UnsafePointer<CChar>?>? {
    let names = Backends.names
    let size = (names.count + 1) * MemoryLayout<UnsafePointer<CChar>?>.stride
    guard let chunk = talloc_named_const(mem_ctx, size, StaticString("const char *").cString) else { return nil }
    let list = chunk.bindMemory(to: UnsafePointer<CChar>?.self, capacity: names.count + 1)
    list[names.count] = nil
    for (index, name) in names.enumerated() {
        guard let copy = talloc_strdup(chunk, name) else {
            freeChunk(chunk)
            return nil
        }
        list[index] = UnsafePointer(copy)
    }
    return list
}

@c @implementation
package func tevent_set_default_backend(_ name: UnsafePointer<CChar>?) {
    Backends.setDefault(name.map { String(cString: $0) } ?? "standard")
}

@c @implementation
package func tevent_register_backend(_ name: UnsafePointer<CChar>?, _ ops: UnsafePointer<tevent_ops>?) -> Bool {
    guard let name else { return false }
    // A known name counts as registered: several parts of a program may register the same one.
    Backends.register(String(cString: name), ops)
    return true
}

@c @implementation
package func tevent_find_ops_byname(_ name: UnsafePointer<CChar>?) -> UnsafePointer<tevent_ops>? {
    Backends.ops(named: name.map { String(cString: $0) })
}
