import Talloc
import Tevent
import XCTest

/// The order of a turn, each neighbouring pair of its stages: signals, messages, immediates, timers, descriptors.
final class TurnOrderTests: EngineTestCase {
    /// Adds the later event first, so that only the order of the stages can make it second.
    private func assertOrder(
        _ first: String, _ second: String, line: UInt = #line
    ) throws {
        try onBothBackends(line: line) { events, _ in
            var seen: [String] = []
            for name in [second, first] {
                switch name {
                case "signal":
                    try events.addSignal(.user1) { _, _ in seen.append(name) }
                    Signal.user1.raise()
                case "message":
                    let log = OwnBox<() -> Void>()
                    log.value = { seen.append(name) }
                    try ThreadInbox(on: events).proxy.schedule { _ in log.value?() }
                case "immediate":
                    schedule(on: events) { seen.append(name) }
                case "timer":
                    try events.addTimer(at: .zero) { _, _ in seen.append(name) }
                default:
                    try events.addFD(try readyDescriptor(), .read) { _, _ in seen.append(name) }
                }
            }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(seen, [first], "one turn runs one handler", line: line)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(seen, [first, second], line: line)
        }
    }

    func testSignalsComeBeforeImmediates() throws { try assertOrder("signal", "immediate") }
    func testImmediatesComeBeforeTimers() throws { try assertOrder("immediate", "timer") }
    func testTimersComeBeforeDescriptors() throws { try assertOrder("timer", "descriptor") }
    func testSignalsComeBeforeTimers() throws { try assertOrder("signal", "timer") }
    func testSignalsComeBeforeDescriptors() throws { try assertOrder("signal", "descriptor") }
    func testImmediatesComeBeforeDescriptors() throws { try assertOrder("immediate", "descriptor") }

    func testSignalsComeBeforeMessages() throws { try assertOrder("signal", "message") }
    func testMessagesComeBeforeTimers() throws { try assertOrder("message", "timer") }
    func testMessagesComeBeforeDescriptors() throws { try assertOrder("message", "descriptor") }
    func testImmediatesThatWaitAlreadyComeBeforeMessages() throws { try assertOrder("immediate", "message") }

    func testMessagesComeBeforeImmediatesThatAreScheduledLater() throws {
        try onBothBackends { events, _ in
            let (proxy, log) = (try ThreadInbox(on: events).proxy, SharedLog())
            schedule(on: events) {
                log.add("first immediate")
                // The message was sent before the turn, and has joined by now.
                schedule(on: events) { log.add("second immediate") }
            }
            try proxy.schedule { _ in log.add("message") }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(log.all, ["first immediate", "message", "second immediate"])
        }
    }

    func testAMessageThatArrivesInAHandlerJoinsAfterTheImmediatesThatHandlerScheduled() throws {
        try onBothBackends { events, _ in
            let (proxy, log) = (try ThreadInbox(on: events).proxy, SharedLog())
            schedule(on: events) {
                proxy.send { _ in log.add("message") }
                schedule(on: events) { log.add("immediate") }
            }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(log.all, ["immediate", "message"])
        }
    }

    func testAMessageThatAHandlerSendsItsOwnLoopJoinsBeforeTheNextMessageRuns() throws {
        try onBothBackends { events, _ in
            let (proxy, log) = (try ThreadInbox(on: events).proxy, SharedLog())
            try proxy.schedule { _ in
                log.add("first message")
                proxy.send { _ in log.add("third message") }
            }
            try proxy.schedule { events in
                log.add("second message")
                schedule(on: events) { log.add("immediate") }
            }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(log.all, ["first message", "second message", "third message", "immediate"])
        }
    }

    func testAnImmediateThatSchedulesItselfDoesNotKeepMessagesFromArriving() throws {
        try onBothBackends { events, _ in
            let (proxy, log) = (try ThreadInbox(on: events).proxy, SharedLog())
            let again = try ImmediateEvent(under: events)
            @Sendable func repeatItself(_ immediate: ImmediateEvent, _ events: EventContext) {
                immediate.schedule(on: events, repeatItself)
            }
            again.schedule(on: events, repeatItself)
            try proxy.schedule { _ in
                log.add("first message")
                proxy.send { _ in log.add("second message") }
            }
            for _ in 0..<6 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertEqual(log.all, ["first message", "second message"])
        }
    }

    func testASignalThatArrivesInAMessagesHandlerGoesBeforeWaitingMessages() throws {
        try onBothBackends { events, _ in
            let (proxy, log) = (try ThreadInbox(on: events).proxy, SharedLog())
            try events.addSignal(.user1) { _, _ in log.add("signal") }
            try proxy.schedule { _ in
                log.add("first message")
                Signal.user1.raise()
            }
            try proxy.schedule { _ in log.add("second message") }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(log.all, ["first message", "signal", "second message"])
        }
    }

    func testImmediatesRunInTheOrderScheduledNotTheOrderMade() throws {
        try onBothBackends { events, _ in
            var seen: [Int] = []
            let immediates = try (0..<5).map { _ in try ImmediateEvent(under: events) }
            for index in [3, 0, 4, 1, 2] { immediates[index].schedule(on: events) { _, _ in seen.append(index) } }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(seen, [3, 0, 4, 1, 2])
        }
    }

    func testTimersRunByDeadlineAndTiesInTheOrderAdded() throws {
        try onBothBackends { events, clock in
            var seen: [String] = []
            for (name, seconds) in [("c", 2), ("a1", 1), ("d", 3), ("a2", 1), ("a3", 1), ("b", 2)] {
                try events.addTimer(after: .seconds(seconds)) { _, _ in seen.append(name) }
            }
            clock.advance(by: .seconds(3))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(seen, ["a1", "a2", "a3", "c", "b", "d"])
        }
    }

    func testAManyWayTieOfTimersKeepsTheOrderAdded() throws {
        try onBothBackends { events, clock in
            var seen: [Int] = []
            let timers = try (0..<200).map { index in
                try events.addTimer(after: .seconds(1)) { _, _ in seen.append(index) }
            }
            // Removing some shuffles the heap.
            for index in stride(from: 0, to: 200, by: 3) { timers[index].free() }
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(seen, (0..<200).filter { $0 % 3 != 0 })
        }
    }

    func testASignalThatArrivesInAHandlerGoesBeforeWaitingImmediates() throws {
        try onBothBackends { events, _ in
            var seen: [String] = []
            try events.addSignal(.user1) { event, _ in
                seen.append("signal")
                event.free()
            }
            schedule(on: events) {
                seen.append("first immediate")
                Signal.user1.raise()
            }
            schedule(on: events) { seen.append("second immediate") }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(seen, ["first immediate", "signal", "second immediate"])
        }
    }

    func testAnImmediateScheduledByADescriptorsHandlerGoesBeforeTheOtherReadyDescriptors() throws {
        try onBothBackends { events, _ in
            var seen: [String] = []
            for _ in 0..<2 {
                try events.addFD(try readyDescriptor(), .read) { event, _ in
                    seen.append("descriptor")
                    event.free()
                    schedule(on: events) { seen.append("immediate") }
                }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(seen, ["descriptor", "immediate", "descriptor", "immediate"])
        }
    }
}
