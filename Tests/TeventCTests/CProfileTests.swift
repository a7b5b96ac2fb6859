import CTalloc
import CTevent
import Glibc
import XCTest

/// What requests record about their time, and profiles that a program creates itself.
final class CProfileTests: CAPITestCase {
    private func name(of profile: OpaquePointer?) -> String? {
        var name: UnsafePointer<CChar>?
        tevent_req_profile_get_name(profile, &name)
        return name.map { String(cString: $0) }
    }

    private func start(of profile: OpaquePointer?) -> (location: String?, time: timeval) {
        var location: UnsafePointer<CChar>?
        var time = timeval()
        tevent_req_profile_get_start(profile, &location, &time)
        return (location.map { String(cString: $0) }, time)
    }

    private func stop(of profile: OpaquePointer?) -> (location: String?, time: timeval) {
        var location: UnsafePointer<CChar>?
        var time = timeval()
        tevent_req_profile_get_stop(profile, &location, &time)
        return (location.map { String(cString: $0) }, time)
    }

    private func status(of profile: OpaquePointer?) -> (process: pid_t, state: tevent_req_state, error: UInt64) {
        var process: pid_t = 0
        var state = TEVENT_REQ_INIT
        var error: UInt64 = 0
        tevent_req_profile_get_status(profile, &process, &state, &error)
        return (process, state, error)
    }

    func testARequestNotesItsBeginAndEnd() throws {
        let req = request()
        XCTAssertNil(tevent_req_get_profile(req))
        XCTAssertTrue(tevent_req_set_profile(req))
        let profile = tevent_req_get_profile(req)
        XCTAssertEqual(name(of: profile), "struct test_state")
        XCTAssertEqual(start(of: profile).location, "test.c:1")
        XCTAssertLessThan(abs(start(of: profile).time.tv_sec - time(nil)), 5)
        XCTAssertEqual(status(of: profile).state, TEVENT_REQ_INIT, "it is recorded at the end")
        _tevent_req_error(req, 42, c("end.c:3"))
        XCTAssertEqual(stop(of: profile).location, "end.c:3")
        XCTAssertLessThan(abs(stop(of: profile).time.tv_sec - time(nil)), 5)
        XCTAssertEqual(status(of: profile).state, TEVENT_REQ_USER_ERROR)
        XCTAssertEqual(status(of: profile).error, 42)
    }

    func testASecondProfileIsAnError() throws {
        let req = request()
        XCTAssertTrue(tevent_req_set_profile(req))
        XCTAssertFalse(tevent_req_set_profile(req))
        XCTAssertEqual(outcome(req), "error \(EINVAL)")
    }

    func testSubrequestsAreListedWhileTheyRunAndAfterwards() throws {
        let req = request()
        XCTAssertTrue(tevent_req_set_profile(req))
        let profile = tevent_req_get_profile(req)
        XCTAssertNil(tevent_req_profile_get_subprofiles(profile))
        var subprofiles: [OpaquePointer?] = []
        for error in 1...2 {
            let subreq = request(under: _tevent_req_data(req))
            subprofiles.append(tevent_req_get_profile(subreq))
            XCTAssertEqual(tevent_req_profile_get_subprofiles(profile), subprofiles[0])
            _tevent_req_error(subreq, UInt64(error), here)
            XCTAssertNil(tevent_req_get_profile(subreq), "it is its owner's now")
            release(subreq)
        }
        XCTAssertEqual(subprofiles.map { status(of: $0).error }, [1, 2])
        XCTAssertEqual(tevent_req_profile_next(subprofiles[0]), subprofiles[1])
        XCTAssertNil(tevent_req_profile_next(subprofiles[1]))
        XCTAssertNil(tevent_req_profile_get_subprofiles(subprofiles[0]))
    }

