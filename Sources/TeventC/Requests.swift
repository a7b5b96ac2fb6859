// swift-format-ignore-file: NoLeadingUnderscores
import CTalloc
import CTevent
import Glibc
import Talloc
import Tevent

// A C request is a request of the engine whose state is this struct, stored after the engine's record. The struct has
// the request's C functions and the address of the program's own state, a separate chunk below the request. It consists
// of plain bytes, so that creating a request is as quick as possible and nothing needs to be released.

struct CRequest {
    /// The program's state, or nil once it has been released.
    var state: UnsafeMutableRawPointer?
    let type: UnsafePointer<CChar>?
    var callback: tevent_req_fn?
    var callbackName: UnsafePointer<CChar>?
    var callbackData: UnsafeMutableRawPointer?
    var cancel: tevent_req_cancel_fn?
    var cancelName: UnsafePointer<CChar>?
    var cleanup: tevent_req_cleanup_fn?
    var cleanupName: UnsafePointer<CChar>?
    /// The last state for which the cleanup function was called; it is called only for later ones.
    var cleanedUpState = TEVENT_REQ_INIT
    var print: tevent_req_print_fn?
    /// The profile that records its start and end, if any.
    var profile: ProfilePointer?
    var callDepth = 0
    /// Whether the loop still has to deliver it.
    var isPosted = false

    /// The callback that the engine calls when a request ends: it finds the program's function in the state.
    static var engineCallback: RequestCallback {
        RequestCallback { RequestPointer(OpaquePointer($0.tallocHandle)).callProgram() }
    }
}

extension RequestPointer {
    /// The C part of the request.
    @inline(__always)
    var c: UnsafeMutablePointer<CRequest> { placeBehindRecord.assumingMemoryBound(to: CRequest.self) }

    // snippet: call-program
    fileprivate func callProgram() {
        // A C request keeps its callback, which may be called again, even by a loop that the callback runs.
        expectCallback()
        guard let callback = c.pointee.callback else { return }
        if CallDepth.isWatched { CallDepth.callBack(self) }
        callback(OpaquePointer(self))
    }
    // snippet-end: call-program

    /// The request whose work a new one is part of: the one under whose state it was created.
    static func owner(of mem_ctx: UnsafeMutableRawPointer?) -> RequestPointer? {
        guard let mem_ctx, let parent = talloc_parent(mem_ctx),
            talloc_check_name(parent, RequestRecord.name.cString) != nil
        else { return nil }
        return parent.assumingMemoryBound(to: RequestRecord.self)
    }

    /// Makes the engine call the program's function.
    @inline(__always)
    fileprivate func expectCallback() { replaceCallback(c.pointee.callback == nil ? nil : CRequest.engineCallback) }

    /// Replaces the engine's callback, which captures nothing and need not be released.
    @inline(__always)
    fileprivate func replaceCallback(_ callback: RequestCallback?) {
        withUnsafeMutablePointer(to: &pointee.owned.callback) { $0.initialize(to: callback) }
    }

    var state: tevent_req_state { tevent_req_state(pointee.status) }
}

extension tevent_req_state {
    init(_ status: RequestStatus) { self.init(rawValue: UInt32(status.rawValue)) }
}

@inline(__always)
private func request(_ req: OpaquePointer?, _ call: StaticString = #function) -> RequestPointer {
    record(req, .request, call)
}

// MARK: Making

@c @implementation
package func _tevent_req_create(
    _ mem_ctx: UnsafeMutableRawPointer?, _ state_place: UnsafeMutableRawPointer?, _ state_size: Int,
    _ type: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    __tevent_req_create(mem_ctx, state_place, state_size, type, nil, location)
}

