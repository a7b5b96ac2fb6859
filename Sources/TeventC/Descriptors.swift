// swift-format-ignore-file: NoLeadingUnderscores
import CTevent
import Glibc
import Talloc
import Tevent

/// What is stored after the engine's record of a descriptor event.
private struct CDescriptor {
    let call: Call<tevent_fd_handler_t>
    var close: tevent_fd_close_fn_t?
}

extension FDPointer {
    fileprivate var c: UnsafeMutablePointer<CDescriptor> { placeBehindRecord.assumingMemoryBound(to: CDescriptor.self) }
}

/// Calls the program's handler of a descriptor event.
private func callFD(_ event: FDEvent, _ ready: FDEvent.Flags) {
    let fde = OpaquePointer(event.tallocHandle)
    let call = FDPointer(fde).c.pointee.call
    let (caller, flags) = (call.caller, UInt16(ready.rawValue))
    runHandler(of: fde) {
        caller.call(on: FDPointer(fde).pointee.prefix.context) { ev in
            call.handler(ev, fde, flags, call.data)
        } before: { ops, wrapper in
            ops.before_fd_handler?(
                wrapper.ev, wrapper.state, wrapper.main, fde, flags, caller.handlerName, caller.location)
        } after: { ops, wrapper in
            ops.after_fd_handler?(
                wrapper.ev, wrapper.state, wrapper.main, fde, flags, caller.handlerName, caller.location)
        }
    }
}

@c @implementation
package func _tevent_add_fd(
    _ ev: OpaquePointer?, _ mem_ctx: UnsafeMutableRawPointer?, _ fd: CInt, _ flags: UInt16,
    _ handler: tevent_fd_handler_t?, _ private_data: UnsafeMutableRawPointer?,
    _ handler_name: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    throughWrapper(ev) { ev, ops in
        ops.add_fd(ev, mem_ctx, fd, flags, handler, private_data, handler_name, location)
    } ?? nil
}

@c @implementation
package func tevent_common_add_fd(
    _ ev: OpaquePointer?, _ mem_ctx: UnsafeMutableRawPointer?, _ fd: CInt, _ flags: UInt16,
    _ handler: tevent_fd_handler_t?, _ private_data: UnsafeMutableRawPointer?,
    _ handler_name: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    guard fd >= 0 else {
        errno = EINVAL
        return nil
    }
    let context = context(ev)
    let call = Call(
        handler: handler ?? missingHandler, data: private_data, caller: Caller(context, handler_name, location))
    let (wanted, parent) = (FDEvent.Flags(rawValue: UInt8(truncatingIfNeeded: flags)), mem_ctx ?? context.chunk)
    let (location, room) = (place(location), MemoryLayout<CDescriptor>.size)
    let event = object { () throws(TeventError) in
        do throws(TeventError) {
            return try context.addFD(fd, wanted, under: parent, file: location, line: 0, behind: room, callFD)
                .tallocHandle
        } catch {
            guard case .badDescriptor = error else { throw error }
            return try context.makeIdleFD(fd, wanted, under: parent, file: location, line: 0, behind: room, callFD)
                .tallocHandle
        }
    }
    if let event { FDPointer(event).c.initialize(to: CDescriptor(call: call)) }
    setDestructor(of: event)
    context.hasAdded(event, handler_name)
    return event
}

/// The handler of an event that was added without one.
///
/// As in C, the mistake shows only when the event happens.
private let missingHandler: tevent_fd_handler_t = { _, fde, _, _ in
    abort(
        "the file descriptor event added at \((record(fde, .descriptor) as FDPointer).pointee.prefix.origin) has no handler"
    )
}

@c @implementation
package func tevent_common_fd_destructor(_ fde: OpaquePointer?) -> CInt {
    // For programs that install their own destructor.
    destroyEvent(UnsafeMutableRawPointer(record(fde, .descriptor) as FDPointer))
}

extension FDPointer {
    /// Takes the event out of its loop, and calls its close function if it has one.
    func leaveAndClose() {
        let close = c.pointee.close.take()
        // Nil if it has left before.
        let context = pointee.prefix.context?.handle
        detach(beforeClosing: close != nil)
        let ev = context?.object.map { OpaquePointer($0) }
        close?(ev, OpaquePointer(self), pointee.descriptor, c.pointee.call.data)
    }
}

@c @implementation
package func tevent_fd_set_close_fn(_ fde: OpaquePointer?, _ close_fn: tevent_fd_close_fn_t?) {
    guard let ops = ops(of: fde) else { return }
    ops.set_fd_close_fn(fde, close_fn)
}

@c @implementation
package func tevent_common_fd_set_close_fn(_ fde: OpaquePointer?, _ close_fn: tevent_fd_close_fn_t?) {
    (record(fde, .descriptor) as FDPointer).c.pointee.close = close_fn
}

@c @implementation
package func tevent_fd_set_auto_close(_ fde: OpaquePointer?) {
    tevent_fd_set_close_fn(fde) { _, _, descriptor, _ in close(descriptor) }
}

@c @implementation
package func tevent_fd_get_flags(_ fde: OpaquePointer?) -> UInt16 {
    guard let ops = ops(of: fde) else { return 0 }
    return ops.get_fd_flags(fde)
}

@c @implementation
package func tevent_common_fd_get_flags(_ fde: OpaquePointer?) -> UInt16 {
    UInt16((record(fde, .descriptor) as FDPointer).pointee.flags.rawValue)
}

@c @implementation
package func tevent_fd_set_flags(_ fde: OpaquePointer?, _ flags: UInt16) {
    guard let ops = ops(of: fde) else { return }
    ops.set_fd_flags(fde, flags)
}

@c @implementation
package func tevent_common_fd_set_flags(_ fde: OpaquePointer?, _ flags: UInt16) {
    let event: FDPointer = record(fde, .descriptor)
    event.setFlags(FDEvent.Flags(rawValue: UInt8(truncatingIfNeeded: flags)))
    event.pointee.prefix.context?.wakeIfShared()
}

@c @implementation
package func tevent_fd_set_tag(_ fde: OpaquePointer?, _ tag: UInt64) {
    guard fde != nil else { return }
    (record(fde, .descriptor) as FDPointer).tag(tag)
}

@c @implementation
package func tevent_fd_get_tag(_ fde: OpaquePointer?) -> UInt64 {
    fde == nil ? 0 : (record(fde, .descriptor) as FDPointer).pointee.prefix.tag
}

@c @implementation
package func tevent_common_invoke_fd_handler(
    _ fde: OpaquePointer?, _ flags: UInt16, _ removed: UnsafeMutablePointer<Bool>?
) -> CInt {
    let event: FDPointer = record(fde, .descriptor)
    let handle = event.handle
    removed?.pointee = false
    guard event.pointee.prefix.context != nil else { return 0 }
    event.run(FDEvent.Flags(rawValue: UInt8(truncatingIfNeeded: flags)))
    removed?.pointee = handle.isStale
    return 0
}

/// The functions of the backend that an event belongs to; nil without an event, or if its context was freed.
private func ops(of fde: OpaquePointer?, call: StaticString = #function) -> tevent_ops? {
    guard fde != nil else { return nil }
    return (record(fde, .descriptor, call) as FDPointer).pointee.prefix.context?.extras.pointee.ops.pointee
}
