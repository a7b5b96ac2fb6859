import CTalloc
import CTevent
import Glibc
import XCTest

/// Contexts and backends: how they are created, found and freed.
final class CContextTests: CAPITestCase {
    func testAContextIsAChunkBelowItsParent() throws {
        let ev = try context()
        XCTAssertEqual(talloc_parent(chunk(ev)), memory)
        XCTAssertEqual(String(cString: talloc_get_name(chunk(ev))), "struct tevent_context")
        XCTAssertFalse(tevent_context_is_wrapper(ev))
    }

    func testAContextMayHaveNoParent() {
        let ev = tevent_context_init(nil)
        XCTAssertNotNil(ev)
        XCTAssertEqual(release(ev), 0)
    }

    func testEachNameMakesAContextThatWorks() throws {
        for name in ["standard", "epoll", "poll", "poll_mt"] {
            let ev = try XCTUnwrap(tevent_context_init_byname(memory, name), name)
            timer(ev) { _, _, _ in self.log.append(name) }
            once(ev)
            XCTAssertTrue(tevent_signal_support(ev))
        }
        XCTAssertEqual(log, ["standard", "epoll", "poll", "poll_mt"])
    }

    func testAnUnknownNameMakesNoneAndLeavesNothing() {
        let blocks = talloc_total_blocks(memory)
        errno = 0
        XCTAssertNil(tevent_context_init_byname(memory, "no such backend"))
        XCTAssertEqual(errno, EINVAL)
        XCTAssertEqual(talloc_total_blocks(memory), blocks)
    }

    func testTheListNamesWhatThereIs() throws {
        let list = try XCTUnwrap(tevent_backend_list(memory))
        var names: [String] = []
        for index in 0... {
            guard let name = list[index] else { break }
            names.append(String(cString: name))
        }
        for name in ["standard", "epoll", "poll", "poll_mt"] { XCTAssertTrue(names.contains(name), name) }
        for name in names { XCTAssertNotNil(tevent_find_ops_byname(name), name) }
        XCTAssertEqual(talloc_parent(list), memory)
        XCTAssertEqual(release(UnsafeMutableRawPointer(list)), 0)
        XCTAssertEqual(talloc_total_blocks(memory), 1)
    }

    func testTheDefaultBackendIsWhatANamelessContextGets() {
        defer { tevent_set_default_backend("standard") }
        XCTAssertEqual(tevent_find_ops_byname(nil), tevent_find_ops_byname("standard"))
        tevent_set_default_backend("poll")
        XCTAssertEqual(tevent_find_ops_byname(nil), tevent_find_ops_byname("poll"))
        tevent_set_default_backend("no such backend")
        XCTAssertNil(tevent_find_ops_byname(nil))
        XCTAssertNil(tevent_context_init(memory))
    }

    /// Functions of a backend that stay for the rest of the process, since registering cannot be undone.
    nonisolated(unsafe) private static let registered: UnsafeMutablePointer<tevent_ops> = {
        let ops = UnsafeMutablePointer<tevent_ops>.allocate(capacity: 1)
        ops.initialize(to: tevent_find_ops_byname("epoll")!.pointee)
        return ops
    }()

    func testABackendOfTheProgramIsFoundByName() throws {
        let ops = Self.registered
        XCTAssertNil(tevent_find_ops_byname("registered"))
        XCTAssertTrue(tevent_register_backend("registered", ops))
        XCTAssertTrue(tevent_register_backend("registered", tevent_find_ops_byname("poll")), "the name is taken")
        XCTAssertTrue(tevent_register_backend("epoll", ops), "the name is taken")
        XCTAssertNotEqual(tevent_find_ops_byname("epoll"), UnsafePointer(ops))
        XCTAssertEqual(tevent_find_ops_byname("registered"), UnsafePointer(ops))
        let list = try XCTUnwrap(tevent_backend_list(memory))
        XCTAssertEqual(list[0].map { String(cString: $0) }, "registered", "the last comes first")
        let ev = try XCTUnwrap(tevent_context_init_byname(memory, "registered"))
        timer(ev) { _, _, _ in self.log.append("ran") }
        once(ev)
        XCTAssertEqual(log, ["ran"])
    }

    func testABackendThatCannotBeginMakesNoContext() {
        var ops = tevent_find_ops_byname("epoll")!.pointee
        ops.context_init = { _ in
            errno = EPROTO
            return -1
        }
        errno = 0
        XCTAssertNil(tevent_context_init_ops(memory, &ops, nil))
        XCTAssertEqual(errno, EPROTO)
        XCTAssertEqual(talloc_total_blocks(memory), 1)
    }

