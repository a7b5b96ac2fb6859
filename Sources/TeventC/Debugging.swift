import CTalloc
import CTevent
import Glibc
import Synchronization
import Talloc
import Tevent

// MARK: The end with a message

private let abortFunction = Locked<tevent_abort_fn_t?>(nil)

/// Must run before a C program can do anything wrong; everything that creates objects calls it.
@inline(__always)
func prepareProgram() { _ = endsAsInC }

/// A C program expects SIGABRT after its own function has been called.
private let endsAsInC: Void = {
    TallocLibrary.setOwnAbortHook { reason in endProgram(reason) }
    recordIfAsked()
}()

private func endProgram(_ reason: String) -> Never {
    if let tell = abortFunction.withLock({ $0 }) {
        tell(reason)
    } else {
        ctevent_print_reason(reason)
    }
    Glibc.abort()
}

@c @implementation
package func tevent_set_abort_fn(_ abort_fn: tevent_abort_fn_t?) { abortFunction.withLock { $0 = abort_fn } }

@c @implementation
package func tevent_abort(_ ev: OpaquePointer?, _ reason: UnsafePointer<CChar>?) {
    let reason = reason.map { String(cString: $0) } ?? "without a reason"
    if let ev, ev.slot.isOf(.eventContext) { ContextPointer(ev).debug(.fatal, "abort: \(reason)") }
    // The program's function may return; then the incorrect call returns as well.
    guard let tell = abortFunction.withLock({ $0 }) else { endProgram(reason) }
    tell(reason)
}

@c @implementation
package func tevent_common_check_double_free(_ memory: UnsafeMutableRawPointer?, _ reason: UnsafePointer<CChar>?) {
    guard let memory, !isFreedWithParent(memory) else { return }
    tevent_abort(nil, reason)
}

/// Ends the program for freeing a chunk a second time, unless the chunk's parent is being freed.
func checkDoubleFree(_ chunk: UnsafeMutableRawPointer, _ reason: StaticString) {
    if !isFreedWithParent(chunk) { tevent_abort(nil, reason.cString) }
}

/// Whether the parent of a chunk is being freed: by libtalloc, which then counts no blocks, or by the engine's own
/// destructor.
private func isFreedWithParent(_ chunk: UnsafeMutableRawPointer) -> Bool {
    guard let parent = talloc_parent(chunk) else { return false }
    return talloc_total_blocks(parent) == 0 || ContextPointer.isFreeingChildren(parent)
        || HandleSlotPointer.hasEnded(objectAt: parent, size: talloc_get_size(parent))
}

@c @implementation
package func tevent_cached_getpid() -> pid_t { getpid() }

// MARK: Messages

@c @implementation
package func ctevent_set_debug(
    _ ev: OpaquePointer?, _ debug: UnsafeMutableRawPointer?, _ private_data: UnsafeMutableRawPointer?
) {
    let context = context(ev, "tevent_set_debug")
    context.extras.pointee.debug = debug.map { ($0, private_data) }
    // Since 0.15, a program gets trace messages only if it asks for them.
    context.maximumDebugLevel = debug == nil ? TEVENT_DEBUG_FATAL : TEVENT_DEBUG_WARNING
    guard debug != nil else { return EventContext(context).setDebug(nil) }
    EventContext(context).setDebug { level, message in
        let level = tevent_debug_level(rawValue: UInt32(level.rawValue))
        var data: UnsafeMutableRawPointer?
        if let debug = ctevent_find_debug(ev, level, &data) { ctevent_call_debug(debug, data, level, "\(message)\n") }
    }
}

@c @implementation
package func tevent_set_max_debug_level(_ ev: OpaquePointer?, _ level: tevent_debug_level) -> tevent_debug_level {
    let context = context(ev)
    defer { context.maximumDebugLevel = level }
    return context.maximumDebugLevel
}

@c @implementation
package func ctevent_find_debug(
    _ ev: OpaquePointer?, _ level: tevent_debug_level,
    _ private_data: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> UnsafeMutableRawPointer? {
    guard let ev else { return nil }
    let context = context(ev)
    guard let sink = context.extras.pointee.debug, level.rawValue <= context.maximumDebugLevel.rawValue else {
        return nil
    }
    private_data?.pointee = sink.data
    return sink.function
}
