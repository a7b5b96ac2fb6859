import CTalloc
import CTevent
import Glibc
import XCTest

/// A program's own backends, made from what the library provides for them.
final class COwnBackendTests: CAPITestCase {
    /// A loop that polls the descriptors added to it; only one at a time, since C's table of functions has no room for
    /// a context.
    private final class PollLoop {
        nonisolated(unsafe) static var current = PollLoop()
        var events: [OpaquePointer] = []
        var flagsChanged = 0

        func turn(_ ev: OpaquePointer?) -> CInt {
            if tevent_common_check_signal(ev) != 0 || tevent_common_loop_immediate(ev) { return 0 }
            var delay = tevent_common_loop_timer_delay(ev)
            guard !tevent_timeval_is_zero(&delay) else { return 0 }
            tevent_trace_point_callback(ev, TEVENT_TRACE_BEFORE_WAIT)
            var watched = events.map { pollfd(fd: numbers[$0]!, events: wanted($0), revents: 0) }
            let milliseconds = CInt(delay.tv_sec * 1000) + CInt((delay.tv_usec + 999) / 1000)
            let count = poll(&watched, nfds_t(watched.count), milliseconds)
            tevent_trace_point_callback(ev, TEVENT_TRACE_AFTER_WAIT)
            guard count >= 0 || errno == EINTR else { return -1 }
            guard count > 0, let ready = watched.firstIndex(where: { $0.revents != 0 }) else {
                _ = tevent_common_check_signal(ev)
                return 0
            }
            let flags =
                (watched[ready].revents & Int16(POLLIN | POLLHUP) != 0 ? Flag.read : 0)
                | (watched[ready].revents & Int16(POLLOUT) != 0 ? Flag.write : 0)
            var isRemoved = false
            let event = events[ready]
            let result = tevent_common_invoke_fd_handler(event, flags & tevent_common_fd_get_flags(event), &isRemoved)
            if isRemoved { events.removeAll { $0 == event } }
            return result
        }

        var numbers: [OpaquePointer: Int32] = [:]

        private func wanted(_ event: OpaquePointer) -> Int16 {
            let flags = tevent_common_fd_get_flags(event)
            return Int16((flags & Flag.read != 0 ? POLLIN : 0) | (flags & Flag.write != 0 ? POLLOUT : 0))
        }

        /// The table of its functions.
        static func table() -> tevent_ops {
            var ops = tevent_ops()
            ops.context_init = { _ in 0 }
            ops.add_fd = { ev, parent, descriptor, flags, handler, data, name, location in
                let event = tevent_common_add_fd(ev, parent, descriptor, flags, handler, data, name, location)
                guard let event else { return nil }
                PollLoop.current.events.append(event)
                PollLoop.current.numbers[event] = descriptor
                _talloc_set_destructor(UnsafeMutableRawPointer(event)) { chunk in
                    PollLoop.current.events.removeAll { UnsafeMutableRawPointer($0) == chunk }
                    return tevent_common_fd_destructor(chunk.map { OpaquePointer($0) })
                }
                return event
            }
            ops.set_fd_close_fn = tevent_common_fd_set_close_fn
            ops.get_fd_flags = tevent_common_fd_get_flags
            ops.set_fd_flags = { event, flags in
                PollLoop.current.flagsChanged += 1
                tevent_common_fd_set_flags(event, flags)
            }
            ops.add_timer = tevent_common_add_timer_v2
            ops.schedule_immediate = tevent_common_schedule_immediate
            ops.add_signal = tevent_common_add_signal
            ops.loop_once = { ev, _ in PollLoop.current.turn(ev) }
            ops.loop_wait = tevent_common_loop_wait
            return ops
        }
    }

    /// Runs a test with a context that uses the program's own backend.
    private func withOwnBackend(_ body: (OpaquePointer) throws -> Void) throws {
        let ops = UnsafeMutablePointer<tevent_ops>.allocate(capacity: 1)
        ops.initialize(to: PollLoop.table())
        PollLoop.current = PollLoop()
        let ev = try XCTUnwrap(tevent_context_init_ops(memory, ops, nil))
        try body(ev)
        release(ev)
        ops.deallocate()
    }

    func testTimersAndImmediatesRun() throws {
        try withOwnBackend { ev in
            timer(ev, at: tevent_timeval_current_ofs(0, 2000)) { _, _, _ in self.log.append("later") }
            timer(ev, at: tevent_timeval_set(1, 0)) { _, _, _ in self.log.append("past") }
            timer(ev) { _, _, _ in self.log.append("zero") }
            schedule(immediate(), on: ev) { _, _ in self.log.append("immediate") }
            wait(ev)
            XCTAssertEqual(log, ["immediate", "zero", "past", "later"])
        }
    }

