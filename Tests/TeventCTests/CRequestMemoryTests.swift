import CTalloc
import CTevent
import Glibc
import XCTest

/// What is freed when a request is received or freed, in which order, and what the request reports about itself.
final class CRequestMemoryTests: CAPITestCase {
    /// Adds a chunk below a parent; its destructor notes a name.
    private func noteFreeing(of parent: UnsafeMutableRawPointer?, _ name: String) {
        let note = keep { self.log.append(name) }
        let chunk = talloc_named_const(parent, MemoryLayout<UnsafeMutableRawPointer>.size, c("noted"))!
        chunk.storeBytes(of: note, as: UnsafeMutableRawPointer.self)
        _talloc_set_destructor(chunk) {
            kept($0!.load(as: UnsafeMutableRawPointer.self), as: (() -> Void).self)()
            return 0
        }
    }

    func testReceivingFreesTheStateAndKeepsOtherChildren() throws {
        let req = request()
        noteFreeing(of: _tevent_req_data(req), "state")
        noteFreeing(of: chunk(req), "child")
        _tevent_req_done(req, here)
        tevent_req_received(req)
        XCTAssertEqual(log, ["state"])
        XCTAssertNil(_tevent_req_data(req))
        XCTAssertEqual(outcome(req), "received")
        XCTAssertFalse(tevent_req_is_in_progress(req))
        tevent_req_received(req)
        XCTAssertEqual(log, ["state"])
        release(req)
        XCTAssertEqual(log, ["state", "child"])
    }

    func testAFreedRequestFreesItsStateBeforeOtherChildren() throws {
        let req = request()
        noteFreeing(of: chunk(req), "first child")
        noteFreeing(of: _tevent_req_data(req), "state")
        noteFreeing(of: chunk(req), "second child")
        onCleanUp(req) { _, _ in self.log.append("clean up") }
        release(req)
        XCTAssertEqual(log, ["clean up", "state", "second child", "first child"])
    }

    func testReceivingKeepsTheCallback() throws {
        let req = request()
        noteEnd(req)
        tevent_req_received(req)
        XCTAssertNotNil(_tevent_req_callback_data(req))
        XCTAssertEqual(log, [])
    }

    func testCleaningUpComesBeforeTheCallbackAndBeforeTheStateGoes() throws {
        let req = request()
        noteFreeing(of: _tevent_req_data(req), "state")
        noteEnd(req)
        onCleanUp(req) { given, state in
            XCTAssertEqual(given, req)
            self.log.append("clean up \(self.name(state))")
        }
        _tevent_req_done(req, here)
        XCTAssertEqual(log, ["clean up done", "callback done"])
        release(req)
        XCTAssertEqual(log, ["clean up done", "callback done", "clean up received", "state"])
    }

    func testARequestFreedInProgressIsCleanedUp() throws {
        let ev = try context()
        let req = request()
        noteFreeing(of: _tevent_req_data(req), "state")
        noteEnd(req)
        onCleanUp(req) { _, state in self.log.append("clean up \(self.name(state))") }
        XCTAssertTrue(tevent_req_set_endtime(req, ev, timeval()))
        release(req)
        XCTAssertEqual(log, ["clean up received", "state"])
        XCTAssertFalse(tevent_common_have_events(ev))
    }

    func testSubrequestsGoWithTheState() throws {
        let req = request()
        let subreq = request(under: _tevent_req_data(req))
        noteEnd(subreq)
        onCleanUp(subreq) { _, state in self.log.append("sub \(self.name(state))") }
        onCleanUp(req) { _, state in self.log.append(self.name(state)) }
        _tevent_req_done(req, here)
        tevent_req_received(req)
        XCTAssertEqual(log, ["done", "received", "sub received"])
        release(req)
        XCTAssertEqual(talloc_total_blocks(memory), 1)
    }

    func testACleanUpFunctionMayBeTakenBack() throws {
        let req = request()
        onCleanUp(req) { _, _ in self.log.append("clean up") }
        tevent_req_set_cleanup_fn(req, nil)
        onCancel(req) { true }
        tevent_req_set_cancel_fn(req, nil)
        XCTAssertFalse(_tevent_req_cancel(req, here))
        _tevent_req_done(req, here)
        release(req)
        XCTAssertEqual(log, [])
    }

    // MARK: Words

    private func words(_ make: (UnsafeMutableRawPointer?) -> UnsafeMutablePointer<CChar>?) throws -> String {
        let words = try XCTUnwrap(make(memory))
        XCTAssertEqual(talloc_parent(words), memory)
        return String(cString: words)
    }

