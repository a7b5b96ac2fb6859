import CTalloc
import CTevent
import Glibc
import XCTest

/// Immediates: created once, and run each time they are scheduled.
final class CImmediateTests: CAPITestCase {
    func testAnImmediateIsAChunkThatStays() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            let im = immediate(under: parent)
            XCTAssertEqual(talloc_parent(chunk(im)), parent)
            XCTAssertEqual(String(cString: talloc_get_name(chunk(im))), "struct tevent_immediate")
            for _ in 0..<2 {
                schedule(im, on: ev) { given, immediate in
                    XCTAssertEqual(given, ev)
                    XCTAssertEqual(immediate, im)
                    self.log.append("ran")
                }
                once(ev)
            }
            XCTAssertEqual(log, ["ran", "ran"])
            XCTAssertEqual(talloc_parent(chunk(im)), parent)
        }
    }

    func testTheyRunInTheOrderOfScheduling() throws {
        try onEachBackend { ev in
            let immediates = (0..<3).map { _ in immediate() }
            for (index, im) in immediates.enumerated() {
                schedule(im, on: ev) { _, _ in self.log.append("\(index)") }
            }
            // Scheduled again, it moves to the end, with its new handler.
            schedule(immediates[0], on: ev) { _, _ in self.log.append("0 again") }
            wait(ev)
            XCTAssertEqual(log, ["1", "2", "0 again"])
        }
    }

    func testAHandlerMayScheduleItsImmediateAgain() throws {
        try onEachBackend { ev in
            func again(_ left: Int) -> ImmediateBody {
                { ev, im in
                    self.log.append("\(left)")
                    if left > 0 { self.schedule(im, on: ev, again(left - 1)) }
                }
            }
            schedule(immediate(), on: ev, again(2))
            once(ev)
            XCTAssertEqual(log, ["2"], "the next one is for a later turn")
            wait(ev)
            XCTAssertEqual(log, ["2", "1", "0"])
        }
    }

    func testWithoutContextOrHandlerItIsCancelled() throws {
        try onEachBackend { ev in
            let im = immediate()
            let cancels: [() -> Void] = [
                { _tevent_schedule_immediate(im, nil, nil, nil, nil, here) },
                { _tevent_schedule_immediate(im, ev, nil, nil, nil, here) },
                { tevent_reset_immediate(im) },
            ]
            for cancel in cancels {
                schedule(im, on: ev) { _, _ in self.log.append("ran") }
                cancel()
                XCTAssertFalse(tevent_common_have_events(ev))
                cancel()
            }
            wait(ev)
            XCTAssertEqual(log, [])
            schedule(im, on: ev) { _, _ in self.log.append("ran") }
            wait(ev)
            XCTAssertEqual(log, ["ran"])
        }
    }

    func testAnImmediateMovesToAnotherContext() throws {
        try onEachBackend { ev in
            let other = try context()
            let im = immediate()
            schedule(im, on: ev) { _, _ in self.log.append("here") }
            schedule(im, on: other) { given, _ in self.log.append(given == other ? "there" : "?") }
            wait(ev)
            XCTAssertEqual(log, [])
            wait(other)
            XCTAssertEqual(log, ["there"])
        }
    }

    func testAnImmediateFreedInItsOwnHandlerStaysUntilThatReturns() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            schedule(immediate(under: parent), on: ev) { ev, im in
                XCTAssertEqual(release(im), -1)
                tevent_immediate_set_tag(im, 4711)
                XCTAssertEqual(tevent_immediate_get_tag(im), 4711)
                self.log.append("ran")
            }
            wait(ev)
            XCTAssertEqual(log, ["ran"])
            XCTAssertEqual(talloc_total_blocks(parent), 1)
        }
    }

    func testOneThatWasScheduledAgainAndThenFreedDoesNotRun() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            schedule(immediate(under: parent), on: ev) { ev, im in
                self.schedule(im, on: ev) { _, _ in self.log.append("again") }
                XCTAssertEqual(release(im), -1)
                self.log.append("freed")
            }
            wait(ev)
            XCTAssertEqual(log, ["freed"])
            XCTAssertEqual(talloc_total_blocks(parent), 1)
        }
    }

    func testOneThatIsFreedBeforeItsTurnDoesNotRun() throws {
        try onEachBackend { ev in
            let second = immediate()
            schedule(immediate(), on: ev) { _, _ in
                XCTAssertEqual(release(second), 0)
                self.log.append("first")
            }
            schedule(second, on: ev) { _, _ in self.log.append("second") }
            wait(ev)
            XCTAssertEqual(log, ["first"])
        }
    }

    func testACancelledOneInItsOwnHandlerStaysUsable() throws {
        try onEachBackend { ev in
            let im = immediate()
            schedule(im, on: ev) { _, im in
                tevent_reset_immediate(im)
                self.log.append("ran")
            }
            wait(ev)
            schedule(im, on: ev) { _, _ in self.log.append("once more") }
            wait(ev)
            XCTAssertEqual(log, ["ran", "once more"])
        }
    }
}
