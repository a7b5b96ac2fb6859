import CTestSupport
import Foundation
import Talloc
import TestSupport
import Tevent
import XCTest

final class SignalTests: EngineTestCase {
    func testASignalsHandlerRunsInTheLoopAndGoesOnUntilFreed() throws {
        try onBothBackends { events, _ in
            var arrivals: [SignalArrival] = []
            let event = try events.addSignal(.user1) { event, arrival in
                XCTAssertEqual(event.signal, .user1)
                arrivals.append(arrival)
            }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            for _ in 0..<3 {
                Signal.user1.raise()
                XCTAssertEqual(try events.loopOnce(), .handled)
            }
            XCTAssertEqual(arrivals.map(\.count), [1, 1, 1])
            XCTAssertEqual(arrivals.map(\.signal), [.user1, .user1, .user1])
            XCTAssertTrue(arrivals.allSatisfy { $0.info == nil })
            event.free()
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testSignalsThatArriveWhileBusyAreCounted() throws {
        try onBothBackends { events, _ in
            var counts: [Int] = []
            try events.addSignal(.user1) { _, arrival in counts.append(arrival.count) }
            for _ in 0..<17 { Signal.user1.raise() }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(counts, [17])
            XCTAssertEqual(try events.loopOnce(), .timedOut, "they are reported once")
        }
    }

    func testAStormLosesNone() throws {
        try onBothBackends { events, _ in
            var total = 0
            try events.addSignal(.user1) { _, arrival in
                total += arrival.count
                if total < 50_000 { for _ in 0..<500 { Signal.user1.raise() } }
            }
            for _ in 0..<50_000 { Signal.user1.raise() }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(total, 50_000)
            for _ in 0..<50_000 { Signal.user1.raise() }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(total, 100_000)
        }
    }

    func testSeveralEventsMayCatchOneSignalAndEachIsCalled() throws {
        try onBothBackends { events, _ in
            var order: [Int] = []
            for index in 0..<3 { try events.addSignal(.user1) { _, arrival in order += [index, arrival.count] } }
            Signal.user1.raise()
            Signal.user1.raise()
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(order, [0, 2, 1, 2, 2, 2])
        }
    }

    func testSeveralContextsMayCatchOneSignalAndEachIsNotified() throws {
        try onEachBackend { backend in
            let clock = ManualClock()
            let contexts = try (0..<3).map { _ in try EventContext(backend: backend, clock: clock) }
            defer { contexts.forEach { $0.free() } }
            var counts = [0, 0, 0]
            for (index, events) in contexts.enumerated() {
                try events.addSignal(.user1) { _, arrival in counts[index] += arrival.count }
            }
            for _ in 0..<5 { Signal.user1.raise() }
            XCTAssertEqual(try contexts[1].loopWait(), .timedOut)
            XCTAssertEqual(counts, [0, 5, 0])
            XCTAssertEqual(try contexts[0].loopWait(), .timedOut)
            XCTAssertEqual(try contexts[2].loopWait(), .timedOut)
            XCTAssertEqual(counts, [5, 5, 5])
        }
    }

    func testAnEventCountsOnlySignalsThatArriveAfterItWasAdded() throws {
        try onBothBackends { events, _ in
            var counts: [String: Int] = [:]
            try events.addSignal(.user1) { _, arrival in counts["early", default: 0] += arrival.count }
            Signal.user1.raise()
            try events.addSignal(.user1) { _, arrival in counts["late", default: 0] += arrival.count }
            Signal.user1.raise()
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(counts, ["early": 2, "late": 1])
        }
    }

    func testASignalInAStormDoesNotHideTheOthers() throws {
        try onBothBackends { events, _ in
            var order: [Signal] = []
            try events.addSignal(.user1) { _, _ in
                order.append(.user1)
                if order.count < 10 { Signal.user1.raise() }
            }
            try events.addSignal(.user2) { _, _ in order.append(.user2) }
            Signal.user1.raise()
            Signal.user2.raise()
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(order.prefix(3), [.user1, .user2, .user1])
        }
    }

    // MARK: Dispositions

    func testTheOldDispositionIsBackWhenTheLastEventGoes() throws {
        try onBothBackends { events, _ in
            for isIgnored in [false, true] {
                test_set_disposition(SIGUSR2, isIgnored ? 1 : 0)
                defer { test_set_disposition(SIGUSR2, 0) }
                let other = try EventContext(under: events)
                let first = try events.addSignal(.user2) { _, _ in }
                try other.addSignal(.user2) { _, _ in }
                XCTAssertEqual(test_disposition(SIGUSR2), 2)
                first.free()
                XCTAssertEqual(test_disposition(SIGUSR2), 2, "the other context catches it still")
                other.free()
                XCTAssertEqual(test_disposition(SIGUSR2), isIgnored ? 1 : 0)
            }
        }
    }

    func testTheDispositionIsBackWhenTheContextGoes() throws {
        try onEachBackend { backend in
            let events = try EventContext(backend: backend)
            try events.addSignal(.windowChange) { _, _ in }
            XCTAssertEqual(test_disposition(SIGWINCH), 2)
            events.free()
            XCTAssertEqual(test_disposition(SIGWINCH), 0)
        }
    }

    func testASignalCanBeCaughtIgnoredAndCaughtAgain() throws {
        try onBothBackends { events, _ in
            test_set_disposition(SIGUSR2, 1)
            defer { test_set_disposition(SIGUSR2, 0) }
            var count = 0
            for round in 1...3 {
                let event = try events.addSignal(.user2) { _, arrival in count += arrival.count }
                Signal.user2.raise()
                XCTAssertEqual(try events.loopOnce(), .handled)
                event.free()
                Signal.user2.raise()
                XCTAssertEqual(count, round)
            }
        }
    }

    // MARK: Free

    func testAnEventFreedBeforeItsTurnIsNotCalled() throws {
        try onBothBackends { events, _ in
            let event = try events.addSignal(.user1) { _, _ in XCTFail("freed") }
            try events.addSignal(.user1) { _, _ in }
            Signal.user1.raise()
            event.free()
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(try events.loopOnce(), .timedOut)
        }
    }

    func testAHandlerMayFreeItsOwnEventTheNextAndTheContext() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            var next: SignalEvent?
            do {
                let token = Token()
                held = token
                try events.addSignal(.user1) { event, _ in
                    event.free()
                    next?.free()
                    withExtendedLifetime(token) {}
                }
            }
            next = try events.addSignal(.user1) { _, _ in XCTFail("freed") }
            try events.addSignal(.user1) { _, _ in events.free() }
            Signal.user1.raise()
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertNil(held)
            XCTAssertEqual(try events.loopOnce(), .contextFreed)
        }
    }