    func testDescriptorsRun() throws {
        try withOwnBackend { ev in
            let ends = pipe()
            let fde = descriptor(ev, ends.reader) { given, fde, flags in
                XCTAssertEqual(given, ev)
                self.log.append("read \(flags)")
                if self.log.count == 3 { XCTAssertEqual(release(fde), -1) }
            }
            timer(ev, at: tevent_timeval_set(1, 0)) { _, _, _ in
                self.log.append("timer")
                self.write(ends.writer)
            }
            tevent_fd_set_auto_close(fde)
            XCTAssertEqual(tevent_fd_get_flags(fde), Flag.read)
            wait(ev)
            XCTAssertEqual(log, ["timer", "read 1", "read 1"])
            XCTAssertEqual(PollLoop.current.events, [])
            XCTAssertEqual(fcntl(ends.reader, F_GETFD), -1)
            close(ends.writer)
        }
    }

    func testFlagsGoThroughTheProgramsFunctions() throws {
        try withOwnBackend { ev in
            let ends = pipe()
            write(ends.writer)
            let fde = descriptor(ev, ends.reader) { _, _, _ in self.log.append("read") }
            tevent_fd_set_flags(fde, 0)
            XCTAssertEqual(PollLoop.current.flagsChanged, 1)
            XCTAssertEqual(tevent_fd_get_flags(fde), 0)
            XCTAssertTrue(isQuiet(ev))
            tevent_fd_set_flags(fde, Flag.read)
            once(ev)
            XCTAssertEqual(log, ["read"])
            XCTAssertEqual(release(fde), 0)
            XCTAssertEqual(PollLoop.current.events, [])
            close(ends.reader)
            close(ends.writer)
        }
    }

    func testSignalsRun() throws {
        try withOwnBackend { ev in
            signal(ev, SIGUSR1) { _, se, arrival in
                self.log.append("\(arrival.count)")
                release(se)
            }
            raise(SIGUSR1)
            raise(SIGUSR1)
            wait(ev)
            XCTAssertEqual(log, ["2"])
        }
    }

    func testWhatWakesTheLoopIsAnEventThatDoesNotCount() throws {
        try withOwnBackend { ev in
            XCTAssertEqual(tevent_common_wakeup(ev), ENOTCONN, "the program has not asked for it")
            XCTAssertEqual(tevent_common_wakeup_init(ev), 0)
            XCTAssertEqual(PollLoop.current.events.count, 1)
            XCTAssertFalse(tevent_common_have_events(ev))
            var waking = pollfd(fd: PollLoop.current.numbers.values.first!, events: Int16(POLLIN), revents: 0)
            for _ in 1...2 {
                XCTAssertEqual(poll(&waking, 1, 0), 0)
                for _ in 1...2 { XCTAssertEqual(tevent_common_wakeup(ev), 0) }
                XCTAssertEqual(poll(&waking, 1, 0), 1)
                once(ev)
            }
            let ends = pipe()
            let fde = descriptor(ev, ends.reader) { _, _, _ in }
            XCTAssertTrue(tevent_common_have_events(ev))
            release(fde)
            XCTAssertFalse(tevent_common_have_events(ev))
            XCTAssertEqual(tevent_re_initialise(ev), 0)
            XCTAssertEqual(PollLoop.current.events.count, 1)
            close(ends.reader)
            close(ends.writer)
        }
        XCTAssertEqual(PollLoop.current.events, [])
    }

    func testTheProgramsOwnDestructorOfAContextCallsTheLibrarys() throws {
        let ev = try context()
        _talloc_set_destructor(UnsafeMutableRawPointer(ev)) { chunk in
            XCTAssertEqual(tevent_common_context_destructor(chunk.map { OpaquePointer($0) }), 0)
            return tevent_common_context_destructor(chunk.map { OpaquePointer($0) })
        }
        let te = timer(ev, under: memory) { _, _, _ in self.log.append("never") }
        release(ev)
        XCTAssertEqual(release(te), 0)
        XCTAssertEqual(log, [])
    }

    func testTheDelayOfTheNextTimerIsReported() throws {
        try withOwnBackend { ev in
            var delay = tevent_common_loop_timer_delay(ev)
            XCTAssertGreaterThanOrEqual(delay.tv_sec, 1, "without a timer there is no haste")
            timer(ev, at: tevent_timeval_current_ofs(3600, 0)) { _, _, _ in }
            delay = tevent_common_loop_timer_delay(ev)
            XCTAssertTrue((3590...3600).contains(delay.tv_sec), "\(delay)")
            for name in ["first", "second"] { timer(ev) { _, _, _ in self.log.append(name) } }
            XCTAssertEqual(tevent_common_loop_timer_delay(ev), timeval())
            XCTAssertEqual(log, ["first"], "one timer at a time")
            XCTAssertEqual(tevent_common_loop_timer_delay(ev), timeval())
            XCTAssertEqual(log, ["first", "second"])
        }
    }

    func testRequestsAndTracesWorkWithIt() throws {
        try withOwnBackend { ev in
            let note = keep { (point: UInt32) in self.log.append("\(point)") }
            tevent_set_trace_callback(ev, { kept($1, as: ((UInt32) -> Void).self)($0.rawValue) }, note)
            let req = tevent_wakeup_send(memory, ev, tevent_timeval_current_ofs(0, 1000))
            XCTAssertTrue(tevent_req_poll(req, ev))
            XCTAssertTrue(tevent_wakeup_recv(req))
            XCTAssertEqual(log.prefix(4), ["2", "0", "1", "3"])
        }
    }

