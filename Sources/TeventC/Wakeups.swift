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
    // Its end time is what it waits for, as programs that look at its state know.
    return tevent_req_set_endtime(req, ev, deadline) ? req : tevent_req_post(req, ev)
}

@c @implementation
package func tevent_wakeup_recv(_ req: OpaquePointer?) -> Bool {
    let status = (record(req, .request) as RequestPointer).pointee.status
    tevent_req_received(req)
    return status == .timedOut || status == .done
}