@c @implementation
package func __tevent_req_create(
    _ mem_ctx: UnsafeMutableRawPointer?, _ state_place: UnsafeMutableRawPointer?, _ state_size: Int,
    _ type: UnsafePointer<CChar>?, _ function: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    prepareProgram()
    let layout = StateLayout(of: CRequest.self)
    let made = RequestPointer.make(
        layout, under: mem_ctx, room: RequestRoom(objects: 2, bytes: state_size &+ ChunkGuard.size),
        file: place(location), line: 0, destructor: destroyRequest)
    guard let request = made else {
        errno = ENOMEM
        return nil
    }
    request.c.initialize(to: CRequest(type: type))
    if isRecording { recordMade(request, kind: .request, name: type, file: place(location)) }
    let req = OpaquePointer(request)
    let isGuarded = ChunkGuard.make(below: req.chunk, endGuarded) != nil
    guard isGuarded, let state = _talloc_zero(req.chunk, state_size, type) else {
        _talloc_set_destructor(req.chunk, nil)
        if !isGuarded { request.endRecord() }
        freeChunk(req.chunk)
        errno = ENOMEM
        return nil
    }
    request.c.pointee.state = state
    state_place?.storeBytes(of: state, as: UnsafeMutableRawPointer.self)
    if CallDepth.isWatched || Profiles.areUsed {
        let owner = RequestPointer.owner(of: mem_ctx)
        if CallDepth.isWatched { CallDepth.enter(request, below: owner, function) }
        if let owner { request.joinProfile(of: owner) }
    }
    return req
}

/// Called by libtalloc when a C request is about to be freed, unless the program has replaced it.
///
/// The state is freed first; the guard ends the record last.
private func destroyRequest(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    receive(RequestPointer(OpaquePointer(chunk!)))
    return 0
}

/// Called by the guard of a C request, after the destructors of all other children, which may still use the request.
private func endGuarded(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let request = RequestPointer(OpaquePointer(chunk!))
    request.replaceCallback(nil)
    request.endRecord()
    return 0
}

@c @implementation
package func _tevent_req_data(_ req: OpaquePointer?) -> UnsafeMutableRawPointer? { request(req).c.pointee.state }

@c @implementation
package func tevent_req_set_callback(
    _ req: OpaquePointer?, _ callback: tevent_req_fn?, _ private_data: UnsafeMutableRawPointer?
) {
    _tevent_req_set_callback(req, callback, nil, private_data)
}

@c @implementation
package func _tevent_req_set_callback(
    _ req: OpaquePointer?, _ callback: tevent_req_fn?, _ callback_name: UnsafePointer<CChar>?,
    _ private_data: UnsafeMutableRawPointer?
) {
    let request = request(req)
    request.c.pointee.callback = callback
    request.c.pointee.callbackName = callback_name
    request.c.pointee.callbackData = private_data
    request.expectCallback()
}

@c @implementation
package func _tevent_req_callback_data(_ req: OpaquePointer?) -> UnsafeMutableRawPointer? {
    request(req).c.pointee.callbackData
}

// MARK: Ending

/// Ends a request, which may have ended before; then a C program's callback is called a second time.
@inline(__always)
private func finish(
    _ request: RequestPointer, _ status: RequestStatus, _ failure: RequestFailure, _ location: UnsafePointer<CChar>?
) {
    if request.pointee.owned.extras?.cleanup == nil { request.stopProfile(status, failure, location) }
    CallDepth.endWithoutCleanup(request)
    request.fail(status, failure, file: location, line: 0)
}

@c @implementation
package func _tevent_req_done(_ req: OpaquePointer?, _ location: UnsafePointer<CChar>?) {
    finish(request(req), .done, .none, location)
}

@c @implementation
package func _tevent_req_error(_ req: OpaquePointer?, _ error: UInt64, _ location: UnsafePointer<CChar>?) -> Bool {
    guard error != 0 else { return false }
    finish(request(req), .failed, .code(error), location)
    return true
}

@c @implementation
package func _tevent_req_oom(_ req: OpaquePointer?, _ location: UnsafePointer<CChar>?) {
    finish(request(req), .noMemory, .none, location)
}

@c @implementation
package func _tevent_req_nomem(
    _ memory: UnsafeRawPointer?, _ req: OpaquePointer?, _ location: UnsafePointer<CChar>?
) -> Bool {
    guard memory == nil else { return false }
    _tevent_req_oom(req, location)
    return true
}

