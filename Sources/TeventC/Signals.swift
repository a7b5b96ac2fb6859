// swift-format-ignore-file: NoLeadingUnderscores
import CTevent
import Glibc
import Talloc
import Tevent

private typealias SignalCall = Call<tevent_signal_handler_t>

extension SignalPointer {
    fileprivate var c: UnsafeMutablePointer<SignalCall> { placeBehindRecord.assumingMemoryBound(to: SignalCall.self) }
}

/// Calls the program's handler of a signal event, and then frees the event if it is to be called `once`.
private func callSignal(_ event: SignalEvent, _ arrival: SignalArrival, once: Bool) {
    let se = OpaquePointer(event.tallocHandle)
    let call = SignalPointer(se).c.pointee
    let caller = call.caller
    let (number, count) = (arrival.signal.rawValue, CInt(clamping: arrival.count))
    let wantsInfo = SignalPointer(se).pointee.wantsInfo
    var details = SignalPointer(se).pointee.lastInfo
    if arrival.info == nil {
        // libtevent blocks a signal before its places for details run out, so its programs never check whether there
        // are any.
        details = siginfo_t()
        details.si_signo = number
    }
    withUnsafeMutablePointer(to: &details) { details in
        let info = wantsInfo ? UnsafeMutableRawPointer(details) : nil
        runHandler(of: se, isOver: once) {
            caller.call(on: SignalPointer(se).pointee.prefix.context) { ev in
                call.handler(ev, se, number, count, info, call.data)
            } before: { ops, wrapper in
                ops.before_signal_handler?(
                    wrapper.ev, wrapper.state, wrapper.main, se, number, count, info, caller.handlerName,
                    caller.location)
            } after: { ops, wrapper in
                ops.after_signal_handler?(
                    wrapper.ev, wrapper.state, wrapper.main, se, number, count, info, caller.handlerName,
                    caller.location)
            }
        }
    }
}

@c @implementation
package func _tevent_add_signal(
    _ ev: OpaquePointer?, _ mem_ctx: UnsafeMutableRawPointer?, _ number: CInt, _ sa_flags: CInt,
    _ handler: tevent_signal_handler_t?, _ private_data: UnsafeMutableRawPointer?,
    _ handler_name: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    throughWrapper(ev) { ev, ops in
        ops.add_signal(ev, mem_ctx, number, sa_flags, handler, private_data, handler_name, location)
    } ?? nil
}

@c @implementation
package func tevent_common_add_signal(
    _ ev: OpaquePointer?, _ mem_ctx: UnsafeMutableRawPointer?, _ number: CInt, _ sa_flags: CInt,
    _ handler: tevent_signal_handler_t?, _ private_data: UnsafeMutableRawPointer?,
    _ handler_name: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    let context = context(ev)
    let call = SignalCall(
        handler: handler ?? missingHandler, data: private_data, caller: Caller(context, handler_name, location))
    let isOnce = UInt32(bitPattern: sa_flags) & UInt32(SA_RESETHAND) != 0
    // Neither closure captures anything, so neither needs to be released.
    var callHandler: SignalHandler = { callSignal($0, $1, once: false) }
    if isOnce { callHandler = { callSignal($0, $1, once: true) } }
    let event = object { () throws(TeventError) in
        try context.addSignal(
            Signal(rawValue: number), wantsInfo: sa_flags & SA_SIGINFO != 0, flags: sa_flags,
            under: mem_ctx ?? context.chunk, file: place(location), line: 0, behind: MemoryLayout<SignalCall>.size,
            callHandler
        ).tallocHandle
    }
    if let event { SignalPointer(event).c.initialize(to: call) }
    setDestructor(of: event)
    context.hasAdded(event, handler_name)
    return event
}

/// The handler of an event that was added without one.
///
/// As in C, the mistake shows only when the signal arrives.
private let missingHandler: tevent_signal_handler_t = { _, se, _, _, _, _ in
    abort("the signal event added at \((record(se, .signal) as SignalPointer).pointee.prefix.origin) has no handler")
}

@c @implementation
package func tevent_signal_set_tag(_ se: OpaquePointer?, _ tag: UInt64) {
    guard se != nil else { return }
    (record(se, .signal) as SignalPointer).tag(tag)
}

@c @implementation
package func tevent_signal_get_tag(_ se: OpaquePointer?) -> UInt64 {
    se == nil ? 0 : (record(se, .signal) as SignalPointer).pointee.prefix.tag
}

@c @implementation
package func tevent_signal_support(_ ev: OpaquePointer?) -> Bool { EventContext.supportsSignals }

@c @implementation
package func tevent_num_signals() -> Int {
    // The size of libtevent's table, which programs take for an upper limit.
    EventContext.signalCount + 4
}

@c @implementation
package func tevent_sa_info_queue_count() -> Int { EventContext.signalInfoCapacity }

@c @implementation
package func tevent_cleanup_pending_signal_handlers(_ se: OpaquePointer?) {
    (record(se, .signal) as SignalPointer).detach()
}

@c @implementation
package func tevent_common_check_signal(_ ev: OpaquePointer?) -> CInt {
    ev != nil && context(ev).runArrivedSignals() ? 1 : 0
}

@c @implementation
package func tevent_common_invoke_signal_handler(
    _ se: OpaquePointer?, _ number: CInt, _ count: CInt, _ info: UnsafeMutableRawPointer?,
    _ removed: UnsafeMutablePointer<Bool>?
) -> CInt {
    let event: SignalPointer = record(se, .signal)
    let handle = event.handle
    if event.pointee.prefix.context != nil {
        var arrival = SignalArrival(signal: Signal(rawValue: number), count: Int(count))
        if let info {
            event.pointee.lastInfo = info.load(as: siginfo_t.self)
            arrival = SignalArrival(
                signal: arrival.signal, count: arrival.count, info: event.arrivalWithLastInfo.info)
        }
        event.run(arrival)
    }
    removed?.pointee = handle.isStale
    return 0
}
