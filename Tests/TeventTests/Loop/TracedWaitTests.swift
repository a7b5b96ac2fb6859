import CTestSupport
import Glibc
import Talloc
import XCTest

@testable import Tevent

/// The trace of the loop is called before and after each wait, and may do anything: the wait goes by what holds then.
final class TracedWaitTests: EngineTestCase {
    /// Runs a body the first time that the loop's trace is called at a point.
    private func once(_ point: LoopTracePoint, of events: EventContext, _ body: @escaping () -> Void) {
        var isOver = false
        events.setLoopTrace {
            guard $0 == point, !isOver else { return }
            isOver = true
            body()
        }
    }

    // MARK: What the trace makes due

    func testAnImmediateThatTheTraceSchedulesAfterAWaitRunsBeforeTheLoopGivesUp() throws {
        try onBothBackends { events, _ in
            let immediate = try ImmediateEvent(under: events)
            try events.addFD(try pipe().reader, .read) { _, _ in XCTFail("nothing was written") }
            var runs = 0
            once(.afterWait, of: events) { immediate.schedule(on: events) { _, _ in runs += 1 } }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs, 1)
        }
    }

    func testAMessageThatTheTraceSendsAfterAWaitArrivesBeforeTheLoopGivesUp() throws {
        try onBothBackends { events, _ in
            let inbox = try ThreadInbox(on: events)
            once(.afterWait, of: events) { sure { try inbox.proxy.schedule { _ in } } }
            XCTAssertEqual(try events.loopOnce(), .handled)
        }
    }

    func testATimerThatIsDueWhenTheTraceReturnsRunsBeforeTheLoopGivesUp() throws {
        for point in [LoopTracePoint.beforeWait, .afterWait] {
            try onBothBackends { events, clock in
                var runs = 0
                try events.addTimer(after: .seconds(10)) { _, _ in runs += 1 }
                once(point, of: events) { clock.advance(by: .seconds(20)) }
                XCTAssertEqual(try events.loopOnce(), .handled, "\(point)")
                XCTAssertEqual(runs, 1)
            }
        }
    }

    func testNothingIsDueAtTheEndOfTime() throws {
        try onBothBackends { events, clock in
            try events.addFD(try pipe().reader, .read) { _, _ in XCTFail("nothing was written") }
            for _ in 0..<3 { clock.advance(by: .seconds(Int64.max)) }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
        }
    }

    // MARK: Changes

    func testAFileThatIsAddedAgainBeforeEachWaitIsServed() throws {
        try onBothBackends { events, _ in
            let file = opened(open("/dev/null", O_RDONLY | O_CLOEXEC))
            var event: FDEvent?
            var waits = 0
            events.setLoopTrace { point in
                guard point == .beforeWait, waits < 5 else { return }
                waits += 1
                event?.free()
                event = sure { try events.addFD(file, .read) { event, _ in event.free() } }
            }
            try events.addTimer(after: .seconds(1)) { _, _ in XCTFail("the clock stands still") }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(waits, 1)
        }
    }

    func testChangesDoNotOvertakeABatchThatANestedLoopLeft() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            let files = (0..<300).map { _ in opened(open("/dev/null", O_RDONLY | O_CLOEXEC)) }
            var runs = 0
            for file in files { try events.addFD(file, .read) { _, _ in runs += 1 } }
            var empty: FDEvent?
            once(.beforeWait, of: events) {
                XCTAssertEqual(sure { try events.loopOnce() }, .handled)
                let number = files[100]
                for event in events.descriptors where event.descriptor == number { event.free() }
                let pipe = sure { try self.pipe() }
                XCTAssertEqual(dup2(pipe.reader, number), number)
                empty = sure { try events.addFD(number, .read) { _, _ in XCTFail("the pipe is empty") } }
            }
            for _ in 0..<900 { try events.loopOnce() }
            XCTAssertEqual(empty?.isFreed, false)
            XCTAssertGreaterThan(runs, 800)
        }
    }

    // MARK: Forks

    func testAForkBeforeAWaitDisturbsNeitherLoop() throws { try assertForkIsNoticed(at: .beforeWait) }

    func testAForkAfterAWaitDisturbsNeitherLoop() throws { try assertForkIsNoticed(at: .afterWait) }

    /// The child frees the event; the parent's must still be called, and the child's never.
    private func assertForkIsNoticed(at point: LoopTracePoint) throws {
        try onBothBackendsInRealTime { events in
            events.maximumWait = .seconds(2)
            let pipe = try pipe()
            write(pipe.writer, "x")
            var child: pid_t?
            var runs = 0
            let event = try events.addFD(pipe.reader, .read) { event, _ in runs += 1 }
            var status: Int32 = 0
            once(point, of: events) {
                child = test_fork()
                if child == 0 { event.free() } else { XCTAssertEqual(waitpid(child!, &status, 0), child) }
            }
            let result = Result { try events.loopOnce() }
            if child == 0 { _exit(runs == 0 ? 0 : 1) }
            XCTAssertEqual(try result.get(), .handled)
            XCTAssertEqual(runs, 1)
            XCTAssertEqual(status, 0)
        }
    }

    func testAChildOfAForkInAnEventsTraceLeavesToTheParentWhatArrivedBefore() throws {
        try onBothBackendsInRealTime { events in
            let pipe = try pipe()
            write(pipe.writer, "x")
            var child: pid_t?
            var status: Int32 = 0
            var calls = 0
            let fork = { (point: EventTracePoint) in
                guard point == .beforeHandler, child == nil else { return }
                child = test_fork()
                if child != 0 { XCTAssertEqual(waitpid(child!, &status, 0), child) }
            }
            let reader = try events.addFD(pipe.reader, .read) { _, _ in calls += 1 }
            events.setFDTrace { fork($1) }
            _ = try? events.loopOnce()
            // The child's next turn would wait for itself, and find the byte that is still there.
            if child == 0 { _exit(calls == 0 ? 0 : 1) }
            XCTAssertEqual(calls, 1)
            XCTAssertEqual(status, 0, "the child was called for what the parent's loop had found")
            reader.free()

            child = nil
            events.setSignalTrace { fork($1) }
            try events.addSignal(.user1) { _, _ in calls += 1 }
            Signal.user1.raise()
            calls = 0
            _ = try? events.loopOnce()
            if child == 0 { _exit(calls == 0 ? 0 : 1) }
            XCTAssertEqual(calls, 1)
            XCTAssertEqual(status, 0, "the child was called for a signal to the parent")
        }
    }

    // MARK: Requests

    func testARequestThatALoopInATraceHasEndedIsPosted() throws {
        try onBothBackends { events, _ in
            events.allowNesting()
            let pipe = try pipe()
            write(pipe.writer, "x")
            var isOver = false
            events.setFDTrace { _, point in
                guard point == .attach, !isOver else { return }
                isOver = true
                sure { try events.loopOnce() }
            }
            let read = try Read.send(from: pipe.reader, on: events, under: events)
            var result: [UInt8]?
            read.setCallback { read in result = sure { try read.receive() } }
            try events.loopOnce()
            XCTAssertEqual(result, Array("x".utf8))

            let queue = try RequestQueue(label: "queue", under: events)
            isOver = false
            events.setQueueTrace { _, point in
                guard point == .schedule, !isOver else { return }
                isOver = true
                sure { try events.loopOnce() }
            }
            let wait = try QueueWait.send(in: queue, on: events, under: events)
            var calls = 0
            wait.setCallback { _ in calls += 1 }
            while calls == 0, try events.loopOnce() == .handled {}
            XCTAssertEqual(calls, 1)
        }
    }

    func testAnEndTimeThatATraceSetsMeanwhileIsReplaced() throws {
        try onBothBackends { events, clock in
            let request = try Request(0, under: events)
            var isOver = false
            events.setTimerTrace { _, point in
                guard point == .attach, !isOver else { return }
                isOver = true
                sure { try request.setEndTime(after: .seconds(1), on: events) }
            }
            try request.setEndTime(after: .seconds(2), on: events)
            XCTAssertEqual(events.timers.count, 1)
            request.resetEndTime()
            clock.advance(by: .seconds(9))
            XCTAssertEqual(try events.loopOnce(), .noEvents)
            XCTAssertEqual(request.status, .inProgress)
        }
    }

    // MARK: Closed descriptors

    func testAnErrorThatTheTraceOfTheEndTakesBackIsNeitherReportedNorThrown() throws {
        for changes in [{ $0.flags = [] }, { $0.free() }] as [(FDEvent) -> Void] {
            try onBothBackends { events, _ in
                let pipe = try SystemIO.pipe()
                _ = opened(pipe.writer)
                try events.addFD(pipe.reader, [.read, .error]) { _, _ in XCTFail("it waits for nothing any more") }
                events.setFDTrace { event, point in if point == .detach { changes(event) } }
                SystemIO.close(pipe.reader)
                XCTAssertNoThrow(try events.loopOnce())
                events.setFDTrace(nil)
            }
        }
    }
}
