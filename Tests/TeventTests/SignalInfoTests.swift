import CTestSupport
import Foundation
import Talloc
import Tevent
import XCTest

/// Signal events that want to know of each arrival what the system tells of it.
final class SignalInfoTests: EngineTestCase {
    private let signal = Signal.realTime(3)

    /// Runs a test that counts signals sent with a number, though not under the thread sanitizer.
    ///
    /// That keeps signals until a moment that suits it, and then merges those of one number, so under it the test could
    /// not tell what the engine loses. Nothing in these tests runs on another thread; the test below does, and is run.
    private func onBothBackendsWithExactSignals(
        line: UInt = #line, _ body: (_ events: EventContext, _ clock: ManualClock) throws -> Void
    ) throws {
        if test_is_thread_sanitized() == 0 { try onBothBackends(line: line, body) }
    }

    private func queue(_ value: Int, line: UInt = #line) {
        XCTAssertEqual(test_queue_signal_here(signal.rawValue, Int32(value)), 0, line: line)
    }

    func testEachArrivalIsToldByItselfWithItsSenderAndValue() throws {
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

    func testMoreThanTheRingHoldsAreQueuedByTheSystemAndNoneIsLost() throws {
        try onBothBackendsWithExactSignals { events, _ in
            var values: [Int32] = []
            try events.addSignal(signal, wantsInfo: true) { _, arrival in values.append(arrival.info?.value ?? -1) }
            let count = EventContext.signalInfoCapacity * 8
            for value in 0..<count { queue(value) }
            XCTAssertEqual(test_is_blocked(signal.rawValue), 1, "the system keeps what the ring cannot")
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(values, (0..<Int32(count)).map { $0 })
            XCTAssertEqual(test_is_blocked(signal.rawValue), 0)
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
            for value in 0..<300 { queue(value) }
            // One context alone cannot make room: the other has read nothing yet.
            for _ in 0..<10 {
                XCTAssertEqual(try events.loopWait(), .timedOut)
                XCTAssertEqual(try other.loopWait(), .timedOut)
            }
            for index in 0..<3 { XCTAssertEqual(values[index], (0..<300).map { $0 }, "reader \(index)") }
        }
    }

    func testAReaderThatGoesMakesRoomForTheOthers() throws {
        try onBothBackendsWithExactSignals { events, _ in
            let sleepy = try EventContext(under: events)
            try sleepy.addSignal(signal, wantsInfo: true) { _, _ in XCTFail("its loop never runs") }
            var values: [Int32] = []
            try events.addSignal(signal, wantsInfo: true) { _, arrival in values.append(arrival.info?.value ?? -1) }
            let sent = EventContext.signalInfoCapacity + 50
            for value in 0..<sent { queue(value) }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(values.count, EventContext.signalInfoCapacity)
            XCTAssertEqual(test_is_blocked(signal.rawValue), 1)
            sleepy.free()
            XCTAssertEqual(test_is_blocked(signal.rawValue), 0)
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(values, (0..<sent).map(Int32.init))
        }
    }

    func testAnEventWithoutInfoIsToldOfAllThoughTheSignalIsBlockedMeanwhile() throws {
        try onBothBackendsWithExactSignals { events, _ in
            var total = 0
            var infos = 0
            try events.addSignal(signal) { _, arrival in total += arrival.count }
            try events.addSignal(signal, wantsInfo: true) { _, _ in infos += 1 }
            for value in 0..<1_000 { queue(value) }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(total, 1_000)
            XCTAssertEqual(infos, 1_000)
        }
    }

    func testWhenTheLastReaderIsGoneTheSignalIsNeverBlockedForTheOthers() throws {
        try onBothBackendsWithExactSignals { events, _ in
            var total = 0
            try events.addSignal(signal) { _, arrival in total += arrival.count }
            let reader = try events.addSignal(signal, wantsInfo: true) { _, _ in XCTFail("freed") }
            for value in 0..<300 { queue(value) }
            reader.free()
            XCTAssertEqual(test_is_blocked(signal.rawValue), 0)
            for value in 0..<1_000 { queue(value) }
            XCTAssertEqual(test_is_blocked(signal.rawValue), 0, "nobody reads, so nothing has to wait")
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(total, 1_300)
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
            // Without an event the rest would end the process.
            let keepsTheSignalCaught = try events.addSignal(signal) { _, _ in }
            for value in 0..<500 { queue(value) }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(told, 1)
            keepsTheSignalCaught.free()
        }
    }

    func testArrivalsOnAnotherThreadAreToldWhileTheLoopReads() throws {
        try onBothBackendsInRealTime { events in
            let number = signal.rawValue
            var told = 0
            try events.addSignal(signal, wantsInfo: true) { event, arrival in
                XCTAssertEqual(arrival.info?.sender, getpid())
                told += 1
                if told == 100 { event.free() }
            }
            // Fewer than would be blocked there: only the loop's own thread is unblocked by the loop.
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