    func testASubrequestThatIsFreedInProgressIsNoLongerListed() throws {
        let req = request()
        XCTAssertTrue(tevent_req_set_profile(req))
        let profile = tevent_req_get_profile(req)
        let subrequests = (0..<3).map { _ in request(under: _tevent_req_data(req)) }
        let last = tevent_req_get_profile(subrequests[2])
        release(subrequests[1])
        let first = tevent_req_profile_get_subprofiles(profile)
        XCTAssertEqual(first, tevent_req_get_profile(subrequests[0]))
        XCTAssertEqual(tevent_req_profile_next(first), last)
        release(subrequests[0])
        XCTAssertEqual(tevent_req_profile_get_subprofiles(profile), last)
        release(subrequests[2])
        XCTAssertNil(tevent_req_profile_get_subprofiles(profile))
        XCTAssertNotNil(tevent_req_get_profile(request(under: _tevent_req_data(req))))
        XCTAssertNotNil(tevent_req_profile_get_subprofiles(profile))
    }

    func testASubrequestMayOutliveItsOwnersProfile() throws {
        let req = request()
        XCTAssertTrue(tevent_req_set_profile(req))
        let subreq = request(under: _tevent_req_data(req))
        release(tevent_req_move_profile(req, memory))
        _tevent_req_done(subreq, here)
        XCTAssertEqual(status(of: tevent_req_get_profile(subreq)).state, TEVENT_REQ_DONE)
    }

    func testAProfileOutlivesItsRequest() throws {
        let req = request()
        XCTAssertTrue(tevent_req_set_profile(req))
        _tevent_req_done(req, here)
        let profile = tevent_req_move_profile(req, memory)
        XCTAssertNil(tevent_req_get_profile(req))
        XCTAssertNil(tevent_req_move_profile(req, memory))
        release(req)
        XCTAssertEqual(talloc_parent(chunk(profile)), memory)
        XCTAssertEqual(status(of: profile).state, TEVENT_REQ_DONE)
        XCTAssertEqual(release(profile), 0)
        XCTAssertEqual(talloc_total_blocks(memory), 1)
    }

    func testAProgramMayFillAProfile() throws {
        let profile = tevent_req_profile_create(memory)
        XCTAssertNil(tevent_req_profile_get_subprofiles(profile))
        for text in ["first", "second"] {
            // The texts are copied.
            XCTAssertTrue(tevent_req_profile_set_name(profile, text))
            XCTAssertTrue(tevent_req_profile_set_start(profile, "\(text) start", tevent_timeval_set(1, 2)))
            XCTAssertTrue(tevent_req_profile_set_stop(profile, "\(text) stop", tevent_timeval_set(3, 4)))
        }
        tevent_req_profile_set_status(profile, 4711, TEVENT_REQ_TIMED_OUT, 9)
        XCTAssertEqual(name(of: profile), "second")
        XCTAssertEqual(start(of: profile).location, "second start")
        XCTAssertEqual(start(of: profile).time, timeval(tv_sec: 1, tv_usec: 2))
        XCTAssertEqual(stop(of: profile).location, "second stop")
        XCTAssertEqual(stop(of: profile).time, timeval(tv_sec: 3, tv_usec: 4))
        XCTAssertEqual(status(of: profile).process, 4711)
        XCTAssertEqual(status(of: profile).state, TEVENT_REQ_TIMED_OUT)
        XCTAssertEqual(status(of: profile).error, 9)
        XCTAssertEqual(talloc_total_blocks(chunk(profile)), 4, "texts that were replaced are freed")
    }

    func testAProgramMayAddSubprofiles() throws {
        let parent = tevent_req_profile_create(memory)
        var children: [OpaquePointer?] = []
        for _ in 0..<2 {
            var child = tevent_req_profile_create(memory)
            children.append(child)
            tevent_req_profile_append_sub(parent, &child)
            XCTAssertNil(child)
        }
        XCTAssertEqual(tevent_req_profile_get_subprofiles(parent), children[0])
        XCTAssertEqual(tevent_req_profile_next(children[0]), children[1])
        XCTAssertNil(tevent_req_profile_next(children[1]))
        XCTAssertEqual(release(parent), 0)
        XCTAssertEqual(talloc_total_blocks(memory), 1)
    }
}
