// swift-format-ignore-file: NoLeadingUnderscores
import CTevent
import Talloc
import Tevent

// How deep the requests of a thread are nested, for logs that indent. Programs ask for it in one of two ways: by a number
// that is kept up to date, or, in later versions, by a function that is told. A request counts from where a program says
// that a chain begins, and so do those made under its state.

enum CallDepth {
    /// Whether this thread wants to know.
    @inline(__always)
    static var isWatched: Bool {
        let here = ctevent_call_depth_here()!
        return here.pointee.depth != nil || here.pointee.callback != nil
    }

    /// A request has been made as part of another one's work.
    static func enter(_ request: RequestPointer, below owner: RequestPointer, _ function: UnsafePointer<CChar>?) {
        guard owner.c.pointee.callDepth > 0 else { return }
        request.c.pointee.callDepth = owner.c.pointee.callDepth + 1
        tell(TEVENT_CALL_FLOW_REQ_CREATE, request, function)
    }

    /// The callback of a request is about to be called, one level above.
    @inline(__always)
    static func callBack(_ request: RequestPointer) {
        guard isWatched else { return }
        let depth = max(request.c.pointee.callDepth, 1) - 1
        tell(TEVENT_CALL_FLOW_REQ_NOTIFY_CB, request, request.c.pointee.callbackName, depth: depth)
    }

    /// A turn of a loop is over, and with it all that it has called.
    @inline(__always)
    static func endTurn() {
        guard isWatched else { return }
        let here = ctevent_call_depth_here()!
        here.pointee.depth?.pointee = 0
        here.pointee.callback?(here.pointee.private_data, TEVENT_CALL_FLOW_REQ_RESET, nil, 0, nil)
    }

    /// Tells how deep a request is: the function, and with what begins or ends something the number, too.
    static func tell(
        _ command: tevent_thread_call_depth_cmd, _ request: RequestPointer, _ function: UnsafePointer<CChar>?,
        depth: Int? = nil, setsNumber: Bool = true
    ) {
        let here = ctevent_call_depth_here()!
        let depth = depth ?? request.c.pointee.callDepth
        if setsNumber { here.pointee.depth?.pointee = depth }
        here.pointee.callback?(here.pointee.private_data, command, OpaquePointer(request), depth, function)
    }
}

@c @implementation
package func tevent_thread_call_depth_activate(_ depth: UnsafeMutablePointer<Int>?) {
    ctevent_call_depth_here()!.pointee.depth = depth
}

@c @implementation
package func tevent_thread_call_depth_deactivate() {
    let here = ctevent_call_depth_here()!
    here.pointee.depth?.pointee = 0
    here.pointee.depth = nil
}

@c @implementation
package func tevent_thread_call_depth_set_callback(
    _ callback: tevent_call_depth_callback_t?, _ private_data: UnsafeMutableRawPointer?
) {
    let here = ctevent_call_depth_here()!
    here.pointee.callback = callback
    here.pointee.private_data = private_data
}

@c @implementation
package func tevent_thread_call_depth_start(_ req: OpaquePointer?) {
    guard CallDepth.isWatched else { return }
    let request: RequestPointer = record(req, .request)
    request.c.pointee.callDepth = 1
    CallDepth.tell(TEVENT_CALL_FLOW_REQ_CREATE, request, nil)
}

@c @implementation
package func tevent_thread_call_depth_reset_from_req(_ req: OpaquePointer?) {
    _tevent_thread_call_depth_reset_from_req(req, nil)
}

@c @implementation
package func _tevent_thread_call_depth_reset_from_req(_ req: OpaquePointer?, _ function: UnsafePointer<CChar>?) {
    guard CallDepth.isWatched else { return }
    CallDepth.tell(
        TEVENT_CALL_FLOW_REQ_RESET, record(req, .request, "tevent_thread_call_depth_reset_from_req"), function)
}
