import CTalloc
import CTestSupport
import CTevent
import Glibc
import XCTest

/// Signals, with and without the details that the system reports.
final class CSignalTests: CAPITestCase {
    private let resetHand = CInt(bitPattern: 0x8000_0000)

    func testAHandlerLearnsHowOftenItsSignalCame() throws {
        try onEachBackend { ev in
            var se: OpaquePointer?
            se = signal(ev, SIGUSR1) { given, event, arrival in
                XCTAssertEqual(given, ev)
                XCTAssertEqual(event, se)
                XCTAssertEqual(arrival.number, SIGUSR1)
                XCTAssertNil(arrival.info)
                self.log.append("\(arrival.count)")
            }
            XCTAssertEqual(String(cString: talloc_get_name(chunk(se))), "struct tevent_signal")
            for count in 1...3 {
                for _ in 0..<count { raise(SIGUSR1) }
                once(ev)
            }
            XCTAssertEqual(log, ["1", "2", "3"])
            XCTAssertTrue(isQuiet(ev))
        }
    }

    func testSignalInfoIsGivenForEachArrival() throws {
        try onEachBackend { ev in
            signal(ev, SIGUSR1, CInt(SA_SIGINFO)) { _, _, arrival in
                guard let info = arrival.info?.pointee else { return XCTFail("there are no details of the signal") }
                XCTAssertEqual(info.si_signo, SIGUSR1)
                XCTAssertEqual(info.si_code, -1, "SI_QUEUE")
                XCTAssertEqual(info._sifields._rt.si_pid, getpid())
                XCTAssertEqual(info._sifields._rt.si_uid, getuid())
                XCTAssertEqual(arrival.count, 1)
                self.log.append("\(info._sifields._rt.si_sigval.sival_int)")
            }
            for value in [7, 8, 9] { XCTAssertEqual(test_queue_signal_here(SIGUSR1, Int32(value)), 0) }
            while log.count < 3 { once(ev) }
            XCTAssertEqual(log, ["7", "8", "9"])
            XCTAssertTrue(isQuiet(ev))
        }
    }

    func testAHandlerForDetailsGetsSomeAlsoWhenTheyRanOut() throws {
        try onEachBackend { ev in
            let kept = tevent_sa_info_queue_count()
            var counts: [CInt] = []
            signal(ev, SIGUSR1, CInt(SA_SIGINFO)) { _, _, arrival in
                guard let info = arrival.info?.pointee else { return XCTFail("no details after \(counts.count)") }
                XCTAssertEqual(info.si_signo, SIGUSR1)
                counts.append(arrival.count)
            }
            for _ in 0..<kept + 10 { raise(SIGUSR1) }
            while counts.reduce(0, +) < kept + 10 { once(ev) }
            XCTAssertEqual(counts, Array(repeating: 1, count: kept) + [10])
            XCTAssertTrue(isQuiet(ev))
        }
    }

    func testBothKindsOfEventsServeOneSignal() throws {
        try onEachBackend { ev in
            signal(ev, SIGUSR2) { _, _, arrival in self.log.append("plain \(arrival.info == nil)") }
            signal(ev, SIGUSR2, CInt(SA_SIGINFO)) { _, _, arrival in self.log.append("info \(arrival.info != nil)") }
            raise(SIGUSR2)
            while log.count < 2 { once(ev) }
            XCTAssertTrue(isQuiet(ev))
            XCTAssertEqual(log.sorted(), ["info true", "plain true"])
        }
    }

