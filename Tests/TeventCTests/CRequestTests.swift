import CTalloc
import CTevent
import Glibc
import XCTest

/// Requests: how they are created, how they end, and which functions are called.
final class CRequestTests: CAPITestCase {
    func testARequestAndItsStateAreChunks() throws {
        var state: UnsafeMutableRawPointer?
        let req = _tevent_req_create(memory, &state, 64, c("struct my_state"), here)
        XCTAssertEqual(talloc_parent(chunk(req)), memory)
        XCTAssertEqual(String(cString: talloc_get_name(chunk(req))), "struct tevent_req")
        XCTAssertEqual(talloc_parent(state), chunk(req))
        XCTAssertEqual(String(cString: talloc_get_name(state)), "struct my_state")
        XCTAssertEqual(talloc_get_size(state), 64)
        XCTAssertEqual(_tevent_req_data(req), state)
        for offset in 0..<64 { XCTAssertEqual(state?.load(fromByteOffset: offset, as: UInt8.self), 0) }
        XCTAssertTrue(tevent_req_is_in_progress(req))
        XCTAssertEqual(outcome(req), "in progress")
    }

    func testTheCallbackIsCalledForEachKindOfEnd() throws {
        let ends: [(name: String, end: (OpaquePointer?) -> Void)] = [
            ("done", { _tevent_req_done($0, here) }),
            ("error 4711", { XCTAssertTrue(_tevent_req_error($0, 4711, here)) }),
            ("no memory", { _tevent_req_oom($0, here) }),
            ("no memory", { XCTAssertTrue(_tevent_req_nomem(nil, $0, here)) }),
        ]
        for end in ends {
            let req = request()
            noteEnd(req)
            end.end(req)
            XCTAssertEqual(log, ["callback \(end.name)"])
            XCTAssertFalse(tevent_req_is_in_progress(req))
            log = []
        }
    }

    func testAZeroErrorEndsNothing() throws {
        let req = request()
        noteEnd(req)
        XCTAssertFalse(_tevent_req_error(req, 0, here))
        XCTAssertFalse(_tevent_req_nomem(memory, req, here))
        XCTAssertTrue(tevent_req_is_in_progress(req))
        XCTAssertEqual(log, [])
    }

    func testAnErrorNumberIsLeftAloneUnlessThereIsOne() throws {
        let req = request()
        var state = TEVENT_REQ_INIT
        var error: UInt64 = 99
        XCTAssertTrue(tevent_req_is_error(req, &state, &error))
        XCTAssertEqual(error, 99)
        _tevent_req_error(req, .max, here)
        XCTAssertTrue(tevent_req_is_error(req, &state, &error))
        XCTAssertEqual(error, .max)
        XCTAssertEqual(state, TEVENT_REQ_USER_ERROR)
    }

    func testTheCallbacksDataIsFound() throws {
        let req = request()
        XCTAssertNil(_tevent_req_callback_data(req))
        tevent_req_set_callback(req, { _ in }, memory)
        XCTAssertEqual(_tevent_req_callback_data(req), memory)
        tevent_req_set_callback(req, nil, nil)
        _tevent_req_done(req, here)
        XCTAssertEqual(outcome(req), "done")
    }

    func testTheCallbackMayFreeTheRequest() throws {
        let req = request()
        onEnd(req) {
            XCTAssertEqual(release($0), 0)
            self.log.append("freed")
        }
        _tevent_req_done(req, here)
        XCTAssertEqual(log, ["freed"])
        XCTAssertEqual(talloc_total_blocks(memory), 1)
    }

    func testASecondEndCallsBackOnceMore() throws {
        let req = request()
        noteEnd(req)
        onCleanUp(req) { _, state in self.log.append("clean up \(self.name(state))") }
        _tevent_req_error(req, 5, here)
        _tevent_req_done(req, here)
        XCTAssertEqual(log, ["clean up error", "callback error 5", "callback done"], "done comes before error")
        _tevent_req_oom(req, here)
        XCTAssertEqual(log.suffix(2), ["clean up no memory", "callback no memory"])
        _tevent_req_oom(req, here)
        XCTAssertEqual(log.suffix(2), ["callback no memory", "callback no memory"])
    }

    // MARK: From the loop

    func testAPostedRequestCallsBackFromTheLoop() throws {
        try onEachBackend { ev in
            let req = request()
            _tevent_req_error(req, 7, here)
            XCTAssertEqual(tevent_req_post(req, ev), req)
            noteEnd(req)
            XCTAssertEqual(log, [])
            once(ev)
            XCTAssertEqual(log, ["callback error 7"])
            XCTAssertTrue(isQuiet(ev))
        }
    }

    func testAPostedRequestThatIsFreedCallsNoCallback() throws {
        try onEachBackend { ev in
            let req = request()
            noteEnd(req)
            onCleanUp(req) { _, _ in }
            tevent_req_defer_callback(req, ev)
            _tevent_req_done(req, here)
            XCTAssertTrue(tevent_common_have_events(ev))
            release(req)
            XCTAssertFalse(tevent_common_have_events(ev))
            wait(ev)
            XCTAssertEqual(log, [])
        }
    }

