import CTalloc
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
        // The library's own functions replace it.
        let backend = ProgramBackend()
        let context = try ContextPointer.make(under: mem_ctx, backend: backend, clock: nil)
        backend.context = context
        guard context.makeExtras(ops: ops) else {
            freeChunk(context)
            throw .outOfMemory(name: "\(ContextRecord.name)")
        }
        context.pointee.policies = .all
        context.maximumDebugLevel = TEVENT_DEBUG_FATAL
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
    // A child process begins without its parent's events and hook.
    context.dropEvents()
    context.freeWakingEvent()
    context.extras.pointee.nestingHook = nil
    let result = context.extras.pointee.ops.pointee.context_init?(OpaquePointer(context)) ?? 0
    guard result == 0 else { return result }
    return status { () throws(TeventError) in try context.reinitialise() }
}

@c @implementation
package func tevent_context_set_wait_timeout(_ ev: OpaquePointer?, _ seconds: UInt32) -> UInt32 {
    let context = context(ev)
    let old = context.pointee.idleSeconds
    context.pointee.idleSeconds = Int32(clamping: seconds)
    return UInt32(old)
}

@c @implementation
package func tevent_common_context_destructor(_ ev: OpaquePointer?) -> CInt {
    // For programs that install their own destructor.
    guard let ev, ev.slot.isOf(.eventContext) else { return 0 }
    _talloc_set_destructor(ev.chunk, nil)
    return destroyContext(ev.chunk)
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
