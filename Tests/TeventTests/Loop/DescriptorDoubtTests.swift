import Glibc
import Talloc
import XCTest

@testable import Tevent

/// Descriptor numbers that may refer to another file by now, and events that change while others are about to run.
///
/// "Off and on again" is not "no change", and a change is no reason to skip an event.
final class DescriptorDoubtTests: EngineTestCase {
    /// Closes a descriptor, and reuses its number for the end of a new pair of sockets; returns the other end.
    private func replace(_ descriptor: Int32) throws -> Int32 {
        let pair = try sockets()
        XCTAssertEqual(dup2(pair.0, descriptor), descriptor)
        close(pair.0)
        return pair.1
    }

    private func wait(_ events: EventContext) throws {
        XCTAssertEqual(try events.loopOnce(), .timedOut)
    }

    func testANumberOpenedAgainInAHandlerIsNotReportedAsClosed() throws {
        for flags in [FDEvent.Flags.write, [.write, .error]] {
            try onBothBackends { events, _ in
                let (first, second, new) = (try sockets(), try sockets(), try sockets())
                var found: FDEvent.Flags?
                var old: FDEvent?
                try events.addFD(first.0, [.read, .error]) { event, _ in
                    event.free()
                    old?.free()
                    XCTAssertEqual(dup2(new.0, second.0), second.0)
                    sure {
                        try events.addFD(second.0, flags) { event, ready in
                            found = ready
                            event.free()
                        }
                    }
                }
                old = try events.addFD(second.0, [.read, .error]) { _, _ in XCTFail("it was freed") }
                close(first.0)
                close(second.0)
                try events.loopOnce()
                try events.loopOnce()
                XCTAssertEqual(found, .write)
                close(second.0)
            }
        }
    }

