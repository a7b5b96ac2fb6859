import CTalloc
import CTevent
import Glibc
import TestSupport
import XCTest

/// What a program's trace functions and its debug function are notified of.
final class CTraceTests: CAPITestCase {
    private func traceLoop(_ ev: OpaquePointer) -> UnsafeMutableRawPointer {
        let data = keep { (point: tevent_trace_point) in
            let names = ["before wait", "after wait", "before once", "after once"]
            self.log.append(names[Int(point.rawValue)])
        }
        tevent_set_trace_callback(ev, { kept($1, as: ((tevent_trace_point) -> Void).self)($0) }, data)
        return data
    }

    func testTheLoopsPointsComeInOrder() throws {
        try onEachBackend { ev in
            _ = traceLoop(ev)
            timer(ev) { _, _, _ in self.log.append("timer") }
            once(ev)
            XCTAssertEqual(log, ["before once", "timer", "after once"])
            log = []
            let ends = pipe()
            write(ends.writer)
            let fde = descriptor(ev, ends.reader) { _, _, _ in self.log.append("descriptor") }
            once(ev)
            XCTAssertEqual(log, ["before once", "before wait", "after wait", "descriptor", "after once"])
            log = []
            tevent_set_trace_callback(ev, nil, nil)
            once(ev)
            XCTAssertEqual(log, ["descriptor"])
            release(fde)
            close(ends.reader)
            close(ends.writer)
        }
    }

    func testAProgramMayAskForAndCallATraceFunction() throws {
        let ev = try context()
        var callback: tevent_trace_callback_t?
        var data: UnsafeMutableRawPointer? = memory
        tevent_get_trace_callback(ev, &callback, &data)
        XCTAssertNil(callback)
        XCTAssertNil(data)
        let set = traceLoop(ev)
        tevent_get_trace_callback(ev, &callback, &data)
        XCTAssertNotNil(callback)
        XCTAssertEqual(data, set)
        tevent_trace_point_callback(ev, TEVENT_TRACE_BEFORE_WAIT)
        callback?(TEVENT_TRACE_AFTER_WAIT, data)
        XCTAssertEqual(log, ["before wait", "after wait"])
    }

    private typealias Hearing = (_ event: OpaquePointer?, _ point: tevent_event_trace_point) -> Void

    /// The private data for a trace of one kind of event.
    private func hearing(_ name: String) -> UnsafeMutableRawPointer {
        let hearing: Hearing = { _, point in
            self.log.append(name + [" attached", " detached", " before handler"][Int(point.rawValue)])
        }
        return keep(hearing)
    }

    func testEventsAreTracedThroughTheirLives() throws {
        try onEachBackend { ev in
            tevent_set_trace_timer_callback(ev, { kept($2, as: Hearing.self)($0, $1) }, hearing("timer"))
            tevent_set_trace_immediate_callback(ev, { kept($2, as: Hearing.self)($0, $1) }, hearing("immediate"))
            tevent_set_trace_fd_callback(ev, { kept($2, as: Hearing.self)($0, $1) }, hearing("fd"))
            tevent_set_trace_signal_callback(ev, { kept($2, as: Hearing.self)($0, $1) }, hearing("signal"))

            timer(ev) { _, _, _ in self.log.append("timer") }
            once(ev)
            XCTAssertEqual(log, ["timer attached", "timer before handler", "timer", "timer detached"])
            log = []
            let im = immediate()
            schedule(im, on: ev) { _, _ in self.log.append("immediate") }
            once(ev)
            XCTAssertEqual(
                log, ["immediate attached", "immediate before handler", "immediate", "immediate detached"])
            log = []
            let ends = pipe()
            write(ends.writer)
            let fde = descriptor(ev, ends.reader) { _, _, _ in self.log.append("fd") }
            once(ev)
            release(fde)
            XCTAssertEqual(log, ["fd attached", "fd before handler", "fd", "fd detached"])
            log = []
            let se = signal(ev, SIGUSR1) { _, _, _ in self.log.append("signal") }
            raise(SIGUSR1)
            once(ev)
            release(se)
            XCTAssertEqual(log, ["signal attached", "signal before handler", "signal", "signal detached"])
            close(ends.reader)
            close(ends.writer)
        }
    }