    func testNumbersThatCannotBeCaughtAreRefused() throws {
        try onBothBackends { events, _ in
            for number in [0, -1, 65, 1000, SIGKILL, SIGSTOP, 32, 33] {
                assertThrows(.badSignal(number), try events.addSignal(Signal(rawValue: number)) { _, _ in })
                assertThrows(
                    .badSignal(number), try events.addSignal(Signal(rawValue: number), wantsInfo: true) { _, _ in })
            }
            XCTAssertEqual(events.signals, [])
            XCTAssertFalse(events.hasEvents)
        }
    }

    func testRealTimeSignalsThatDoNotExistAreRefused() throws {
        try onBothBackends { events, _ in
            // -3 is the first that would be a signal of another kind.
            for index: Int32 in [.min, -100, -3, -1, 31, 1000, .max - 34, .max - 33, .max] {
                let signal = Signal.realTime(index)
                assertThrows(.badSignal(signal.rawValue), try events.addSignal(signal) { _, _ in })
                signal.raise()
            }
            for index: Int32 in [0, 30] { try events.addSignal(.realTime(index)) { _, _ in } }
            XCTAssertEqual(events.signals.map(\.signal.rawValue), [34, 64])
        }
    }

    func testSignalsAreSupportedAndNumbered() throws {
        try onBothBackends { events, _ in
            XCTAssertTrue(EventContext.supportsSignals)
            XCTAssertEqual(EventContext.signalCount, 64)
            XCTAssertNoThrow(try events.addSignal(Signal(rawValue: 64)) { _, _ in })
        }
    }

    func testSignalsHaveNames() {
        XCTAssertEqual("\(Signal.interrupt)", "SIGINT")
        XCTAssertEqual("\(Signal.realTime(2))", "SIGRTMIN+2")
        XCTAssertEqual("\(Signal(rawValue: 0))", "signal 0")
        XCTAssertEqual("\(Signal.realTime(-3))", "signal -3")
    }

    // MARK: Waking

    func testAFaultOfTheProgramEndsItThoughAnEventCatchesTheSignal() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            for signal in [SIGILL, SIGTRAP, SIGSEGV] { try events.addSignal(Signal(rawValue: signal)) { _, _ in } }
            alarm(20)
            fatalError("the fault")
        }
        assertTrapped(result, saying: "the fault")
        XCTAssertNotEqual(result.signal, SIGALRM)
    }

    func testASignalOfAFaultThatIsSentIsOneLikeAnyOther() throws {
        try onBothBackends { events, _ in
            var told = 0
            try events.addSignal(Signal(rawValue: SIGILL), wantsInfo: true) { _, arrival in told += arrival.count }
            for _ in 0..<3 { Signal(rawValue: SIGILL).raise() }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(told, 3)
        }
    }

    func testASignalFromAnotherThreadWakesASleepingLoop() throws {
        let own = UInt(pthread_self())
        try assertWakesASleepingLoop { pthread_kill(pthread_t(own), SIGUSR1) }
    }

    func testASignalHandledOnAnotherThreadWakesASleepingLoop() throws {
        try assertWakesASleepingLoop { raise(SIGUSR1) }
    }

    /// Makes another thread send SIGUSR1 a hundred times, once for each byte that the signal's handler writes.
    ///
    /// The loop is therefore asleep again each time, or about to be.
    private func assertWakesASleepingLoop(_ send: @escaping @Sendable () -> Void) throws {
        try onBothBackendsInRealTime { events in
            var count = 0
            let pipe = try pipe()
            let reader = pipe.reader
            _ = fcntl(reader, F_SETFL, 0)
            let thread = Thread {
                var byte: UInt8 = 0
                while Foundation.read(reader, &byte, 1) == 1 { send() }
            }
            thread.start()
            try events.addSignal(.user1) { event, arrival in
                count += arrival.count
                if count < 100 { self.write(pipe.writer) } else { event.free() }
            }
            write(pipe.writer)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(count, 100)
            close(pipe.writer)
            while !thread.isFinished { sched_yield() }
        }
    }

    func testWakersOfFreedContextsServeOthers() throws {
        try onEachBackend { backend in
            for _ in 0..<50 {
                let clock = ManualClock()
                let pair = try (0..<2).map { _ in try EventContext(backend: backend, clock: clock) }
                var told = [0, 0]
                for (index, events) in pair.enumerated() {
                    try events.addSignal(.user1) { _, arrival in told[index] += arrival.count }
                }
                pair[0].free()
                Signal.user1.raise()
                XCTAssertEqual(try pair[1].loopWait(), .timedOut)
                XCTAssertEqual(told, [0, 1])
                pair[1].free()
            }
        }
    }
}
