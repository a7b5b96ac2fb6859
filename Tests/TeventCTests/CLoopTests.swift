import CTalloc
import CTevent
import Glibc
import TestSupport
import XCTest

/// Loops: when they end, what they return, and which functions they call.
final class CLoopTests: CAPITestCase {
    func testOnceRunsOneHandler() throws {
        try onEachBackend { ev in
            for name in ["first", "second"] { timer(ev) { _, _, _ in self.log.append(name) } }
            once(ev)
            XCTAssertEqual(log, ["first"])
            once(ev)
            XCTAssertEqual(log, ["first", "second"])
        }
    }

    func testAKindOfEventAfterTheOther() throws {
        try onEachBackend { ev in
            let ends = pipe()
            write(ends.writer)
            descriptor(ev, ends.reader) { _, fde, _ in
                self.log.append("descriptor")
                release(fde)
            }
            timer(ev) { _, _, _ in self.log.append("timer") }
            schedule(immediate(), on: ev) { _, _ in self.log.append("immediate") }
            signal(ev, SIGUSR1) { _, se, _ in
                self.log.append("signal")
                release(se)
            }
            raise(SIGUSR1)
            for _ in 0..<4 { once(ev) }
            XCTAssertEqual(log, ["signal", "immediate", "timer", "descriptor"])
            close(ends.reader)
            close(ends.writer)
        }
    }

    func testWaitEndsWhenNothingIsLeft() throws {
        try onEachBackend { ev in
            wait(ev)
            timer(ev) { ev, _, _ in
                self.log.append("first")
                self.timer(ev) { _, _, _ in self.log.append("second") }
            }
            wait(ev)
            XCTAssertEqual(log, ["first", "second"])
        }
    }

    func testEveryKindOfEventCounts() throws {
        let ev = try context()
        var event = timer(ev) { _, _, _ in }
        XCTAssertTrue(tevent_common_have_events(ev))
        release(event)
        event = signal(ev, SIGUSR2) { _, _, _ in }
        XCTAssertTrue(tevent_common_have_events(ev))
        release(event)
        event = immediate()
        XCTAssertFalse(tevent_common_have_events(ev))
        schedule(event, on: ev) { _, _ in }
        XCTAssertTrue(tevent_common_have_events(ev))
        release(event)
        XCTAssertFalse(tevent_common_have_events(ev))
    }

    func testUntilLooksBeforeEachTurn() throws {
        try onEachBackend { ev in
            for _ in 0..<3 { timer(ev) { _, _, _ in self.log.append("timer") } }
            let isFinished = { self.log.count == 2 }
            let finished: tevent_finished_fn_t = { kept($0, as: (() -> Bool).self)() }
            for _ in 0..<2 { XCTAssertEqual(_tevent_loop_until(ev, finished, keep(isFinished), here), 0) }
            XCTAssertEqual(log, ["timer", "timer"])
        }
    }

    // MARK: Loops inside handlers

    func testALoopInItsOwnHandlerIsRefused() throws {
        try onEachBackend { ev in
            noteAborts()
            timer(ev) { ev, _, _ in
                errno = 0
                self.log.append("\(_tevent_loop_once(ev, here)), \(errno == ELOOP)")
                errno = 0
                self.log.append("\(_tevent_loop_until(ev, { _ in false }, nil, here)), \(errno == ELOOP)")
            }
            timer(ev) { _, _, _ in self.log.append("inner") }
            once(ev)
            XCTAssertEqual(log, ["-1, true", "-1, true"])
            XCTAssertEqual(abortReasons.count, 2)
            XCTAssertTrue(abortReasons.allSatisfy { $0.contains("test.c:1") }, "\(abortReasons)")
        }
    }

    func testALoopInItsOwnHandlerEndsAProgramThatSetNoAbortFunction() throws {
        let result = try runInChild(self) {
            let ev = try context()
            timer(ev) { ev, _, _ in _ = _tevent_loop_once(ev, here) }
            once(ev)
        }
        assertAborted(result, saying: "test.c:1")
    }

