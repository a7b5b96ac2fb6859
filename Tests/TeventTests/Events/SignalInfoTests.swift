import CTestSupport
import Foundation
import Talloc
import Tevent
import XCTest

/// Signal events that want the details of each arrival.
final class SignalInfoTests: EngineTestCase {
    private let signal = Signal.realTime(3)

    /// Runs a test that counts signals sent with a value, except under the thread sanitizer.
    ///
    /// The sanitizer holds signals back until it suits it, and then merges those of one number, so the test could not
    /// tell what the engine loses. Nothing in these tests runs on another thread; the test below does, and is run.
    private func onBothBackendsWithExactSignals(
        line: UInt = #line, _ body: (_ events: EventContext, _ clock: ManualClock) throws -> Void
    ) throws {
        if test_is_thread_sanitized() == 0 { try onBothBackends(line: line, body) }
    }

    private func queue(_ value: Int, line: UInt = #line) {
        XCTAssertEqual(test_queue_signal_here(signal.rawValue, Int32(value)), 0, line: line)
    }

    func testEachArrivalIsReportedByItselfWithItsSenderAndValue() throws {
        try onBothBackendsWithExactSignals { events, _ in
            var arrivals: [SignalArrival] = []
            try events.addSignal(signal, wantsInfo: true) { _, arrival in arrivals.append(arrival) }
            for value in 1...3 { queue(value) }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(arrivals.map(\.count), [1, 1, 1])
            let infos = try arrivals.map { try XCTUnwrap($0.info) }
            XCTAssertEqual(infos.map(\.value), [1, 2, 3])
            XCTAssertEqual(infos.map(\.sender), [getpid(), getpid(), getpid()])
            XCTAssertEqual(infos.map(\.user), [getuid(), getuid(), getuid()])
            XCTAssertTrue(infos.allSatisfy { $0.code == -1 }, "SI_QUEUE")
        }
    }

    func testOfMoreThanTheRingHoldsTheRestIsCounted() throws {
        try onBothBackendsWithExactSignals { events, _ in
            var arrivals: [SignalArrival] = []
            try events.addSignal(signal, wantsInfo: true) { _, arrival in arrivals.append(arrival) }
            let kept = EventContext.signalInfoCapacity
            for _ in 0..<3 {
                arrivals = []
                for value in 0..<kept * 3 { queue(value) }
                XCTAssertEqual(test_is_blocked(signal.rawValue), 0, "no thread could undo that for another")
                XCTAssertEqual(try events.loopWait(), .timedOut)
                XCTAssertEqual(arrivals.compactMap { $0.info?.value }, (0..<Int32(kept)).map { $0 })
                XCTAssertEqual(arrivals.last, SignalArrival(signal: signal, count: 2 * kept, info: nil))
                XCTAssertEqual(arrivals.count, kept + 1)
            }
        }
    }

    func testUpToWhatTheRingHoldsNothingIsMerelyCounted() throws {
        try onBothBackendsWithExactSignals { events, _ in
            var arrivals: [SignalArrival] = []
            try events.addSignal(signal, wantsInfo: true) { _, arrival in arrivals.append(arrival) }
            for value in 0..<EventContext.signalInfoCapacity { queue(value) }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(arrivals.count, EventContext.signalInfoCapacity)
            XCTAssertTrue(arrivals.allSatisfy { $0.info != nil && $0.count == 1 })
        }
    }

    func testAStormOverManyThreadsIsReportedInFullAndBlocksNone() throws {
        try onBothBackendsInRealTime { events in
            let number = signal.rawValue
            var told = 0
            try events.addSignal(signal, wantsInfo: true) { _, arrival in told += arrival.count }
            let blocked = SharedCount()
            let threads = try (0..<300).map { number in
                try SystemThread(named: "\(number)") {
                    for _ in 0..<2 { raise(SignalInfoTests.number) }
                    blocked.add(Int(test_is_blocked(SignalInfoTests.number)))
                }
            }
            for thread in threads { try thread.join() }
            XCTAssertEqual(number, SignalInfoTests.number)
            while told < 600 { try events.loopOnce() }
            raise(number)
            try events.loopOnce()
            XCTAssertEqual(told, 601, "the ring works on")
            XCTAssertEqual(blocked.value, 0)
        }
    }

    private static let number = Signal.realTime(3).rawValue

    func testTheProgramsOwnMaskStaysAsItIs() throws {
        try onBothBackendsWithExactSignals { events, _ in
            var told = 0
            let event = try events.addSignal(signal, wantsInfo: true) { _, arrival in told += arrival.count }
            for value in 0..<EventContext.signalInfoCapacity + 10 { queue(value) }
            test_block(signal.rawValue, 1)
            defer { test_block(signal.rawValue, 0) }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(test_is_blocked(signal.rawValue), 1, "after reading")
            event.free()
            XCTAssertEqual(test_is_blocked(signal.rawValue), 1, "after freeing")
            XCTAssertEqual(told, EventContext.signalInfoCapacity + 10)
        }
    }