    func testReinitialisingLetsAllEventsLeave() throws {
        try onEachBackend { ev in
            let pipe = pipe()
            write(pipe.writer)
            let im = immediate()
            schedule(im, on: ev) { _, _ in self.log.append("old immediate") }
            let fde = descriptor(ev, pipe.reader) { _, _, _ in self.log.append("old descriptor") }
            timer(ev) { _, _, _ in self.log.append("old timer") }
            signal(ev, SIGUSR1) { _, _, _ in self.log.append("old signal") }
            XCTAssertEqual(tevent_re_initialise(ev), 0)
            XCTAssertFalse(tevent_common_have_events(ev))
            XCTAssertEqual(tevent_fd_get_flags(fde), 0)
            wait(ev)
            XCTAssertEqual(log, [])
            schedule(im, on: ev) { _, _ in self.log.append("immediate") }
            descriptor(ev, pipe.reader) { _, fde, _ in
                self.log.append("descriptor")
                release(fde)
            }
            timer(ev) { _, _, _ in self.log.append("timer") }
            wait(ev)
            XCTAssertEqual(log.sorted(), ["descriptor", "immediate", "timer"])
            close(pipe.reader)
            close(pipe.writer)
        }
    }

    func testTheWaitTimeoutIsHalfAMinuteUntilItIsChanged() throws {
        let ev = try context()
        XCTAssertEqual(tevent_context_set_wait_timeout(ev, 7), 30)
        XCTAssertEqual(tevent_context_set_wait_timeout(ev, .max), 7)
        XCTAssertEqual(tevent_context_set_wait_timeout(ev, 0), UInt32(Int32.max))
        XCTAssertEqual(tevent_context_set_wait_timeout(ev, 3), 0)
    }

    func testALoopThatNeverWaitsFailsWhenThereIsNothingToDo() throws {
        try onEachBackend { ev in
            _ = tevent_context_set_wait_timeout(ev, 0)
            let later = tevent_timeval_current_ofs(3600, 0)
            timer(ev, at: later) { _, _, _ in }
            XCTAssertEqual(_tevent_loop_once(ev, here), -1)
            XCTAssertEqual(errno, EAGAIN)
            timer(ev) { _, _, _ in self.log.append("timer") }
            once(ev)
            XCTAssertEqual(log, ["timer"])
        }
    }

    func testAnEventThatWaitsForNothingKeepsNoLoopGoing() throws {
        try onEachBackend { ev in
            let ends = pipe()
            let event = descriptor(ev, ends.reader) { _, fde, _ in
                self.log.append("ready")
                tevent_fd_set_flags(fde, 0)
            }
            XCTAssertTrue(tevent_common_have_events(ev))
            write(ends.writer)
            wait(ev)
            XCTAssertEqual(log, ["ready"])
            XCTAssertFalse(tevent_common_have_events(ev))
            release(event)
            close(ends.reader)
            close(ends.writer)
        }
    }

    func testAContextGoesWithItsParent() throws {
        let parent = newChunk(under: memory)
        let ev = try XCTUnwrap(tevent_context_init(parent))
        let ends = pipe()
        tevent_fd_set_auto_close(descriptor(ev, ends.reader) { _, _, _ in })
        timer(ev) { _, _, _ in self.log.append("timer") }
        XCTAssertEqual(release(parent), 0)
        XCTAssertEqual(fcntl(ends.reader, F_GETFD), -1, "the descriptor was left open")
        XCTAssertEqual(talloc_total_blocks(memory), 1)
        close(ends.writer)
        XCTAssertEqual(log, [])
    }

    func testEventsElsewhereOutliveTheirContext() throws {
        try onEachBackend { ev in
            let ends = pipe()
            let te = timer(ev, under: memory) { _, _, _ in self.log.append("timer") }
            let fde = descriptor(ev, ends.reader, Flag.read, under: memory) { _, _, _ in self.log.append("fd") }
            let se = signal(ev, SIGUSR2, under: memory) { _, _, _ in self.log.append("signal") }
            let im = immediate()
            schedule(im, on: ev) { _, _ in self.log.append("immediate") }
            tevent_timer_set_tag(te, 4711)
            release(ev)
            XCTAssertEqual(tevent_timer_get_tag(te), 4711)
            XCTAssertEqual(tevent_fd_get_flags(fde), 0, "it watches nothing any more")
            tevent_fd_set_flags(fde, Flag.read)
            for event in [te, fde, se, im] { XCTAssertEqual(release(event), 0) }
            XCTAssertEqual(log, [])
            close(ends.reader)
            close(ends.writer)
        }
    }

    func testAnImmediateOutlivesItsContextAndServesAnother() throws {
        let (first, second) = (try context(), try context())
        let im = immediate()
        schedule(im, on: first) { _, _ in self.log.append("first") }
        release(first)
        schedule(im, on: second) { _, _ in self.log.append("second") }
        once(second)
        XCTAssertEqual(log, ["second"])
    }

    func testAContextMayBeFreedInAHandler() throws {
        try onEachBackend { ev in
            timer(ev) { ev, _, _ in
                self.log.append("freed")
                XCTAssertEqual(release(ev), 0)
            }
            timer(ev) { _, _, _ in self.log.append("never") }
            XCTAssertEqual(_tevent_loop_wait(ev, here), 0)
            XCTAssertEqual(log, ["freed"])
            XCTAssertEqual(talloc_total_blocks(memory), 1)
        }
    }
}
