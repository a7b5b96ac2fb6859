import CTevent
import Glibc
import Talloc
import Tevent

// A request whose only purpose is to time out.

@c @implementation
package func tevent_wakeup_send(
    _ mem_ctx: UnsafeMutableRawPointer?, _ ev: OpaquePointer?, _ deadline: timeval
) -> OpaquePointer? {
    _ = context(ev)
    var state: UnsafeMutableRawPointer?
    let here = StaticString("tevent_wakeup_send").cString
    let type = StaticString("struct tevent_wakeup_state").cString
    let req = __tevent_req_create(mem_ctx, &state, MemoryLayout<timeval>.size, type, here, here)
    guard let req else { return nil }
    return tevent_req_set_endtime(req, ev, deadline) ? req : tevent_req_post(req, ev)
}

@c @implementation
package func tevent_wakeup_recv(_ req: OpaquePointer?) -> Bool {
    let status = (record(req, .request) as RequestPointer).pointee.status
    return status == .done || status == .timedOut
}