    func testTheRingMayGoRoundManyTimes() throws {
        try onBothBackendsWithExactSignals { events, _ in
            var values: [Int32] = []
            try events.addSignal(signal, wantsInfo: true) { _, arrival in values.append(arrival.info?.value ?? -1) }
            var sent = 0
            for burst in 0..<60 {
                for _ in 0..<(burst * 7 % 97) {
                    queue(sent)
                    sent += 1
                }
                XCTAssertEqual(try events.loopWait(), .timedOut)
            }
            XCTAssertEqual(values, (0..<Int32(sent)).map { $0 })
        }
    }

    func testEachReaderGetsEachArrival() throws {
        try onBothBackendsWithExactSignals { events, clock in
            let other = try EventContext(under: events, backend: events.backend, clock: clock)
            var values: [[Int32]] = [[], [], []]
            for (index, context) in [events, events, other].enumerated() {
                try context.addSignal(signal, wantsInfo: true) { _, arrival in
                    values[index].append(arrival.info?.value ?? -1)
                }
            }
            for value in 0..<200 { queue(value) }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(try other.loopWait(), .timedOut)
            for index in 0..<3 { XCTAssertEqual(values[index], (0..<200).map { $0 }, "reader \(index)") }
        }
    }

    func testAReaderThatIsFreedMakesRoomForTheOthers() throws {
        try onBothBackendsWithExactSignals { events, _ in
            let sleepy = try EventContext(under: events)
            try sleepy.addSignal(signal, wantsInfo: true) { _, _ in XCTFail("its loop never runs") }
            var arrivals: [SignalArrival] = []
            try events.addSignal(signal, wantsInfo: true) { _, arrival in arrivals.append(arrival) }
            for value in 0..<EventContext.signalInfoCapacity { queue(value) }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            queue(1000)
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(arrivals.last, SignalArrival(signal: signal, count: 1, info: nil), "it has read nothing yet")
            sleepy.free()
            queue(1001)
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(arrivals.last?.info?.value, 1001)
        }
    }

    func testAnEventWithoutInfoCountsAllThatAnEventWithInfoHasNoRoomFor() throws {
        try onBothBackendsWithExactSignals { events, _ in
            var totals = (plain: 0, detailed: 0)
            try events.addSignal(signal) { _, arrival in totals.plain += arrival.count }
            try events.addSignal(signal, wantsInfo: true) { _, arrival in totals.detailed += arrival.count }
            for value in 0..<1_000 { queue(value) }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(totals.plain, 1_000)
            XCTAssertEqual(totals.detailed, 1_000)
        }
    }

    func testAReaderBeginsWithWhatArrivesAfterItWasAdded() throws {
        try onBothBackendsWithExactSignals { events, _ in
            for round in 0..<3 {
                var values: [Int32] = []
                let keepsTheSignalCaught = try events.addSignal(signal) { _, _ in }
                queue(-1)
                let reader = try events.addSignal(signal, wantsInfo: true) { _, arrival in
                    values.append(arrival.info?.value ?? -1)
                }
                queue(round)
                XCTAssertEqual(try events.loopWait(), .timedOut)
                XCTAssertEqual(values, [Int32(round)])
                reader.free()
                keepsTheSignalCaught.free()
            }
        }
    }

    func testAHandlerMayFreeItsReaderWithArrivalsUnread() throws {
        try onBothBackendsWithExactSignals { events, _ in
            var told = 0
            try events.addSignal(signal, wantsInfo: true) { event, _ in
                told += 1
                event.free()
            }
            // Without an event, the remaining signals would end the process.
            let keepsTheSignalCaught = try events.addSignal(signal) { _, _ in }
            for value in 0..<500 { queue(value) }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(told, 1)
            keepsTheSignalCaught.free()
        }
    }

    func testArrivalsOnAnotherThreadAreReportedWhileTheLoopReads() throws {
        try onBothBackendsInRealTime { events in
            let number = signal.rawValue
            var told = 0
            try events.addSignal(signal, wantsInfo: true) { event, arrival in
                XCTAssertEqual(arrival.info?.sender, getpid())
                told += 1
                if told == 100 { event.free() }
            }
            let thread = Thread { for _ in 0..<100 { raise(number) } }
            thread.start()
            XCTAssertEqual(try events.loopWait(), .noEvents)
            while !thread.isFinished { sched_yield() }
            XCTAssertEqual(told, 100)
        }
    }

    func testAChildsExitStatusIsTheValue() throws {
        try onBothBackendsInRealTime { events in
            var info: SignalInfo?
            try events.addSignal(.child, wantsInfo: true) { event, arrival in
                info = arrival.info
                event.free()
            }
            let child = test_fork()
            if child == 0 { _exit(7) }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(info?.sender, child)
            XCTAssertEqual(info?.value, 7)
            XCTAssertEqual(waitpid(child, nil, 0), child)
        }
    }
}
