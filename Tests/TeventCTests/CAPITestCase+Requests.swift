import CTalloc
import CTevent
import Glibc
import XCTest

/// The closures that the functions of a request call, found through its state.
private final class RequestFunctions {
    var cancel: (() -> Bool)?
    var cleanUp: ((_ req: OpaquePointer?, _ state: tevent_req_state) -> Void)?
    var print: ((_ req: OpaquePointer?, _ parent: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<CChar>?)?

    static func of(_ req: OpaquePointer?) -> RequestFunctions {
        kept(_tevent_req_data(req)!.load(as: UnsafeMutableRawPointer?.self))
    }
}

typealias RequestBody = (_ req: OpaquePointer?) -> Void

extension CAPITestCase {
    /// A request whose state is one pointer, to the closures that its functions call.
    func request(under parent: UnsafeMutableRawPointer? = nil) -> OpaquePointer? {
        var state: UnsafeMutableRawPointer?
        let req = _tevent_req_create(parent ?? memory, &state, 8, c("struct test_state"), here)
        XCTAssertEqual(state, _tevent_req_data(req))
        state?.storeBytes(of: keep(RequestFunctions()), as: UnsafeMutableRawPointer?.self)
        return req
    }

    func onEnd(_ req: OpaquePointer?, _ body: @escaping RequestBody) {
        _tevent_req_set_callback(
            req, { kept(_tevent_req_callback_data($0), as: RequestBody.self)($0) }, c("on_end"), keep(body))
    }

    /// Makes a callback note its name and how the request has ended.
    func noteEnd(_ req: OpaquePointer?, _ name: String = "callback") {
        onEnd(req) { self.log.append("\(name) \(self.outcome($0))") }
    }

    func onCancel(_ req: OpaquePointer?, _ body: @escaping () -> Bool) {
        RequestFunctions.of(req).cancel = body
        _tevent_req_set_cancel_fn(req, { RequestFunctions.of($0).cancel!() }, c("on_cancel"))
    }

    func onCleanUp(_ req: OpaquePointer?, _ body: @escaping (OpaquePointer?, tevent_req_state) -> Void) {
        RequestFunctions.of(req).cleanUp = body
        _tevent_req_set_cleanup_fn(req, { RequestFunctions.of($0).cleanUp!($0, $1) }, c("on_clean_up"))
    }

    func onPrint(_ req: OpaquePointer?, _ words: @escaping () -> String) {
        RequestFunctions.of(req).print = { _, parent in talloc_strdup(parent, words()) }
        tevent_req_set_print_fn(req) { RequestFunctions.of($0).print!($0, $1) }
    }

    /// The state of a request in a word, with its error if it has one.
    func outcome(_ req: OpaquePointer?) -> String {
        var state = TEVENT_REQ_INIT
        var error: UInt64 = 0
        guard tevent_req_is_error(req, &state, &error) else { return "done" }
        return name(state) + (error == 0 ? "" : " \(error)")
    }

    func name(_ state: tevent_req_state) -> String {
        ["init", "in progress", "done", "error", "timed out", "no memory", "received"][Int(state.rawValue)]
    }
}
