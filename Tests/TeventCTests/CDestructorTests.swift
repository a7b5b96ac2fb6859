import CTalloc
import CTevent
import Glibc
import XCTest

/// Objects that a program frees after it has removed their destructors.
final class CDestructorTests: CAPITestCase {
    private func freeWithoutDestructor(_ object: OpaquePointer?) {
        _talloc_set_destructor(chunk(object), nil)
        release(object)
    }

    func testAContextStillClosesWhatItHasOpened() throws {
        for name in ["epoll", "poll", "poll_mt"] {
            let ev = try XCTUnwrap(tevent_context_init_byname(memory, name))
            let ends = pipe()
            descriptor(ev, ends.writer, 2) { _, _, _ in self.log.append("descriptor") }
            let elsewhere = descriptor(ev, ends.reader, under: memory) { _, _, _ in }
            timer(ev) { _, _, _ in self.log.append("timer") }
            let im = immediate()
            schedule(im, on: ev) { _, _ in self.log.append("immediate") }
            signal(ev, SIGUSR2) { _, _, _ in self.log.append("signal") }
            freeWithoutDestructor(ev)
            XCTAssertEqual(tevent_fd_get_flags(elsewhere), 0, "the event has left its loop")
            release(elsewhere)
            release(im)
            close(ends.reader)
            close(ends.writer)
        }
        XCTAssertEqual(log, [])
    }

    func testAThreadedContextEnds() throws {
        let ev = try context()
        let threaded = try XCTUnwrap(tevent_threaded_context_create(memory, ev))
        let im = immediate()
        _tevent_threaded_schedule_immediate(threaded, im, { _, _, _ in }, nil, nil, here)
        freeWithoutDestructor(threaded)
        release(im)
        XCTAssertTrue(isQuiet(ev))
    }

    func testEventsOfAWrapperLeaveTheLoop() throws {
        let ev = try context()
        var ops = tevent_wrapper_ops()
        var state: UnsafeMutableRawPointer?
        let wrapper = _tevent_context_wrapper_create(ev, memory, &ops, &state, 8, c("struct state"), here)
        timer(wrapper, under: memory) { _, _, _ in self.log.append("timer") }
        freeWithoutDestructor(wrapper)
        XCTAssertTrue(isQuiet(ev))
        XCTAssertEqual(log, [])
    }

    func testAQueueFreesItsEntries() throws {
        let ev = try context()
        let queue = _tevent_queue_create(memory, c("queue"), here)
        let req = request()
        XCTAssertTrue(tevent_queue_add(queue, ev, req, { req, _ in _tevent_req_done(req, here) }, nil))
        freeWithoutDestructor(queue)
        XCTAssertTrue(isQuiet(ev))
        XCTAssertTrue(tevent_req_is_in_progress(req))
        release(req)
    }

    func testARequestIsNotCalledBackAfterItWasFreed() throws {
        let ev = try context()
        let req = request()
        _tevent_req_done(req, here)
        XCTAssertEqual(tevent_req_post(req, ev), req)
        noteEnd(req)
        onCleanUp(req) { _, _ in self.log.append("clean up") }
        freeWithoutDestructor(req)
        XCTAssertTrue(isQuiet(ev))
        XCTAssertEqual(log, [])
    }
}
