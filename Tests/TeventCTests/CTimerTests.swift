import CTalloc
import CTevent
import Glibc
import XCTest

/// Timers, and arithmetic with times.
final class CTimerTests: CAPITestCase {
    private let past = timeval(tv_sec: 1000, tv_usec: 500)

    func testATimerIsAChunkThatIsFreedOnceItHasRun() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            let te = timer(ev, under: parent) { _, _, _ in }
            XCTAssertEqual(talloc_parent(chunk(te)), parent)
            XCTAssertEqual(String(cString: talloc_get_name(chunk(te))), "struct tevent_timer")
            once(ev)
            XCTAssertEqual(talloc_total_blocks(parent), 1)
        }
    }

    func testAHandlerIsGivenItsContextAndItself() throws {
        try onEachBackend { ev in
            var te: OpaquePointer?
            te = timer(ev) { given, timer, _ in
                XCTAssertEqual(given, ev)
                XCTAssertEqual(timer, te)
                self.log.append("ran")
            }
            once(ev)
            XCTAssertEqual(log, ["ran"])
        }
    }

    func testATimerOfZeroGetsZero() throws {
        try onEachBackend { ev in
            timer(ev) { _, _, now in XCTAssertEqual(now, timeval()) }
            once(ev)
            timer(ev, at: past) { _, _, now in
                let (before, after) = (time(nil) - 5, time(nil) + 5)
                XCTAssertTrue((before...after).contains(now.tv_sec), "now is \(now)")
            }
            once(ev)
        }
    }

    func testTimersRunInOrderOfTheirTimes() throws {
        try onEachBackend { ev in
            var later = past
            later.tv_usec += 1
            timer(ev, at: later) { _, _, _ in self.log.append("later") }
            for name in ["a", "b", "c"] { timer(ev, at: past) { _, _, _ in self.log.append("past \(name)") } }
            for name in ["a", "b", "c"] { timer(ev) { _, _, _ in self.log.append("zero \(name)") } }
            for _ in 0..<7 { once(ev) }
            XCTAssertEqual(log, ["zero a", "zero b", "zero c", "past a", "past b", "past c", "later"])
        }
    }

    func testATimerOfTheFutureIsWaitedFor() throws {
        try onEachBackend { ev in
            var deadline = tevent_timeval_current_ofs(0, 3000)
            timer(ev, at: deadline) { _, _, now in
                var now = now
                XCTAssertGreaterThanOrEqual(tevent_timeval_compare(&now, &deadline), 0)
                self.log.append("ran")
            }
            wait(ev)
            var now = tevent_timeval_current()
            XCTAssertGreaterThanOrEqual(tevent_timeval_compare(&now, &deadline), 0)
            XCTAssertEqual(log, ["ran"])
        }
    }

    func testATimerIsMovedByAnUpdate() throws {
        try onEachBackend { ev in
            let first = timer(ev, at: past) { _, _, _ in self.log.append("first") }
            timer(ev, at: past) { _, _, _ in self.log.append("second") }
            tevent_update_timer(first, past)
            for _ in 0..<2 { once(ev) }
            XCTAssertEqual(log, ["second", "first"], "the one that was updated comes after its equals")
            log = []
            let te = timer(ev, at: tevent_timeval_current_ofs(3600, 0)) { _, _, _ in self.log.append("moved") }
            tevent_update_timer(te, timeval())
            once(ev)
            XCTAssertEqual(log, ["moved"])
        }
    }

    func testAnUpdateInItsOwnHandlerDoesNotRunItAgain() throws {
        try onEachBackend { ev in
            timer(ev, under: memory) { _, te, _ in
                self.log.append("ran")
                tevent_update_timer(te, timeval())
            }
            once(ev)
            XCTAssertTrue(isQuiet(ev))
            XCTAssertEqual(log, ["ran"])
            XCTAssertFalse(tevent_common_have_events(ev))
        }
    }

    func testATimerFreedInItsOwnHandlerStaysUntilThatReturns() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            timer(ev, under: parent) { _, te, _ in
                let child = talloc_strdup(chunk(te), "still here")
                XCTAssertEqual(release(te), -1)
                tevent_timer_set_tag(te, 4711)
                XCTAssertEqual(tevent_timer_get_tag(te), 4711)
                XCTAssertEqual(child.map { String(cString: $0) }, "still here")
                self.log.append("ran")
            }
            once(ev)
            XCTAssertEqual(log, ["ran"])
            XCTAssertEqual(talloc_total_blocks(parent), 1)
        }
    }

    func testATimersParentMayBeFreedInItsHandler() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            timer(ev, under: parent) { _, te, _ in
                XCTAssertEqual(release(parent), 0)
                tevent_timer_set_tag(te, 1)
                self.log.append("ran")
            }
            once(ev)
            XCTAssertEqual(log, ["ran"])
            XCTAssertTrue(isQuiet(ev))
        }
    }

    func testATimerAndThenItsParentMayBeFreedInItsHandler() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            timer(ev, under: parent) { _, te, _ in
                XCTAssertEqual(release(te), -1)
                XCTAssertEqual(release(parent), 0)
                tevent_timer_set_tag(te, 1)
                self.log.append("ran")
            }
            once(ev)
            XCTAssertEqual(log, ["ran"])
            XCTAssertTrue(isQuiet(ev))
        }
    }

    func testATimerFreedByAnotherDoesNotRun() throws {
        try onEachBackend { ev in
            var second: OpaquePointer?
            timer(ev) { _, _, _ in
                XCTAssertEqual(release(second), 0)
                self.log.append("first")
            }
            second = timer(ev) { _, _, _ in self.log.append("second") }
            wait(ev)
            XCTAssertEqual(log, ["first"])
        }
    }

    func testATimerAddedInAHandlerRunsInALaterTurn() throws {
        try onEachBackend { ev in
            timer(ev) { ev, _, _ in self.timer(ev) { _, _, _ in self.log.append("added") } }
            once(ev)
            XCTAssertEqual(log, [])
            once(ev)
            XCTAssertEqual(log, ["added"])
        }
    }

    func testATimersHandlerMayRunTheLoopThatRunsOthers() throws {
        try onEachBackend { ev in
            tevent_loop_allow_nesting(ev)
            timer(ev) { ev, te, _ in
                XCTAssertEqual(release(te), -1)
                self.once(ev!)
                self.log.append("outer \(tevent_timer_get_tag(te))")
            }
            timer(ev) { _, te, _ in self.log.append("inner") }
            once(ev)
            XCTAssertEqual(log, ["inner", "outer 0"])
        }
    }

    // MARK: Times

    func testATimerMayBeFreedWithATimerThatRunsInItsHandler() throws {
        let ev = try context()
        tevent_loop_allow_nesting(ev)
        let inner = timer(ev, under: memory, at: tevent_timeval_current()) { _, _, _ in self.log.append("inner") }
        timer(ev, under: newChunk(under: chunk(inner))) { ev, _, _ in
            // The inner handler is finished by then, and its timer is freed with what is below it.
            self.once(ev!)
            self.log.append("outer")
        }
        once(ev)
        XCTAssertEqual(log, ["inner", "outer"])
    }

    func testTimesAreCompared() {
        var (a, b) = (timeval(tv_sec: 1, tv_usec: 999_999), timeval(tv_sec: 2, tv_usec: 0))
        XCTAssertEqual(tevent_timeval_compare(&a, &b), -1)
        XCTAssertEqual(tevent_timeval_compare(&b, &a), 1)
        XCTAssertEqual(tevent_timeval_compare(&a, &a), 0)
        b = timeval(tv_sec: 1, tv_usec: 5)
        XCTAssertEqual(tevent_timeval_compare(&a, &b), 1)
    }

    func testTimesAreAddedAndSubtracted() {
        var time = tevent_timeval_set(5, 600_000)
        XCTAssertEqual(time, timeval(tv_sec: 5, tv_usec: 600_000))
        XCTAssertEqual(tevent_timeval_add(&time, 1, 600_000), timeval(tv_sec: 7, tv_usec: 200_000))
        XCTAssertEqual(tevent_timeval_add(&time, 0, 400_000), timeval(tv_sec: 6, tv_usec: 0))
        XCTAssertEqual(tevent_timeval_add(&time, 1, 3_000_000), timeval(tv_sec: 9, tv_usec: 600_000))
        var other = timeval(tv_sec: 7, tv_usec: 100_000)
        XCTAssertEqual(tevent_timeval_until(&time, &other), timeval(tv_sec: 1, tv_usec: 500_000))
        XCTAssertEqual(tevent_timeval_until(&other, &time), timeval(), "no time is left")
        XCTAssertEqual(tevent_timeval_until(&time, &time), timeval())
        var zero = tevent_timeval_zero()
        XCTAssertTrue(tevent_timeval_is_zero(&zero))
        zero.tv_usec = 1
        XCTAssertFalse(tevent_timeval_is_zero(&zero))
    }

    func testTheCurrentTimeIsThatOfTheDay() {
        XCTAssertLessThan(abs(tevent_timeval_current().tv_sec - time(nil)), 5)
        XCTAssertLessThan(abs(tevent_timeval_current_ofs(100, 0).tv_sec - time(nil) - 100), 5)
        XCTAssertLessThan(tevent_timeval_current_ofs(0, 999_999).tv_usec, 1_000_000)
    }
}