@c @implementation
package func tevent_req_post(_ req: OpaquePointer?, _ ev: OpaquePointer?) -> OpaquePointer? {
    let request = request(req)
    request.post(on: context(ev))
    request.c.pointee.isPosted = true
    return req
}

@c @implementation
package func tevent_req_defer_callback(_ req: OpaquePointer?, _ ev: OpaquePointer?) {
    let request = request(req)
    guard ev != nil else {
        request.pointee.owned.extras?.deferral = nil
        return
    }
    request.extras.deferral = EventContext(context(ev))
}

@c @implementation
package func _tevent_req_notify_callback(_ req: OpaquePointer?, _ location: UnsafePointer<CChar>?) {
    let request = request(req)
    request.pointee.finishFile = location
    guard let events = request.pointee.owned.extras?.deferral.take() else {
        // For a request that was already received, the engine does nothing; C calls again.
        return request.pointee.status == .received ? request.callProgram() : request.notify()
    }
    if !events.isFreed { request.post(on: events.record()) }
}

@c @implementation
package func _tevent_req_cancel(_ req: OpaquePointer?, _ location: UnsafePointer<CChar>?) -> Bool {
    let request = request(req)
    if CallDepth.isWatched {
        CallDepth.tell(TEVENT_CALL_FLOW_REQ_CANCEL, request, request.c.pointee.cancelName, setsNumber: false)
    }
    return request.c.pointee.cancel?(req) ?? false
}

@c @implementation
package func tevent_req_set_cancel_fn(_ req: OpaquePointer?, _ cancel: tevent_req_cancel_fn?) {
    _tevent_req_set_cancel_fn(req, cancel, nil)
}

@c @implementation
package func _tevent_req_set_cancel_fn(
    _ req: OpaquePointer?, _ cancel: tevent_req_cancel_fn?, _ cancel_name: UnsafePointer<CChar>?
) {
    let request = request(req)
    request.c.pointee.cancel = cancel
    request.c.pointee.cancelName = cancel == nil ? nil : cancel_name
}

@c @implementation
package func tevent_req_set_cleanup_fn(_ req: OpaquePointer?, _ cleanup: tevent_req_cleanup_fn?) {
    _tevent_req_set_cleanup_fn(req, cleanup, nil)
}

@c @implementation
package func _tevent_req_set_cleanup_fn(
    _ req: OpaquePointer?, _ cleanup: tevent_req_cleanup_fn?, _ cleanup_name: UnsafePointer<CChar>?
) {
    let request = request(req)
    request.c.pointee.cleanup = cleanup
    request.c.pointee.cleanupName = cleanup == nil ? nil : cleanup_name
    request.c.pointee.cleanedUpState = request.state
    request.extras.cleanup = { request, status in
        let request = RequestPointer(OpaquePointer(request.tallocHandle))
        let state = tevent_req_state(status)
        let (handle, location) = (request.handle, request.pointee.finishFile)
        if let cleanup = request.c.pointee.cleanup, request.c.pointee.cleanedUpState.rawValue < state.rawValue {
            request.c.pointee.cleanedUpState = state
            CallDepth.tell(
                TEVENT_CALL_FLOW_REQ_CLEANUP, request, request.c.pointee.cleanupName, setsNumber: false)
            cleanup(OpaquePointer(request), state)
        }
        guard !handle.isStale, status != .received else { return }
        request.pointee.finishFile = location
        request.stopProfile(status, request.pointee.owned.failure, request.pointee.finishFile)
    }
}

// MARK: Time

@c @implementation
package func tevent_req_set_endtime(_ req: OpaquePointer?, _ ev: OpaquePointer?, _ deadline: timeval) -> Bool {
    let request = request(req)
    tevent_req_reset_endtime(req)
    do throws(TeventError) {
        request.extras.endTimer = try context(ev).addTimer(
            at: EventInstant(deadline), under: req?.chunk, file: StaticString("tevent_req_set_endtime").cString, line: 0
        ) { _, _ in finish(request, .timedOut, .none, StaticString("tevent_req_timedout").cString) }
        return true
    } catch {
        _tevent_req_oom(req, StaticString("tevent_req_set_endtime").cString)
        return false
    }
}

