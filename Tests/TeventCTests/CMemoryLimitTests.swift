import CTalloc
import CTevent
import Glibc
import XCTest

/// Runs out of memory at every allocation in turn: C programs get NULL and ENOMEM, and nothing is left behind.
final class CMemoryLimitTests: CAPITestCase {
    /// Creates something under every limit until one suffices; each failure must leave everything as it was.
    private func underEveryLimit(
        line: UInt = #line, _ make: (_ parent: UnsafeMutableRawPointer?) -> OpaquePointer?
    ) throws {
        // Small steps where the small chunks are, large ones after that.
        for limit in Array(stride(from: 1, to: 2000, by: 8)) + Array(stride(from: 2000, to: 100_000, by: 128)) {
            let parent = newChunk(under: memory)
            defer { release(parent) }
            XCTAssertEqual(talloc_set_memlimit(parent, limit), 0)
            errno = 0
            if make(parent) != nil {
                XCTAssertGreaterThan(limit, 50, "the limit was never felt", line: line)
                return
            }
            XCTAssertEqual(errno, ENOMEM, "under a limit of \(limit) bytes", line: line)
            XCTAssertEqual(talloc_total_blocks(parent), 1, "under a limit of \(limit) bytes", line: line)
        }
        XCTFail("no limit sufficed", line: line)
    }

    func testMakingAContext() throws {
        for name in ["epoll", "poll", "poll_mt"] { try underEveryLimit { tevent_context_init_byname($0, name) } }
    }

    func testAddingEvents() throws {
        try onEachBackend { ev in
            let ends = pipe()
            try underEveryLimit { self.timer(ev, under: $0) { _, _, _ in } }
            try underEveryLimit { self.descriptor(ev, ends.reader, under: $0) { _, _, _ in } }
            try underEveryLimit { self.immediate(under: $0) }
            XCTAssertFalse(tevent_common_have_events(ev))
            close(ends.reader)
            close(ends.writer)
        }
    }

    func testAddingASignal() throws {
        try onEachBackend { ev in
            // Create what all signals share first.
            release(signal(ev, SIGUSR1) { _, _, _ in })
            try underEveryLimit { self.signal(ev, SIGUSR1, under: $0) { _, _, _ in } }
            XCTAssertFalse(tevent_common_have_events(ev))
        }
    }

    func testMakingAWrapper() throws {
        let ev = try context()
        var ops = tevent_wrapper_ops()
        try underEveryLimit { parent in
            var state: UnsafeMutableRawPointer?
            return _tevent_context_wrapper_create(ev, parent, &ops, &state, 64, c("struct wrapper_state"), here)
        }
    }

    func testMakingARequest() throws {
        try underEveryLimit { parent in
            var state: UnsafeMutableRawPointer?
            return _tevent_req_create(parent, &state, 64, c("struct test_state"), here)
        }
    }

    func testTheListOfBackends() throws {
        for limit in stride(from: 1, through: 10_000, by: 8) {
            let parent = newChunk(under: memory)
            defer { release(parent) }
            XCTAssertEqual(talloc_set_memlimit(parent, limit), 0)
            if tevent_backend_list(parent) != nil { return }
            XCTAssertEqual(talloc_total_blocks(parent), 1)
        }
        XCTFail("no limit sufficed")
    }

    /// Takes away the memory below a request, and what was allocated together with it, so that nothing else that it
    /// needs can be allocated.
    private func starve(_ req: OpaquePointer?) {
        XCTAssertEqual(talloc_set_memlimit(chunk(req), 1), 0)
        while newChunk(under: chunk(req)) != nil {}
    }

    func testAnEndTimeThatCannotBeSetEndsTheRequest() throws {
        let ev = try context()
        let req = request()
        noteEnd(req)
        starve(req)
        XCTAssertFalse(tevent_req_set_endtime(req, ev, tevent_timeval_current_ofs(3600, 0)))
        XCTAssertEqual(log, ["callback no memory"])
        XCTAssertFalse(tevent_common_have_events(ev))
    }

    func testAProfileThatCannotBeMadeEndsTheRequest() throws {
        let req = request()
        starve(req)
        XCTAssertFalse(tevent_req_set_profile(req))
        XCTAssertEqual(outcome(req), "no memory")
    }

    func testAWakeupHasRoomForItsTimer() throws {
        let ev = try context()
        var outcomes: Set<String> = []
        for limit in stride(from: 1, through: 10_000, by: 8) {
            let parent = newChunk(under: memory)
            defer { release(parent) }
            XCTAssertEqual(talloc_set_memlimit(parent, limit), 0)
            guard let req = tevent_wakeup_send(parent, ev, timeval()) else {
                XCTAssertEqual(talloc_total_blocks(parent), 1)
                outcomes.insert("none")
                continue
            }
            noteEnd(req)
            XCTAssertEqual(log, [], "it calls back from the loop")
            once(ev)
            outcomes.formUnion(log)
            log = []
            guard !tevent_wakeup_recv(req) else { break }
        }
        XCTAssertEqual(outcomes, ["none", "callback timed out"], "who gets one is woken")
    }
}