    func testTheDefaultTextSaysEverything() throws {
        let ev = try context()
        let req = request()
        func address(_ chunk: UnsafeMutableRawPointer?) -> String {
            "0x" + String(UInt(bitPattern: chunk), radix: 16)
        }
        let (name, state) = (address(chunk(req)), address(_tevent_req_data(req)))
        XCTAssertEqual(
            try words { tevent_req_default_print(req, $0) },
            "tevent_req[\(name)/test.c:1]: state[1] error[0 (0x0)]  state[struct test_state (\(state))] "
                + "timer[(nil)] finish[(null)]")
        XCTAssertTrue(tevent_req_set_endtime(req, ev, tevent_timeval_current_ofs(3600, 0)))
        XCTAssertFalse(try words { tevent_req_print($0, req) }.contains("timer[(nil)]"))
        _tevent_req_error(req, 255, c("end.c:2"))
        XCTAssertEqual(
            try words { tevent_req_print($0, req) },
            "tevent_req[\(name)/test.c:1]: state[3] error[255 (0xFF)]  state[struct test_state (\(state))] "
                + "timer[(nil)] finish[end.c:2]")
    }

    func testARequestMayHaveItsOwnText() throws {
        let req = request()
        onPrint(req) { "mine" }
        XCTAssertEqual(try words { tevent_req_print($0, req) }, "mine")
        XCTAssertTrue(try words { tevent_req_default_print(req, $0) }.hasPrefix("tevent_req["))
        tevent_req_set_print_fn(req, nil)
        XCTAssertTrue(try words { tevent_req_print($0, req) }.hasPrefix("tevent_req["))
    }

    func testItsOwnTextEndsWithReceiving() throws {
        let req = request()
        onPrint(req) { "mine" }
        tevent_req_received(req)
        XCTAssertTrue(try words { tevent_req_print($0, req) }.contains("state[6]"))
    }

    // MARK: Depth

    func testTheDepthOfCallsIsKeptUpToDate() throws {
        let depth = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        depth.initialize(to: 99)
        defer {
            tevent_thread_call_depth_deactivate()
            depth.deallocate()
        }
        tevent_thread_call_depth_activate(depth)
        let req = request()
        tevent_thread_call_depth_start(req)
        XCTAssertEqual(depth.pointee, 1)
        let subreq = request(under: _tevent_req_data(req))
        XCTAssertEqual(depth.pointee, 2)
        let subsubreq = request(under: _tevent_req_data(subreq))
        XCTAssertEqual(depth.pointee, 3)
        for (index, each) in [subsubreq, subreq, req].enumerated() {
            onEnd(each) { _ in self.log.append("\(index): \(depth.pointee)") }
            _tevent_req_done(each, here)
        }
        XCTAssertEqual(log, ["0: 2", "1: 1", "2: 0"])
        tevent_thread_call_depth_reset_from_req(subreq)
        XCTAssertEqual(depth.pointee, 2)
        tevent_thread_call_depth_deactivate()
        XCTAssertEqual(depth.pointee, 0)
        tevent_thread_call_depth_reset_from_req(subreq)
        XCTAssertEqual(depth.pointee, 0)
    }

    func testAFunctionIsCalledWithTheDepth() throws {
        typealias Told = (_ command: tevent_thread_call_depth_cmd, _ depth: Int, _ function: String) -> Void
        let told: Told = { command, depth, function in
            let names = ["reset", "create", "cancel", "clean up", "callback"]
            self.log.append("\(names[Int(command.rawValue)]) \(depth) \(function)")
        }
        tevent_thread_call_depth_set_callback(
            { data, command, _, depth, function in
                kept(data, as: Told.self)(command, depth, function.map { String(cString: $0) } ?? "-")
            }, keep(told))
        defer { tevent_thread_call_depth_set_callback(nil, nil) }
        let req = request()
        var state: UnsafeMutableRawPointer?
        let subreq = __tevent_req_create(_tevent_req_data(req), &state, 8, c("state"), c("make_sub"), here)
        _tevent_req_set_callback(subreq, { _ in }, c("sub_done"), nil)
        _tevent_req_set_cleanup_fn(subreq, { _, _ in }, c("sub_cleanup"))
        _tevent_req_set_cancel_fn(subreq, { _ in true }, c("sub_cancel"))
        _tevent_req_cancel(subreq, here)
        _tevent_req_done(subreq, here)
        _tevent_thread_call_depth_reset_from_req(req, c("back"))
        XCTAssertEqual(
            log,
            [
                "create 0 -", "create 1 make_sub", "cancel 1 sub_cancel", "clean up 1 sub_cleanup",
                "callback 0 sub_done", "reset 0 back",
            ])
    }
}