    func testANewEventForTheNumberOfAQuietOneIsReportedToTheBackend() throws {
        try onBothBackends { events, _ in
            let first = try sockets()
            let old = try events.addFD(first.0, .read) { _, _ in XCTFail("it waits for nothing") }
            try wait(events)
            old.flags = []
            let other = try replace(first.0)
            var runs = 0
            try events.addFD(first.0, .read) { event, _ in
                runs += 1
                event.free()
            }
            old.free()
            write(other)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs, 1)
        }
    }

    func testAnEventThatWasQuietWhenItsNumberWasReplacedIsReportedToTheBackend() throws {
        try onBothBackends { events, _ in
            let first = try sockets()
            var runs = 0
            let event = try events.addFD(first.0, .read) { event, _ in
                runs += 1
                event.flags = []
            }
            try wait(events)
            event.flags = []
            let other = try replace(first.0)
            event.flags = .read
            write(other)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs, 1)
        }
    }

    func testASecondEventForANumberThatWasReplacedUnderTheFirstIsServed() throws {
        try onBothBackends { events, _ in
            let first = try sockets()
            try events.addFD(first.0, .read) { event, _ in event.free() }
            try wait(events)
            let other = try replace(first.0)
            var runs = 0
            try events.addFD(first.0, .read) { event, _ in
                runs += 1
                event.free()
            }
            write(other)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 1)
        }
    }

    // MARK: Nothing starves

    /// Watches two descriptors that are always ready; the handler of one changes the other's event each time.
    private func assertBothAreServed(
        _ what: String, line: UInt = #line,
        _ disturb:
            @escaping (_ events: EventContext, _ other: inout FDEvent, _ add: () throws -> FDEvent) throws -> Void
    ) throws {
        try onBothBackends { events, _ in
            let ends = (try readyDescriptor(), try readyDescriptor())
            var runs = (disturber: 0, other: 0)
            var other: FDEvent?
            let add = { try events.addFD(ends.1, .read) { _, _ in runs.other += 1 } }
            try events.addFD(ends.0, .read) { _, _ in
                runs.disturber += 1
                sure { try disturb(events, &other!, add) }
            }
            other = try add()
            for _ in 0..<100 { XCTAssertEqual(try events.loopOnce(), .handled, what, line: line) }
            XCTAssertEqual(runs.other, 50, what, line: line)
            XCTAssertEqual(runs.disturber, 50, what, line: line)
        }
    }

    func testAHandlerThatChangesAnotherEventDoesNotStarveIt() throws {
        try assertBothAreServed("more flags, and back") { _, other, _ in
            other.flags = [.read, .error]
            other.flags = .read
        }
        try assertBothAreServed("off and on") { _, other, _ in
            other.flags = []
            other.flags = .read
        }
        try assertBothAreServed("freed and added") { _, other, add in
            other.free()
            other = try add()
        }
        try assertBothAreServed("a second event that is freed") { events, other, _ in
            try events.addFD(other.descriptor, .error) { _, _ in }.free()
        }
        try assertBothAreServed("a backend that begins again") { events, _, _ in try events.reinitialise() }
    }

    func testAnEventOfAReplacedNumberIsNotCalledForWhatTheOldFileWasReadyFor() throws {
        try onBothBackends { events, _ in
            let ends = (try readyDescriptor(), try readyDescriptor())
            var told: [String] = []
            var second: FDEvent?
            try events.addFD(ends.0, .read) { event, _ in
                event.free()
                second?.free()
                _ = sure { try self.replace(ends.1) }
                sure { try events.addFD(ends.1, .read) { _, _ in told.append("the new file has nothing to read") } }
            }
            second = try events.addFD(ends.1, .read) { _, _ in told.append("freed") }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(told, [])
        }
    }

    func testAnEventOfANumberThatIsClosedInTheMiddleOfABatchIsReported() throws {
        try onBothBackends { events, _ in
            let ends = (try readyDescriptor(), try readyDescriptor())
            var told: [FDEvent.Flags] = []
            var second: FDEvent?
            try events.addFD(ends.0, .read) { event, _ in
                event.free()
                second?.free()
                second = sure { try events.addFD(ends.1, [.read, .error]) { _, ready in told.append(ready) } }
                self.close(ends.1)
            }
            second = try events.addFD(ends.1, .read) { _, _ in XCTFail("freed") }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(told, [.error])
        }
    }

    // MARK: Loops inside the loop's own hooks

    func testLoopsInTheTraceBeforeAWaitServeEachEventOnce() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            var runs = 0
            for _ in 0..<300 {
                try events.addFD(readyDescriptor(), .read) { event, _ in
                    runs += 1
                    event.free()
                }
            }
            var depth = 0
            events.setLoopTrace { point in
                guard point == .beforeWait, depth < 8 else { return }
                depth += 1
                sure { try events.loopOnce() }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 300)
        }
    }

    func testWhatTheTraceAddsBeforeAWaitIsServedByIt() throws {
        try onBothBackendsInRealTime { events in
            var told: [String] = []
            var rounds = 0
            let keep = try events.addTimer(after: .seconds(3600)) { _, _ in }
            events.setLoopTrace { point in
                guard point == .beforeWait else { return }
                rounds += 1
                switch rounds {
                case 1:
                    sure {
                        try events.addFD(self.readyDescriptor(), .read) {
                            told.append("descriptor"); $0.free(); _ = $1
                        }
                    }
                case 2:
                    sure { try ImmediateEvent(under: events).schedule(on: events) { _, _ in told.append("immediate") } }
                case 3: sure { try events.addTimer(at: .zero) { _, _ in told.append("timer") } }
                default: keep.free()
                }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(told, ["descriptor", "immediate", "timer"])
        }
    }

    func testTheDebugFunctionMayAddAndFreeWhatItLikes() throws {
        try onBothBackends { events, _ in
            let quiet = try pipe().reader
            var isBusy = false
            events.setDebug { _, _ in
                guard !isBusy else { return }
                isBusy = true
                for _ in 0..<100 {
                    sure { try events.addFD(self.copy(quiet), .read) { _, _ in } }
                }
            }
            let file = opened(open("/dev/null", O_RDONLY | O_CLOEXEC))
            var runs = 0
            try events.addFD(file, .read) { event, _ in
                runs += 1
                event.free()
            }
            for _ in 0..<3 where runs == 0 { try events.loopOnce() }
            XCTAssertEqual(runs, 1)
        }
    }
}
