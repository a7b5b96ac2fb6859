import CTevent
import Talloc
import Tevent

// A request that ends at a point in time, made of what any C program could make it of.

@c @implementation
package func tevent_wakeup_send(
    _ mem_ctx: UnsafeMutableRawPointer?, _ ev: OpaquePointer?, _ deadline: timeval
) -> OpaquePointer? {
    let location = StaticString("tevent_wakeup_send").cString
    var state: UnsafeMutableRawPointer?
    let req = _tevent_req_create(mem_ctx, &state, 1, StaticString("struct tevent_wakeup_state").cString, location)
    guard let req else { return nil }
    let timer = _tevent_add_timer(
        ev, req.chunk, deadline, { _, _, _, req in _tevent_req_done(req.map { OpaquePointer($0) }, wakeup) },
        req.chunk, wakeup, location)
    guard timer != nil else {
        _tevent_req_oom(req, location)
        return tevent_req_post(req, ev)
    }
    return req
}

private var wakeup: UnsafePointer<CChar> { StaticString("tevent_wakeup").cString }

@c @implementation
package func tevent_wakeup_recv(_ req: OpaquePointer?) -> Bool {
    let isDone = (record(req, .request) as RequestPointer).pointee.status == .done
    tevent_req_received(req)
    return isDone
}
