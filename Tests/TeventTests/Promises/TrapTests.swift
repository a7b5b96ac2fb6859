import Talloc
import TestSupport
import Tevent
import XCTest

/// Misuse of the engine that ends the program, in child processes.
final class TrapTests: XCTestCase {
    private func freed(_ type: String, _ call: String) -> String {
        "\(type).\(call) was called on a freed \(type)"
    }

    func testUsingAFreedTimerNamesItAndTheCall() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            let timer = try events.addTimer(after: .zero) { _, _ in }
            try events.loopOnce()
            timer.update(after: .seconds(1))
        }
        assertTrapped(result, saying: freed("TimerEvent", "update(after:)"))
    }

    func testUsingAFreedImmediateNamesItAndTheCall() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            let immediate = try ImmediateEvent(under: events)
            immediate.free()
            immediate.schedule(on: events) { _, _ in }
        }
        assertTrapped(result, saying: freed("ImmediateEvent", "schedule(on:)"))
    }

    func testRoomForLessThanNoSubrequestsNamesTheNumber() throws {
        let result = try runInChild(self) { _ = try Request(0, under: try EventContext(), subrequests: -1) }
        assertTrapped(result, saying: "a request was to have room for -1 subrequests; give a number from 0 to 65535")
    }

    func testRoomForMoreSubrequestsThanAnyoneNeedsNamesTheNumber() throws {
        let result = try runInChild(self) { _ = try Request(0, under: try EventContext(), subrequests: .max) }
        assertTrapped(result, saying: "room for \(Int.max) subrequests; give a number from 0 to 65535")
    }

    func testAnOperationOnAFreedContextNamesItAndTheCall() throws {
        let result = try runInChild(self) {
            let memory = try TallocContext()
            let events = try EventContext()
            events.free()
            _ = try Read.send(from: 0, on: events, under: memory)
        }
        assertTrapped(result, saying: freed("EventContext", "send"))
    }

    func testUsingAFreedDescriptorEventNamesItAndTheCall() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            let event = try events.addFD(0, .read) { _, _ in }
            events.free()
            event.flags = []
        }
        assertTrapped(result, saying: freed("FDEvent", "flags"))
    }

    func testUsingAFreedSignalEventNamesItAndTheCall() throws {
        let result = try runInChild(self) {
            let event = try EventContext().addSignal(.user1) { _, _ in }
            event.free()
            print(event.signal)
        }
        assertTrapped(result, saying: freed("SignalEvent", "signal"))
    }

    func testRunningAFreedContextNamesItAndTheCall() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            events.free()
            try events.loopWait()
        }
        assertTrapped(result, saying: freed("EventContext", "loopWait()"))
    }

    func testAddingToAFreedContextTraps() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            events.free()
            try events.addTimer(at: .zero) { _, _ in }
        }
        assertTrapped(result, saying: freed("EventContext", "addTimer"))
    }

    func testSchedulingOnAFreedContextTraps() throws {
        let result = try runInChild(self) {
            let memory = try TallocContext()
            let events = try EventContext()
            events.free()
            try ImmediateEvent(under: memory).schedule(on: events) { _, _ in }
        }
        assertTrapped(result, saying: freed("EventContext", "schedule(on:)"))
    }

    func testAFreedParentOfAnEventTraps() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            let parent = try TallocContext()
            parent.free()
            try events.addTimer(at: .zero, under: parent) { _, _ in }
        }
        assertTrapped(result, saying: "addTimer was given a parent that has already been freed")
    }

    func testReadingNothingTraps() throws {
        let result = try runInChild(self) { _ = try SystemIO.read(SystemIO.standardInput, upTo: 0) }
        assertTrapped(result, saying: "a read of 0 bytes would look like the end")
    }

    func testTurningAManualClockBackTraps() throws {
        let result = try runInChild(self) { ManualClock().advance(by: .seconds(-1)) }
        assertTrapped(result, saying: "a monotonic clock cannot go back")
    }

    func testTheEnginesAbortHookReceivesTheReason() throws {
        let result = try runInChild(self) {
            EventContext.setAbortHook { reason in
                _ = try? SystemIO.write(SystemIO.standardOutput, Array("told: \(reason)\n".utf8))
            }
            let events = try EventContext()
            events.free()
            try events.loopOnce()
        }
        assertTrapped(result, saying: freed("EventContext", "loopOnce()"))
        XCTAssertTrue(result.stdout.contains("told: EventContext.loopOnce()"), result.stdout)
    }

    func testDebugMessagesGoToStandardErrorWhenAskedFor() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            events.setDebugToStandardError(.trace)
            try events.addTimer(at: .zero) { _, _ in }
            try events.loopOnce()
        }
        XCTAssertEqual(result.exitCode, 0)
        XCTAssertTrue(
            result.stderr.contains("tevent: trace: running the timer made at TeventTests/TrapTests.swift:"),
            result.stderr)
    }

    func testASignalWhoseLastEventIsFreedEndsTheProgramAgain() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            let event = try events.addSignal(.interrupt) { event, _ in event.free() }
            Signal.interrupt.raise()
            try events.loopWait()
            guard event.isFreed else { fatalError("the handler has not run") }
            Signal.interrupt.raise()
        }
        XCTAssertEqual(result.signal, SIGINT)
    }
}