    func testTraceFunctionsOfEventsCanBeAskedForAndCalled() throws {
        let ev = try context()
        let te = timer(ev) { _, _, _ in }
        var callback: tevent_trace_timer_callback_t?
        var data: UnsafeMutableRawPointer?
        let set = hearing("timer")
        tevent_set_trace_timer_callback(ev, { kept($2, as: Hearing.self)($0, $1) }, set)
        tevent_get_trace_timer_callback(ev, &callback, &data)
        XCTAssertNotNil(callback)
        XCTAssertEqual(data, set)
        tevent_trace_timer_callback(ev, te, TEVENT_EVENT_TRACE_BEFORE_HANDLER)
        XCTAssertEqual(log, ["timer before handler"])
        tevent_set_trace_timer_callback(ev, nil, nil)
        tevent_get_trace_timer_callback(ev, &callback, &data)
        XCTAssertNil(callback)
        XCTAssertNil(data)
    }

    func testTagsAreKeptWithEvents() throws {
        let ev = try context()
        let (te, im, se) = (timer(ev) { _, _, _ in }, immediate(), signal(ev, SIGUSR1) { _, _, _ in })
        let fde = descriptor(ev, 0, 0) { _, _, _ in }
        let numbers = [tevent_timer_get_tag(te), tevent_immediate_get_tag(im), tevent_signal_get_tag(se)]
        XCTAssertEqual(numbers + [tevent_fd_get_tag(fde)], [0, 0, 0, 0])
        tevent_timer_set_tag(te, 1)
        tevent_immediate_set_tag(im, 2)
        tevent_signal_set_tag(se, 3)
        tevent_fd_set_tag(fde, .max)
        XCTAssertEqual(tevent_timer_get_tag(te), 1)
        XCTAssertEqual(tevent_immediate_get_tag(im), 2)
        XCTAssertEqual(tevent_signal_get_tag(se), 3)
        XCTAssertEqual(tevent_fd_get_tag(fde), .max)
    }

    func testTheDebugFunctionGetsTheEnginesMessages() throws {
        let ev = try context()
        let data = keep { (level: tevent_debug_level, format: String) in
            if format.contains("%") { self.log.append("level \(level.rawValue)") }
        }
        tevent_set_debug(
            ev,
            { data, level, format, _ in
                kept(data, as: ((tevent_debug_level, String) -> Void).self)(level, String(cString: format!))
            }, data)
        timer(ev) { _, _, _ in }
        once(ev)
        XCTAssertEqual(log, [], "each step is reported only on request")
        _ = tevent_set_max_debug_level(ev, TEVENT_DEBUG_TRACE)
        timer(ev) { _, _, _ in }
        once(ev)
        XCTAssertFalse(log.isEmpty)
        log = []
        tevent_set_debug(ev, nil, nil)
        timer(ev) { _, _, _ in }
        once(ev)
        XCTAssertEqual(log, [])
    }

    func testLessImportantMessagesCanBeLeftOut() throws {
        let ev = try context()
        let data = keep { (level: tevent_debug_level) in self.log.append("\(level.rawValue)") }
        tevent_set_debug(ev, { data, level, _, _ in kept(data, as: ((tevent_debug_level) -> Void).self)(level) }, data)
        XCTAssertEqual(tevent_set_max_debug_level(ev, TEVENT_DEBUG_ERROR), TEVENT_DEBUG_WARNING)
        XCTAssertEqual(tevent_set_max_debug_level(ev, TEVENT_DEBUG_ERROR), TEVENT_DEBUG_ERROR)
        timer(ev) { _, _, _ in }
        once(ev)
        XCTAssertEqual(log, [])
        noteAborts()
        tevent_abort(ev, "on purpose")
        XCTAssertEqual(log, ["\(TEVENT_DEBUG_FATAL.rawValue)"])
        XCTAssertEqual(abortReasons, ["on purpose"])
        XCTAssertEqual(tevent_cached_getpid(), getpid())
    }

    func testMessagesGoToStandardError() throws {
        let result = try runInChild(self) {
            let ev = try context()
            XCTAssertEqual(tevent_set_debug_stderr(ev), 0)
            noteAborts()
            timer(ev) { _, _, _ in }
            once(ev)
            tevent_abort(ev, "on purpose")
        }
        XCTAssertEqual(result.exitCode, 0)
        XCTAssertTrue(result.stderr.contains("on purpose"), result.stderr)
        XCTAssertFalse(result.stderr.contains("timer"), "only what is important: \(result.stderr)")
    }
}
