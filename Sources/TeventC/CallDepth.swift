// swift-format-ignore-file: NoLeadingUnderscores
import CTevent
import Talloc
import Tevent

// How deeply the requests of a thread are nested, for logs that indent. A program asks for it in one of two ways: with
// a number that the engine keeps up to date, or, in later versions, with a function that the engine calls. A request
// counts from where a program says that a chain begins, and so do those created under its state.

enum CallDepth {
    /// Whether this thread asked for it.
    @inline(__always)
    static var isWatched: Bool {
        let here = ctevent_call_depth_here()!
        return here.pointee.depth != nil || here.pointee.callback != nil
    }

    /// Notes a new request, which is part of its owner's work if it has an owner.
    ///
    /// The program's function is called for every request; one without an owner has depth 0. The number counts only the
    /// requests of a chain that the program has begun.
    static func enter(_ request: RequestPointer, below owner: RequestPointer?, _ function: UnsafePointer<CChar>?) {
        let above = owner?.c.pointee.callDepth ?? 0
        guard above > 0 || hasCallback else { return }
        if owner != nil { request.c.pointee.callDepth = above + 1 }
        tell(TEVENT_CALL_FLOW_REQ_CREATE, request, function)
    }

    /// Whether this thread has a function that follows the flow of requests.
    private static var hasCallback: Bool { ctevent_call_depth_here()!.pointee.callback != nil }

    /// Notes the end of a request's work, if the request has no cleanup function.
    @inline(__always)
    static func endWithoutCleanup(_ request: RequestPointer) {
        guard isWatched, request.c.pointee.cleanup == nil else { return }
        // The end is reported now, and not again when the loop delivers the request.
        request.c.pointee.isPosted = false
        tell(TEVENT_CALL_FLOW_REQ_CLEANUP, request, nil, setsNumber: false)
    }

    /// Notes that the callback of a request is about to be called, one level up.
    static func callBack(_ request: RequestPointer) {
        if request.c.pointee.isPosted {
            request.c.pointee.isPosted = false
            endWithoutCleanup(request)
        }
        let depth = max(request.c.pointee.callDepth, 1) - 1
        tell(TEVENT_CALL_FLOW_REQ_NOTIFY_CB, request, request.c.pointee.callbackName, depth: depth)
    }

    /// Notes that a turn of a loop is over, and with it everything that it has called.
    @inline(__always)
    static func endTurn() {
        guard isWatched else { return }
        let here = ctevent_call_depth_here()!
        here.pointee.depth?.pointee = 0
        reset("_tevent_loop_once")
    }

    /// Calls the function because a new chain begins.
    fileprivate static func reset(_ function: StaticString) {
        let here = ctevent_call_depth_here()!.pointee
        here.callback?(here.private_data, TEVENT_CALL_FLOW_REQ_RESET, nil, 0, function.cString)
    }

    /// Reports how deep a request is: calls the function, and updates the number too if something begins or ends.
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
    CallDepth.reset("tevent_thread_call_depth_set_callback")
    let here = ctevent_call_depth_here()!
    here.pointee.callback = callback
    here.pointee.private_data = private_data
}

@c @implementation
package func tevent_thread_call_depth_start(_ req: OpaquePointer?) {
    // From here on only the number counts; the function is called for every request anyway.
    guard let depth = ctevent_call_depth_here()!.pointee.depth else { return }
    (record(req, .request) as RequestPointer).c.pointee.callDepth = 1
    depth.pointee = 1
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