    func testNestingIsPossibleOnceAllowed() throws {
        try onEachBackend { ev in
            tevent_loop_allow_nesting(ev)
            timer(ev) { ev, _, _ in
                self.log.append("outer")
                self.once(ev!)
                self.log.append("outer again")
            }
            timer(ev) { _, _, _ in self.log.append("inner") }
            once(ev)
            XCTAssertEqual(log, ["outer", "inner", "outer again"])
            XCTAssertTrue(isQuiet(ev))
        }
    }

    private func setNestingHook(_ ev: OpaquePointer, _ answer: @escaping (_ level: UInt32, _ begins: Bool) -> CInt) {
        tevent_loop_set_nesting_hook(
            ev,
            { _, data, level, begins, stack, location in
                if begins { stack!.storeBytes(of: CInt(level), as: CInt.self) }
                XCTAssertEqual(stack!.load(as: CInt.self), CInt(level), "the place is the same at begin and end")
                XCTAssertEqual(String(cString: location!), "test.c:1")
                return kept(data, as: ((UInt32, Bool) -> CInt).self)(level, begins)
            }, keep(answer))
    }

    func testTheNestingHookIsCalledAtBothEnds() throws {
        try onEachBackend { ev in
            tevent_loop_allow_nesting(ev)
            setNestingHook(ev) { level, begins in
                self.log.append("\(level) \(begins ? "begins" : "ends")")
                return 0
            }
            timer(ev) { ev, _, _ in self.once(ev!) }
            timer(ev) { _, _, _ in self.log.append("inner") }
            once(ev)
            XCTAssertEqual(log, ["1 begins", "2 begins", "inner", "2 ends", "1 ends"])
            log = []
            XCTAssertEqual(_tevent_loop_until(ev, { _ in true }, nil, here), 0)
            XCTAssertEqual(log, ["1 begins", "1 ends"])
        }
    }

    func testTheNestingHookMayRefuse() throws {
        try onEachBackend { ev in
            var answers: [CInt] = [-7, 0, 5, 0, 0]
            setNestingHook(ev) { level, begins in
                self.log.append("\(level) \(begins)")
                return answers.removeFirst()
            }
            timer(ev) { _, _, _ in self.log.append("ran") }
            timer(ev) { _, _, _ in self.log.append("ran, too") }
            XCTAssertEqual(_tevent_loop_once(ev, here), -7)
            XCTAssertEqual(log, ["1 true"])
            XCTAssertEqual(_tevent_loop_once(ev, here), 5, "refused only at the end")
            XCTAssertEqual(log, ["1 true", "1 true", "ran", "1 false"])
            XCTAssertEqual(_tevent_loop_once(ev, here), 0)
            XCTAssertEqual(log.last(where: { $0.hasPrefix("ran") }), "ran, too")
        }
    }

    func testARefusalEndsTheOtherLoopsToo() throws {
        let ev = try context()
        setNestingHook(ev) { _, _ in -3 }
        timer(ev) { _, _, _ in self.log.append("ran") }
        XCTAssertEqual(_tevent_loop_wait(ev, here), -3)
        XCTAssertEqual(_tevent_loop_until(ev, { _ in false }, nil, here), -3)
        XCTAssertEqual(log, [])
    }

    func testANestingHookMayFreeTheContextBeforeTheLoopBegins() throws {
        let freeWhenALoopBegins: tevent_nesting_hook = { ev, _, _, begins, _, _ in
            if begins { _talloc_free(UnsafeMutableRawPointer(ev!), nil) }
            return 0
        }
        let once = try context()
        tevent_loop_set_nesting_hook(once, freeWhenALoopBegins, nil)
        XCTAssertEqual(_tevent_loop_once(once, here), 0)
        let until = try context()
        tevent_loop_set_nesting_hook(until, freeWhenALoopBegins, nil)
        let neverAsked: tevent_finished_fn_t = { _ in
            XCTFail("the loop went on")
            return true
        }
        XCTAssertEqual(_tevent_loop_until(until, neverAsked, nil, here), 0)
    }
}