@c @implementation
package func tevent_req_reset_endtime(_ req: OpaquePointer?) {
    guard let timer = request(req).pointee.owned.extras?.endTimer.take(), !timer.isFreed else { return }
    timer.free()
}

// MARK: Looking, receiving

// snippet: in-progress
@c @implementation
package func tevent_req_is_in_progress(_ req: OpaquePointer?) -> Bool { request(req).pointee.status == .inProgress }
// snippet-end: in-progress

@c @implementation
package func tevent_req_is_error(
    _ req: OpaquePointer?, _ state: UnsafeMutablePointer<tevent_req_state>?, _ error: UnsafeMutablePointer<UInt64>?
) -> Bool {
    let request = request(req)
    guard request.pointee.status != .done else { return false }
    if case .code(let code) = request.pointee.owned.failure, request.pointee.status == .failed { error?.pointee = code }
    state?.pointee = request.state
    return true
}

@c @implementation
package func tevent_req_poll(_ req: OpaquePointer?, _ ev: OpaquePointer?) -> Bool {
    let request = request(req)
    while request.pointee.status == .inProgress {
        guard _tevent_loop_once(ev, StaticString("tevent_req_poll").cString) == 0 else { return false }
    }
    return true
}

@c @implementation
package func tevent_req_received(_ req: OpaquePointer?) { receive(request(req)) }

/// Ends the work of a request, and frees its state.
private func receive(_ request: RequestPointer) {
    request.c.pointee.print = nil
    request.c.pointee.cancel = nil
    request.c.pointee.cancelName = nil
    if request.pointee.status != .received { CallDepth.endWithoutCleanup(request) }
    guard request.endWorkKeepingChildren() else { return }
    if let state = request.c.pointee.state {
        request.c.pointee.state = nil
        freeChunk(state)
    }
}

@c @implementation
package func tevent_req_set_print_fn(_ req: OpaquePointer?, _ print: tevent_req_print_fn?) {
    request(req).c.pointee.print = print
}

@c @implementation
package func tevent_req_print(
    _ mem_ctx: UnsafeMutableRawPointer?, _ req: OpaquePointer?
) -> UnsafeMutablePointer<CChar>? {
    guard req != nil else { return talloc_strdup(mem_ctx, "tevent_req[NULL]") }
    guard let print = request(req).c.pointee.print else { return tevent_req_default_print(req, mem_ctx) }
    return print(req, mem_ctx)
}

@c @implementation
package func tevent_req_default_print(
    _ req: OpaquePointer?, _ mem_ctx: UnsafeMutableRawPointer?
) -> UnsafeMutablePointer<CChar>? {
    let request = request(req)
    func address(_ pointer: UnsafeMutableRawPointer?) -> String {
        pointer.map { "0x" + String(UInt(bitPattern: $0), radix: 16) } ?? "(nil)"
    }
    var error: UInt64 = 0
    if case .code(let code) = request.pointee.owned.failure { error = code }
    let timer = request.pointee.owned.extras?.endTimer.flatMap(\.tallocHandle.object)
    let finish = request.pointee.finishFile.map { String(cString: $0) } ?? "(null)"
    let type = request.c.pointee.type.map { String(cString: $0) } ?? "(null)"
    let words =
        "tevent_req[\(address(req?.chunk))/\(request.origin)]: state[\(request.state.rawValue)] "
        + "error[\(Int64(bitPattern: error)) (0x\(String(error, radix: 16, uppercase: true)))]  "
        + "state[\(type) (\(address(request.c.pointee.state)))] "
        + "timer[\(address(timer))] finish[\(finish)]"
    return talloc_strdup(mem_ctx, words)
}
