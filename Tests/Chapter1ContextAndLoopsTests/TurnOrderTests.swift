import Chapter1ContextAndLoops
import Tevent
import XCTest

/// What is served first when several events are ready: each neighbouring pair, and the order within each kind.
final class TurnOrderTests: XCTestCase {
    func testSignalsBeforeImmediates() throws { try checkOrder(.signal, .immediate) }

    func testImmediatesBeforeTimers() throws { try checkOrder(.immediate, .timer) }

    func testTimersBeforeDescriptors() throws { try checkOrder(.timer, .descriptor) }

    func testMessagesAfterTheWaitingImmediatesAndBeforeTheRest() throws {
        try onEachBackend { bench in
            let (proxy, log) = (try ThreadInbox(on: bench.events).proxy, bench.log)
            for kind in [EventLists.Kind.descriptor, .timer] { try bench.addReady(kind) }
            nonisolated(unsafe) let serve = { log.add("message", "served") }
            try proxy.schedule { _ in serve() }
            for kind in [EventLists.Kind.immediate, .signal] { try bench.addReady(kind) }
            for _ in 0..<5 { XCTAssertEqual(try bench.events.loopOnce(), .handled) }
            XCTAssertEqual(bench.log.who, ["signal", "immediate", "message", "timer", "descriptor"])
        }
    }

    private func checkOrder(_ first: EventLists.Kind, _ second: EventLists.Kind) throws {
        try onEachBackend { bench in
            try bench.addReady(second)
            try bench.addReady(first)
            XCTAssertEqual(try bench.events.loopOnce(), .handled)
            XCTAssertEqual(bench.log.who, [first.rawValue])
            XCTAssertEqual(try bench.events.loopOnce(), .handled)
            XCTAssertEqual(bench.log.who, [first.rawValue, second.rawValue])
        }
    }

    func testEachTurnBeginsAtTheTopAgain() throws {
        try onEachBackend { bench in
            // A descriptor's handler makes all others ready; a second descriptor is ready all the time.
            try bench.addReady(.descriptor) {
                for kind in [EventLists.Kind.timer, .immediate, .signal] { try bench.addReady(kind) }
            }
            try bench.addReady(.descriptor, as: "second descriptor")
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["descriptor", "signal", "immediate", "timer", "second descriptor"])
        }
    }

    func testImmediatesAreServedInTheOrderScheduled() throws {
        try onEachBackend { bench in
            for name in ["a", "b", "c"] { try bench.addReady(.immediate, as: name) }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["a", "b", "c"])
        }
    }

    func testAnImmediateScheduledByAHandlerComesAfterThoseThatWait() throws {
        try onEachBackend { bench in
            try bench.addReady(.immediate, as: "a") { try bench.addReady(.immediate, as: "late") }
            try bench.addReady(.immediate, as: "b")
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["a", "b", "late"])
        }
    }

    func testTimersAreServedByDeadlineAndEqualOnesInOrderOfArrival() throws {
        try onEachBackend { bench in
            for (name, deadline) in [("late", 3), ("a", 2), ("early", 1), ("b", 2)] as [(String, Int64)] {
                try bench.events.addTimer(at: EventInstant(nanoseconds: deadline)) { _, _ in bench.log.add(name, "") }
            }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["early", "a", "b", "late"])
        }
    }

    func testDescriptorsThatAreReadyTogetherAreServedInOrderOfArrival() throws {
        try onEachBackend { bench in
            for name in ["a", "b", "c"] { try bench.addReady(.descriptor, as: name) }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["a", "b", "c"])
        }
    }

    func testABusyDescriptorDoesNotHideAnother() throws {
        try onEachBackend { bench in
            for name in ["a", "b"] {
                // The byte is never read, so both stay ready.
                try bench.events.addFD(try bench.readyPipe(), .read) { _, _ in bench.log.add(name, "") }
            }
            try bench.events.loop { bench.log.entries.count == 6 }
            XCTAssertEqual(bench.log.who.filter { $0 == "a" }.count, 3)
            XCTAssertEqual(bench.log.who.filter { $0 == "b" }.count, 3)
        }
    }
}