    func testADeferredCallbackComesFromTheLoopOnce() throws {
        try onEachBackend { ev in
            let req = request()
            noteEnd(req)
            tevent_req_defer_callback(req, ev)
            _tevent_req_done(req, here)
            XCTAssertEqual(outcome(req), "done")
            XCTAssertEqual(log, [])
            once(ev)
            XCTAssertEqual(log, ["callback done"])
            _tevent_req_done(req, here)
            XCTAssertEqual(log, ["callback done", "callback done"], "deferring is for one end")
        }
    }

    func testNotifyingCallsBackInTheMiddle() throws {
        try onEachBackend { ev in
            let req = request()
            noteEnd(req)
            _tevent_req_notify_callback(req, here)
            XCTAssertEqual(log, ["callback in progress"])
            tevent_req_defer_callback(req, ev)
            _tevent_req_notify_callback(req, here)
            XCTAssertEqual(log.count, 1)
            once(ev)
            XCTAssertEqual(log.count, 2)
            _tevent_req_done(req, here)
            XCTAssertEqual(log, ["callback in progress", "callback in progress", "callback done"])
        }
    }

    // MARK: Cancelling and time

    func testCancellingAsksTheRequest() throws {
        let req = request()
        noteEnd(req)
        XCTAssertFalse(_tevent_req_cancel(req, here), "it cannot be cancelled")
        onCancel(req) { false }
        XCTAssertFalse(_tevent_req_cancel(req, here))
        onCancel(req) {
            _tevent_req_error(req, UInt64(ECANCELED), here)
            return true
        }
        XCTAssertTrue(_tevent_req_cancel(req, here))
        XCTAssertEqual(log, ["callback error \(ECANCELED)"])
        tevent_req_received(req)
        XCTAssertFalse(_tevent_req_cancel(req, here))
    }

    func testTheEndTimeEndsARequest() throws {
        try onEachBackend { ev in
            let req = request()
            noteEnd(req)
            XCTAssertTrue(tevent_req_set_endtime(req, ev, tevent_timeval_current_ofs(3600, 0)))
            XCTAssertTrue(tevent_req_set_endtime(req, ev, tevent_timeval_set(1, 0)))
            once(ev)
            XCTAssertEqual(log, ["callback timed out"])
            XCTAssertFalse(tevent_common_have_events(ev))
        }
    }

    func testAnEndTimeCanBeTakenBackAndGoesWithTheEnd() throws {
        try onEachBackend { ev in
            let req = request()
            noteEnd(req)
            tevent_req_reset_endtime(req)
            XCTAssertTrue(tevent_req_set_endtime(req, ev, timeval()))
            tevent_req_reset_endtime(req)
            XCTAssertFalse(tevent_common_have_events(ev))
            XCTAssertTrue(tevent_req_set_endtime(req, ev, timeval()))
            _tevent_req_done(req, here)
            XCTAssertFalse(tevent_common_have_events(ev))
            XCTAssertEqual(log, ["callback done"])
        }
    }

    func testPollingRunsTheLoopUntilTheEnd() throws {
        try onEachBackend { ev in
            let req = request()
            timer(ev) { _, _, _ in self.log.append("first") }
            timer(ev) { _, _, _ in _tevent_req_done(req, here) }
            timer(ev) { _, _, _ in self.log.append("never") }
            XCTAssertTrue(tevent_req_poll(req, ev))
            XCTAssertTrue(tevent_req_poll(req, ev))
            XCTAssertEqual(log, ["first"])
        }
    }

    func testPollingEndsWhenTheLoopFails() throws {
        let ev = try context()
        tevent_loop_set_nesting_hook(ev, { _, _, _, _, _, _ in -1 }, nil)
        XCTAssertFalse(tevent_req_poll(request(), ev))
    }

    func testAWakeupEndsAtItsTime() throws {
        try onEachBackend { ev in
            let req = tevent_wakeup_send(memory, ev, tevent_timeval_set(1, 0))
            noteEnd(req)
            XCTAssertTrue(tevent_req_poll(req, ev))
            XCTAssertEqual(log, ["callback timed out"])
            XCTAssertTrue(tevent_wakeup_recv(req))
            let other = tevent_wakeup_send(memory, ev, tevent_timeval_current_ofs(3600, 0))
            release(other)
            XCTAssertFalse(tevent_common_have_events(ev))
        }
    }

    func testAWakeupThatFailedSaysSo() throws {
        let ev = try context()
        let req = tevent_wakeup_send(memory, ev, tevent_timeval_current_ofs(3600, 0))
        _tevent_req_error(req, 5, here)
        XCTAssertFalse(tevent_wakeup_recv(req))
        XCTAssertFalse(tevent_common_have_events(ev))
    }
}