    func testTheHandlersOfTimersAndImmediatesCanBeCalled() throws {
        try withOwnBackend { ev in
            let parent = newChunk(under: memory)
            let te = timer(ev, under: parent, at: tevent_timeval_set(5, 0)) { _, _, now in
                self.log.append("timer \(now.tv_sec)")
            }
            var isRemoved = false
            XCTAssertEqual(tevent_common_invoke_timer_handler(te, tevent_timeval_set(9, 0), &isRemoved), 0)
            XCTAssertTrue(isRemoved)
            XCTAssertEqual(talloc_total_blocks(parent), 1)
            let im = immediate(under: parent)
            schedule(im, on: ev) { _, _ in self.log.append("immediate") }
            XCTAssertEqual(tevent_common_invoke_immediate_handler(im, &isRemoved), 0)
            XCTAssertFalse(isRemoved)
            schedule(im, on: ev) { _, im in release(im) }
            XCTAssertEqual(tevent_common_invoke_immediate_handler(im, &isRemoved), 0)
            XCTAssertTrue(isRemoved)
            XCTAssertEqual(log, ["timer 9", "immediate"])
        }
    }

    func testTheWaitOfALoopCanBeEndedFromElsewhere() throws {
        try onEachBackend { ev in
            XCTAssertEqual(tevent_common_wakeup_init(ev), 0)
            XCTAssertEqual(tevent_common_wakeup_init(ev), 0)
            XCTAssertEqual(tevent_common_wakeup(ev), 0)
            let ends = pipe()
            XCTAssertEqual(tevent_common_wakeup_fd(ends.writer), 0)
            var bytes = [UInt8](repeating: 0, count: 16)
            XCTAssertGreaterThan(read(ends.reader, &bytes, 16), 0)
            close(ends.reader)
            close(ends.writer)
        }
    }

    // MARK: A copy of one of the library's

    nonisolated(unsafe) private static var turns = 0
    nonisolated(unsafe) private static var original = tevent_ops()

    func testACopyOfATableReplacesWhatItNeeds() throws {
        for name in ["epoll", "poll", "standard"] {
            var ops = tevent_find_ops_byname(name)!.pointee
            (Self.turns, Self.original) = (0, ops)
            ops.loop_once = { ev, location in
                COwnBackendTests.turns += 1
                return COwnBackendTests.original.loop_once(ev, location)
            }
            try withUnsafeMutablePointer(to: &ops) { ops in
                let ev = try XCTUnwrap(tevent_context_init_ops(memory, ops, nil))
                let ends = pipe()
                write(ends.writer)
                descriptor(ev, ends.reader) { _, fde, _ in
                    self.log.append("descriptor")
                    release(fde)
                }
                timer(ev) { _, _, _ in self.log.append("timer") }
                wait(ev)
                XCTAssertEqual(log, ["timer", "descriptor"])
                XCTAssertEqual(Self.turns, 2)
                XCTAssertEqual(_tevent_loop_until(ev, { _ in true }, nil, here), 0)
                XCTAssertEqual(Self.turns, 2)
                release(ev)
                close(ends.reader)
                close(ends.writer)
            }
            log = []
        }
    }

    func testAFailingTurnIsWhatTheLoopReturns() throws {
        var ops = tevent_find_ops_byname("epoll")!.pointee
        ops.loop_once = { _, _ in
            errno = EIO
            return -1
        }
        try withUnsafeMutablePointer(to: &ops) { ops in
            let ev = try XCTUnwrap(tevent_context_init_ops(memory, ops, nil))
            timer(ev) { _, _, _ in self.log.append("never") }
            for run in [_tevent_loop_once, _tevent_loop_wait] {
                errno = 0
                XCTAssertEqual(run(ev, here), -1)
                XCTAssertEqual(errno, EIO)
            }
            XCTAssertEqual(_tevent_loop_until(ev, { _ in false }, nil, here), -1)
            XCTAssertFalse(tevent_req_poll(request(), ev))
            release(ev)
        }
    }

    func testEventsAreAddedByTheProgramsFunctions() throws {
        var ops = tevent_find_ops_byname("epoll")!.pointee
        ops.add_timer = { _, _, _, _, _, _, _ in
            errno = EPERM
            return nil
        }
        ops.loop_wait = { _, _ in 4711 }
        try withUnsafeMutablePointer(to: &ops) { ops in
            let ev = try XCTUnwrap(tevent_context_init_ops(memory, ops, nil))
            errno = 0
            XCTAssertNil(timer(ev) { _, _, _ in })
            XCTAssertEqual(errno, EPERM)
            XCTAssertEqual(_tevent_loop_wait(ev, here), 4711)
            release(ev)
        }
    }
}
