import Talloc
import TestSupport
import Tevent
import XCTest

final class SignalTests: XCTestCase {
    func testASignalRunsItsHandlerInTheLoopNotWhenItArrives() throws {
        try onEachBackend { bench in
            try bench.events.addSignal(.user1) { event, arrival in
                XCTAssertEqual(event.signal, .user1)
                XCTAssertEqual(arrival.signal, .user1)
                XCTAssertEqual(arrival.count, 1)
                XCTAssertNil(arrival.info)
                bench.log.add("signal", "runs")
            }
            Signal.user1.raise()
            XCTAssertEqual(bench.log.who, [])
            XCTAssertEqual(try bench.events.loopOnce(), .handled)
            XCTAssertEqual(bench.log.who, ["signal"])
        }
    }

    func testArrivalsWhileBusyComeInOneCallWithTheirCount() throws {
        try onEachBackend { bench in
            var counts: [Int] = []
            try bench.events.addSignal(.user1) { event, arrival in
                counts.append(arrival.count)
                if counts.count == 2 { event.free() }
            }
            try bench.events.addTimer(at: .zero) { _, _ in for _ in 1...5 { Signal.user1.raise() } }
            try bench.events.loopOnce()
            try bench.events.loopOnce()
            XCTAssertEqual(counts, [5])
            Signal.user1.raise()
            try bench.events.loopWait()
            XCTAssertEqual(counts, [5, 1])
        }
    }

    func testNoneIsLostInAStorm() throws {
        try onEachBackend { bench in
            var counted = 0
            try bench.events.addSignal(.user1) { event, arrival in
                counted += arrival.count
                if counted == 10_000 { event.free() }
            }
            var bursts = 0
            try bench.events.addTimer(at: .zero) { timer, _ in
                for _ in 1...100 { Signal.user1.raise() }
                bursts += 1
                if bursts < 100 { timer.update(at: .zero) }
            }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(counted, 10_000)
        }
    }

    func testWithInfoEachArrivalIsACallOfItsOwn() throws {
        try onEachBackend { bench in
            var arrivals: [SignalArrival] = []
            try bench.events.addSignal(.user1, wantsInfo: true) { event, arrival in
                arrivals.append(arrival)
                if arrivals.count == 3 { event.free() }
            }
            for _ in 1...3 { Signal.user1.raise() }
            try bench.events.loopWait()
            XCTAssertEqual(arrivals.map(\.count), [1, 1, 1])
            XCTAssert(arrivals.allSatisfy { $0.info?.sender == ProcessInfo.processInfo.processIdentifier })
        }
    }

    func testSeveralHandlersAndContextsAreEachNotifiedOfTheSameSignal() throws {
        try onEachBackend { bench in
            let other = try EventContext(under: bench.memory, backend: bench.backend)
            for name in ["first", "second"] {
                try bench.events.addSignal(.user2) { event, arrival in
                    bench.log.add(name, "\(arrival.count)")
                    event.free()
                }
            }
            try other.addSignal(.user2) { event, arrival in
                bench.log.add("other", "\(arrival.count)")
                event.free()
            }
            Signal.user2.raise()
            Signal.user2.raise()
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["first", "second"])
            try other.loopWait()
            XCTAssertEqual(bench.log.who, ["first", "second", "other"])
            XCTAssertEqual(bench.log.what, ["2", "2", "2"])
        }
    }

    func testASignalRunsBeforeAnImmediate() throws {
        try onEachBackend { bench in
            try ImmediateEvent(under: bench.events).schedule(on: bench.events) { _, _ in
                bench.log.add("immediate", "runs")
            }
            try bench.events.addSignal(.user1) { event, _ in
                bench.log.add("signal", "runs")
                event.free()
            }
            Signal.user1.raise()
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["signal", "immediate"])
        }
    }

    func testAnEventCountsOnlyArrivalsAfterItWasAdded() throws {
        try onEachBackend { bench in
            let keeper = try bench.events.addSignal(.user1) { event, _ in event.free() }
            Signal.user1.raise()
            let late = try bench.events.addSignal(.user1) { _, _ in XCTFail("added after the signal arrived") }
            try bench.events.loop { keeper.isFreed }
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            late.free()
        }
    }

    func testFreeingTheLastEventPutsTheOldDispositionBack() throws {
        for backend in ["epoll", "poll"] where backend == "epoll" {
            let result = try runInChild(self) {
                for name in ["epoll", "poll"] {
                    let events = try EventContext(backend: name)
                    let events2 = try EventContext(backend: name)
                    let kept = try events.addSignal(.terminate) { _, _ in }
                    try events2.addSignal(.terminate) { _, _ in }.free()
                    Signal.terminate.raise()
                    kept.free()
                }
                Signal.terminate.raise()
                XCTFail("SIGTERM ends a program that does not catch it")
            }
            XCTAssertEqual(result.signal, Signal.terminate.rawValue)
        }
    }

    func testSignalsThatCannotBeCaughtAreRefusedByName() throws {
        try onEachBackend { bench in
            for number: Int32 in [9, 19, 0, -1, 65] {
                XCTAssertThrowsError(try bench.events.addSignal(Signal(rawValue: number)) { _, _ in }) { error in
                    XCTAssertEqual(error as? TeventError, .badSignal(number))
                }
            }
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
        }
    }
}
