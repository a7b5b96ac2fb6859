import CTestSupport
import Foundation
import Talloc
import XCTest

@testable import Tevent

/// What the system does to descriptors without the loop's knowledge, and what it refuses.
final class FDSurpriseTests: EngineTestCase {
    // MARK: Closed while being watched

    func testNumbersThatCannotBeDescriptorsAreRefusedAtOnce() throws {
        try onBothBackends { events, _ in
            for number: Int32 in [-1, .min, .max, 1_000_000] {
                assertThrows(.badDescriptor(number), try events.addFD(number, .read) { _, _ in })
            }
            XCTAssertEqual(events.descriptors, [])
        }
    }

    func testADescriptorClosedBeforeTheLoopLooksIsReportedAndItsEventLeavesTheLoop() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            let event = try events.addFD(pipe.reader, .read) { _, _ in XCTFail("closed") }
            close(pipe.reader)
            assertThrows(.badDescriptor(pipe.reader), try events.loopOnce())
            XCTAssertNil(event.context)
            XCTAssertEqual(try events.loopOnce(), .noEvents, "the loop can be run again")
        }
    }

    func testADescriptorClosedAfterTheLoopHasWaitedIsReported() throws {
        try onBothBackendsInRealTime { events in
            events.maximumWait = nil
            events.record().pointee.auditDelay = 1_000_000
            let pipe = try pipe()
            let event = try events.addFD(pipe.reader, .read) { _, _ in }
            write(pipe.writer)
            XCTAssertEqual(try events.loopOnce(), .handled)
            close(pipe.reader)
            assertThrows(.badDescriptor(pipe.reader), try events.loopWait())
            XCTAssertNil(event.context)
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    func testADescriptorClosedByAHandlerOfAnotherKindIsReported() throws {
        try onBothBackendsInRealTime { events in
            events.maximumWait = nil
            events.record().pointee.auditDelay = 1_000_000
            let pipe = try pipe()
            try events.addFD(pipe.reader, .read) { _, _ in }
            try events.addTimer(after: .milliseconds(3)) { _, _ in self.close(pipe.reader) }
            assertThrows(.badDescriptor(pipe.reader), try events.loopWait())
        }
    }

    func testADescriptorClosedUnderALoopThatIsBusyWithTimersIsReported() throws {
        try onBothBackends { events, clock in
            events.record().pointee.auditDelay = 1_000_000_000
            let pipe = try pipe()
            try events.addFD(pipe.reader, .read) { _, _ in }
            try events.addTimer(after: .milliseconds(300)) { timer, _ in timer.update(after: .milliseconds(300)) }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            close(pipe.reader)
            var failure: TeventError?
            for _ in 0..<10 where failure == nil {
                clock.advance(by: .milliseconds(300))
                do throws(TeventError) { try events.loopWait() } catch { failure = error }
            }
            XCTAssertEqual(failure, .badDescriptor(pipe.reader))
        }
    }

    func testAnEventForErrorsIsCalledInsteadOfTheLoopFailing() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            var seen: [FDEvent.Flags] = []
            let event = try events.addFD(pipe.reader, [.read, .error]) { event, ready in
                XCTAssertNil(event.context)
                seen.append(ready)
            }
            close(pipe.reader)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(seen, [.error])
            XCTAssertFalse(event.isFreed)
        }
    }

    func testEachEventOfAClosedDescriptorIsReported() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            var seen = 0
            for _ in 0..<3 { try events.addFD(pipe.reader, [.read, .error]) { _, _ in seen += 1 } }
            close(pipe.reader)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(seen, 3)
        }
    }

    func testMoreClosedDescriptorsThanABatchHoldsAreAllReported() throws {
        try onBothBackends { events, _ in
            let reader = try readyDescriptor()
            var seen = 0
            let copies = (0..<400).map { _ in copy(reader) }
            for copy in copies { try events.addFD(copy, [.read, .error]) { _, _ in seen += 1 } }
            for copy in copies { close(copy) }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(seen, 400)
        }
    }

    func testAHandlerOfAClosedDescriptorMayFreeEverything() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            try events.addFD(pipe.reader, [.read, .error]) { _, _ in events.free() }
            close(pipe.reader)
            XCTAssertEqual(try events.loopOnce(), .contextFreed)
        }
    }

    func testTheOthersGoOnWhenOneDescriptorIsClosed() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            var runs = 0
            try events.addFD(pipe.reader, .read) { _, _ in XCTFail("closed") }
            try events.addFD(try readyDescriptor(), .read) { event, _ in
                runs += 1
                if runs == 3 { event.free() }
            }
            close(pipe.reader)
            assertThrows(.badDescriptor(pipe.reader), try events.loopWait())
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 3)
        }
    }

    // MARK: Numbers that become other files

    func testANumberClosedAndOpenedAgainBetweenTwoWaitsServesItsNewEvent() throws {
        try onBothBackends { events, _ in
            let old = try pipe()
            let oldEvent = try events.addFD(old.reader, .read) { _, _ in XCTFail("the old event is freed") }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            oldEvent.free()
            close(old.reader)
            let new = try pipe()
            XCTAssertEqual(new.reader, old.reader)
            var runs = 0
            try events.addFD(new.reader, .read) { _, _ in runs += 1 }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            write(new.writer)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs, 1)
        }
    }

    func testANumberOpenedAgainInAHandlerIsNotTakenForWhatTheLoopFoundReady() throws {
        try onBothBackends { events, _ in
            let readers = try (0..<2).map { _ in try readyDescriptor() }
            var old: [FDEvent] = []
            var newRuns = 0
            var handled: Int32?
            for reader in readers {
                old.append(
                    try events.addFD(reader, .read) { event, _ in
                        XCTAssertNil(handled, "only one of the two has a turn")
                        handled = event.descriptor
                        let other = sure { try XCTUnwrap(old.first { $0 != event }) }
                        let number = other.descriptor
                        old.forEach { $0.free() }
                        self.close(number)
                        let empty = sure { try self.pipe() }
                        XCTAssertEqual(empty.reader, number)
                        _ = sure { try events.addFD(number, .read) { _, _ in newRuns += 1 } }
                    })
            }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertNotNil(handled)
            XCTAssertEqual(newRuns, 0, "the new pipe is empty")
        }
    }

    func testANumberThatChangesFromPipeToFileAndBackIsServed() throws {
        try onBothBackends { events, _ in
            let number = opened(open("/dev/null", O_RDONLY))
            let source = try pipe()
            let file = opened(open(#filePath, O_RDONLY))
            for round in 0..<3 {
                XCTAssertEqual(dup2(source.reader, number), number)
                let onPipe = try events.addFD(number, .read) { _, _ in XCTFail("empty") }
                XCTAssertEqual(try events.loopOnce(), .timedOut, "round \(round)")
                onPipe.free()
                XCTAssertEqual(dup2(file, number), number)
                let onFile = try events.addFD(number, .read) { _, _ in }
                XCTAssertEqual(try events.loopOnce(), .handled, "round \(round)")
                onFile.free()
            }
        }
    }

    func testACopyOfADescriptorLeavesNoGhostBehind() throws {
        try onBothBackendsInRealTime { events in
            let pipe = try pipe()
            var warnings: [String] = []
            events.setDebug { level, message in if level == .warning { warnings.append(message) } }
            let event = try events.addFD(pipe.reader, .read) { _, _ in XCTFail("freed") }
            events.maximumWait = .zero
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            // epoll watches the open file, which lives on in the copy although its number is closed.
            _ = copy(pipe.reader)
            event.free()
            close(pipe.reader)
            write(pipe.writer)
            let other = try self.pipe()
            var runs = 0
            try events.addFD(other.reader, .read) { _, _ in runs += 1 }
            for _ in 0..<3 { XCTAssertEqual(try events.loopOnce(), .timedOut) }
            write(other.writer)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs, 1)
            if events.backend == "epoll" { XCTAssertEqual(warnings.count, 1, "\(warnings)") }
        }
    }

    func testAGhostOfANumberThatIsWatchedAgainIsNotTakenForIt() throws {
        try onBothBackends { events, _ in
            let old = try pipe()
            let event = try events.addFD(old.reader, .read) { _, _ in XCTFail("freed") }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            _ = copy(old.reader)
            event.free()
            close(old.reader)
            let new = try pipe()
            XCTAssertEqual(new.reader, old.reader)
            var runs = 0
            try events.addFD(new.reader, .read) { _, _ in runs += 1 }
            write(old.writer)
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(runs, 0, "the data is in the old pipe")
            write(new.writer)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs, 1)
        }
    }

    func testAutoCloseLeavesNoGhostThoughACopyIsOpen() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            events.setDebug { level, message in if level < .trace { XCTFail(message) } }
            let event = try events.addFD(pipe.reader, .read) { _, _ in XCTFail("freed") }
            event.setAutoClose()
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            _ = copy(pipe.reader)
            event.free()
            write(pipe.writer)
            try events.addTimer(after: .seconds(1)) { _, _ in }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
        }
    }

    // MARK: Interruptions and exhaustion

    func testAnInterruptedWaitGoesOn() throws {
        try onBothBackendsInRealTime { events in
            // A handler of the test's own, so that only EINTR notifies the loop.
            let other = try EventContext(under: events)
            var told = 0
            try other.addSignal(.user2) { _, arrival in told += arrival.count }
            let pipe = try pipe()
            try events.addFD(pipe.reader, .read) { event, _ in event.free() }
            let own = UInt(pthread_self())
            let writer = pipe.writer
            let thread = Thread {
                for _ in 0..<20 {
                    pthread_kill(pthread_t(own), SIGUSR2)
                    sched_yield()
                }
                var byte: UInt8 = 1
                Foundation.write(writer, &byte, 1)
            }
            thread.start()
            XCTAssertEqual(try events.loopWait(), .noEvents)
            while !thread.isFinished { sched_yield() }
            other.maximumWait = .zero
            XCTAssertEqual(try other.loopWait(), .timedOut)
            // The system merges signals that are sent faster than they are delivered.
            XCTAssertTrue((1...20).contains(told), "\(told)")
        }
    }

    func testWithoutDescriptorsAContextOfEpollCannotBeMadeAndSaysWhy() throws {
        try withoutFreeDescriptors {
            assertThrows(.systemCall(name: "epoll_create1", code: EMFILE), try EventContext(backend: "epoll"))
            let needsNone = try EventContext(backend: "poll")
            needsNone.free()
        }
        XCTAssertTrue(
            TeventError.systemCall(name: "epoll_create1", code: EMFILE).description.contains("ulimit -n"))
    }

    func testWithoutDescriptorsASignalCannotBeAddedAndNothingIsHalfMade() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            try withoutFreeDescriptors {
                let token = Token()
                held = token
                assertThrows(
                    .systemCall(name: "eventfd", code: EMFILE),
                    try events.addSignal(.user2) { _, _ in withExtendedLifetime(token) {} })
            }
            XCTAssertNil(held)
            XCTAssertEqual(test_disposition(SIGUSR2), 0)
            XCTAssertFalse(events.hasEvents)
            XCTAssertNoThrow(try events.addSignal(.user2) { _, _ in })
        }
    }

    func testReinitialisingWithoutDescriptorsThrowsAndCanBeDoneAgain() throws {
        try onBothBackends { events, _ in
            var told = 0
            var runs = 0
            try events.addSignal(.user1) { _, arrival in told += arrival.count }
            let reader = try readyDescriptor()
            try events.addFD(reader, .read) { _, _ in runs += 1 }
            if events.backend == "epoll" {
                try withoutFreeDescriptors {
                    assertThrows(.systemCall(name: "epoll_create1", code: EMFILE), try events.reinitialise())
                }
                XCTAssertEqual(try events.loopOnce(), .handled, "what was there still works")
            }
            try events.reinitialise()
            Signal.user1.raise()
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(told, 1)
            XCTAssertEqual(runs, events.backend == "epoll" ? 2 : 1)
        }
    }

    /// Runs a body while the process cannot open anything more.
    private func withoutFreeDescriptors(_ body: () throws -> Void) throws {
        // With the lowest free number as the limit, none can be opened while all below it are taken.
        let lowest = dup(0)
        SystemIO.close(lowest)
        let before = test_limit_descriptors(Int(lowest))
        defer { _ = test_limit_descriptors(before) }
        XCTAssertEqual(dup(0), -1)
        try body()
    }
}
