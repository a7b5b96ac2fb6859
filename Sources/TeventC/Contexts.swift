import CTevent
import Glibc
import Talloc
import Tevent

@c @implementation
package func tevent_context_init(_ mem_ctx: UnsafeMutableRawPointer?) -> OpaquePointer? {
    tevent_context_init_byname(mem_ctx, nil)
}

@c @implementation
package func tevent_context_init_byname(
    _ mem_ctx: UnsafeMutableRawPointer?, _ name: UnsafePointer<CChar>?
) -> OpaquePointer? {
    guard let ops = Backends.ops(named: name.map { String(cString: $0) }) else {
        errno = EINVAL
        return nil
    }
    return tevent_context_init_ops(mem_ctx, ops, nil)
}

@c @implementation
package func tevent_context_init_ops(
    _ mem_ctx: UnsafeMutableRawPointer?, _ ops: UnsafePointer<tevent_ops>?, _ additional_data: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    guard let ops else {
        errno = EINVAL
        return nil
    }
    prepareProgram()
    let made = object { () throws(TeventError) in
        // The backend's own function puts another one in place, or does without.
        let context = try ContextPointer.make(under: mem_ctx, backend: SilentBackend(), clock: nil)
        context.pointee.attachment = ContextExtras(ops: ops)
        context.pointee.servesC = true
        return context.handle
    }
    guard let made, let initialise = ops.pointee.context_init, initialise(made) != 0 else { return made }
    let code = errno
    freeChunk(made.chunk)
    errno = code
    return nil
}

@c @implementation
package func tevent_re_initialise(_ ev: OpaquePointer?) -> CInt {
    let context = context(ev)
    // A child process begins without the events of its parent, and without its hook.
    context.extras.nestingHook = nil
    return status { () throws(TeventError) in
        // A backend of the program's own may have things of the parent's, too.
        try context.beginAnew { () throws(TeventError) in
            let initialise = context.extras.ops.pointee.context_init
            guard initialise?(OpaquePointer(context)) == 0 else { throw .systemCall(name: "context_init", code: errno) }
        }
    }
}

@c @implementation
package func tevent_context_set_wait_timeout(_ ev: OpaquePointer?, _ seconds: UInt32) -> UInt32 {
    let events = EventContext(context(ev))
    let old = events.maximumWait
    events.maximumWait = seconds == 0 ? nil : .seconds(Int64(seconds))
    return old.map { UInt32($0.components.seconds) } ?? 0
}

@c @implementation
package func tevent_common_context_destructor(_ ev: OpaquePointer?) -> CInt {
    // The engine's own destructor does all there is to do.
    0
}

/// 0, or -1 with `errno` set.
func status(_ body: () throws(TeventError) -> Void) -> CInt {
    do throws(TeventError) {
        try body()
        return 0
    } catch {
        errno = error.code
        return -1
    }
}