    func testAnEventThatWantsOneArrivalIsFreedAfterwards() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            signal(ev, SIGUSR1, resetHand, under: parent) { _, _, _ in self.log.append("ran") }
            raise(SIGUSR1)
            once(ev)
            XCTAssertEqual(log, ["ran"])
            XCTAssertEqual(talloc_total_blocks(parent), 1)
            XCTAssertFalse(tevent_common_have_events(ev))
            XCTAssertEqual(test_disposition(SIGUSR1), 0, "the signal does again what it does by itself")
        }
    }

    func testTheDispositionIsPutBack() throws {
        try onEachBackend { ev in
            test_set_disposition(SIGUSR1, 1)
            let events = (0..<2).map { _ in signal(ev, SIGUSR1) { _, _, _ in } }
            XCTAssertEqual(test_disposition(SIGUSR1), 2)
            release(events[0])
            XCTAssertEqual(test_disposition(SIGUSR1), 2)
            release(events[1])
            XCTAssertEqual(test_disposition(SIGUSR1), 1)
            test_set_disposition(SIGUSR1, 0)
        }
    }

    func testNumbersThatCannotBeCaughtAreRefused() throws {
        let ev = try context()
        for number in [-1, 4711] {
            errno = 0
            XCTAssertNil(signal(ev, Int32(number)) { _, _, _ in })
            XCTAssertEqual(errno, EINVAL)
        }
        XCTAssertGreaterThan(tevent_num_signals(), 64)
        XCTAssertGreaterThan(tevent_sa_info_queue_count(), 0)
    }

    func testOneFreedInItsOwnHandlerStaysUntilThatReturns() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            signal(ev, SIGUSR1, under: parent) { _, se, _ in
                XCTAssertEqual(release(se), -1)
                tevent_signal_set_tag(se, 4711)
                XCTAssertEqual(tevent_signal_get_tag(se), 4711)
                self.log.append("ran")
            }
            raise(SIGUSR1)
            once(ev)
            XCTAssertEqual(log, ["ran"])
            XCTAssertEqual(talloc_total_blocks(parent), 1)
        }
    }

    func testOneThatIsFreedBeforeItsTurnDoesNotRun() throws {
        try onEachBackend { ev in
            let se = signal(ev, SIGUSR1) { _, _, _ in self.log.append("ran") }
            raise(SIGUSR1)
            XCTAssertEqual(release(se), 0)
            XCTAssertTrue(isQuiet(ev))
        }
    }

    func testCleaningUpTakesItOutOfTheLoop() throws {
        try onEachBackend { ev in
            let se = signal(ev, SIGUSR1, under: memory) { _, _, _ in self.log.append("ran") }
            raise(SIGUSR1)
            tevent_cleanup_pending_signal_handlers(se)
            XCTAssertFalse(tevent_common_have_events(ev))
            XCTAssertTrue(isQuiet(ev))
            XCTAssertEqual(release(se), 0)
        }
    }

    // MARK: What loops of the program's own call

    func testCheckingRunsAllThatHaveArrived() throws {
        try onEachBackend { ev in
            XCTAssertEqual(tevent_common_check_signal(ev), 0)
            for number in [SIGUSR1, SIGUSR2] {
                for index in 0..<2 { signal(ev, number) { _, _, _ in self.log.append("\(number) \(index)") } }
            }
            XCTAssertEqual(tevent_common_check_signal(ev), 0)
            raise(SIGUSR1)
            raise(SIGUSR2)
            XCTAssertEqual(tevent_common_check_signal(ev), 1)
            let expected = [SIGUSR1, SIGUSR2].flatMap { ["\($0) 0", "\($0) 1"] }
            XCTAssertEqual(log.sorted(), expected)
            XCTAssertEqual(tevent_common_check_signal(ev), 0)
        }
    }

    func testTheProgramMayCallTheHandler() throws {
        try onEachBackend { ev in
            let parent = newChunk(under: memory)
            var frees = false
            let se = signal(ev, SIGUSR1, CInt(SA_SIGINFO), under: parent) { _, se, arrival in
                self.log.append("\(arrival.number) \(arrival.count) \(arrival.info?.pointee.si_code ?? 0)")
                if frees { XCTAssertEqual(release(se), -1) }
            }
            var info = siginfo_t()
            info.si_signo = SIGUSR1
            info.si_code = 4711
            var isRemoved = true
            XCTAssertEqual(tevent_common_invoke_signal_handler(se, SIGUSR1, 3, &info, &isRemoved), 0)
            XCTAssertFalse(isRemoved)
            frees = true
            XCTAssertEqual(tevent_common_invoke_signal_handler(se, SIGUSR1, 1, &info, &isRemoved), 0)
            XCTAssertTrue(isRemoved)
            XCTAssertEqual(log, ["10 3 4711", "10 1 4711"])
            XCTAssertEqual(talloc_total_blocks(parent), 1)
        }
    }
}
