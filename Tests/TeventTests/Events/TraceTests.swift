import Talloc
import Tevent
import XCTest

final class TraceTests: EngineTestCase {
    // MARK: The loop

    func testTheLoopsTraceReportsTurnsAndWaits() throws {
        try onBothBackends { events, _ in
            var points: [LoopTracePoint] = []
            events.setLoopTrace { points.append($0) }
            schedule(on: events) {}
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(points, [.beforeLoopOnce, .afterLoopOnce], "an immediate needs no wait")
            points = []
            try events.addFD(try readyDescriptor(), .read) { _, _ in }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(points, [.beforeLoopOnce, .beforeWait, .afterWait, .afterLoopOnce])
            points = []
            events.setLoopTrace(nil)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(points, [])
        }
    }

    // MARK: The kinds of event

    /// Logs the calls of traces; identifies each event by its tag.
    private final class Log {
        var lines: [String] = []
        func add(_ tag: UInt64, _ point: EventTracePoint) { lines.append("\(tag) \(point)") }
    }

    func testATimersTraceReportsItsLife() throws {
        try onBothBackends { events, _ in
            let log = Log()
            events.setTimerTrace { timer, point in log.add(timer.tag, point) }
            let timer = try events.addTimer(at: .zero) { _, _ in log.lines.append("handler") }
            timer.tag = 5
            try events.addTimer(at: .zero) { _, _ in }.free()
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(
                log.lines,
                ["0 attach", "0 attach", "0 detach", "5 beforeHandler", "handler", "5 detach"])
            events.setTimerTrace(nil)
            try events.addTimer(at: .zero) { _, _ in }
            XCTAssertEqual(log.lines.count, 6)
        }
    }

    func testAnImmediatesTraceReportsItsLife() throws {
        try onBothBackends { events, _ in
            let log = Log()
            events.setImmediateTrace { immediate, point in log.add(immediate.tag, point) }
            let immediate = try ImmediateEvent(under: events)
            immediate.tag = 6
            immediate.schedule(on: events) { _, _ in log.lines.append("handler") }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            immediate.schedule(on: events) { _, _ in }
            immediate.cancel()
            XCTAssertEqual(
                log.lines, ["6 attach", "6 beforeHandler", "6 detach", "handler", "6 attach", "6 detach"])
        }
    }

    func testASignalsTraceReportsItsLife() throws {
        try onBothBackends { events, _ in
            let log = Log()
            events.setSignalTrace { signal, point in log.add(signal.tag, point) }
            let signal = try events.addSignal(.user1) { _, _ in log.lines.append("handler") }
            signal.tag = 7
            Signal.user1.raise()
            XCTAssertEqual(try events.loopOnce(), .handled)
            signal.free()
            XCTAssertEqual(log.lines, ["0 attach", "7 beforeHandler", "handler", "7 detach"])
        }
    }

    func testADescriptorsTraceReportsItsLife() throws {
        try onBothBackends { events, _ in
            let log = Log()
            events.setFDTrace { descriptor, point in log.add(descriptor.tag, point) }
            let descriptor = try events.addFD(try readyDescriptor(), .read) { _, _ in log.lines.append("handler") }
            descriptor.tag = 8
            XCTAssertEqual(try events.loopOnce(), .handled)
            descriptor.free()
            XCTAssertEqual(log.lines, ["0 attach", "8 beforeHandler", "handler", "8 detach"])
        }
    }

    func testFreeingTheContextReportsEveryEventsEnd() throws {
        try onBothBackends { events, _ in
            var ended = 0
            try events.addTimer(at: .zero) { _, _ in }
            schedule(on: events) {}
            try events.addSignal(.user1) { _, _ in }
            try events.addFD(try readyDescriptor(), .read) { _, _ in }
            events.setTimerTrace { if $1 == .detach { ended += $0.tag == 0 ? 1 : 0 } }
            events.setImmediateTrace { if $1 == .detach { ended += $0.tag == 0 ? 10 : 0 } }
            events.setSignalTrace { if $1 == .detach { ended += $0.tag == 0 ? 100 : 0 } }
            events.setFDTrace { if $1 == .detach { ended += $0.tag == 0 ? 1000 : 0 } }
            events.free()
            XCTAssertEqual(ended, 1111)
        }
    }

    // MARK: Hooks that free

    /// Sets one trace for all kinds of events.
    private func traceAll(_ events: EventContext, _ body: @escaping (any Event, EventTracePoint) -> Void) {
        events.setTimerTrace { body($0, $1) }
        events.setImmediateTrace { body($0, $1) }
        events.setSignalTrace { body($0, $1) }
        events.setFDTrace { body($0, $1) }
    }

    /// Adds an event of each kind, under a parent that outlives the context.
    private func addAll(to events: EventContext, under memory: TallocContext, _ handler: @escaping () -> Void) throws {
        let reader = try readyDescriptor()
        try events.addTimer(at: .zero, under: memory) { _, _ in handler() }
        try ImmediateEvent(under: memory).schedule(on: events) { _, _ in handler() }
        // This signal is ignored by default, so it does no harm once the event is freed.
        try events.addSignal(.windowChange, under: memory) { _, _ in handler() }
        try events.addFD(reader, .read, under: memory) { _, _ in handler() }
        Signal.windowChange.raise()
    }

    func testATraceMayFreeTheEventAtEachPointOfItsLife() throws {
        for freesAt in [EventTracePoint.attach, .beforeHandler, .detach] {
            try onBothBackends { events, _ in
                let memory = try TallocContext()
                defer { memory.free() }
                traceAll(events) { event, point in if point == freesAt, !event.isFreed { event.free() } }
                try addAll(to: events, under: memory) {}
                for _ in 0..<8 { try events.loopOnce() }
                if freesAt != .detach { XCTAssertFalse(events.hasEvents, "\(freesAt)") }
                events.free()
                memory.freeChildren()
                XCTAssertEqual(memory.totalBlocks, 1, "\(freesAt)")
            }
        }
    }

    func testATraceMayFreeTheContextBeforeAnyHandler() throws {
        // The kinds that have run before the context is freed.
        for turns in 0..<4 {
            try onBothBackends { events, _ in
                let memory = try TallocContext()
                defer { memory.free() }
                var runs = 0
                traceAll(events) { _, point in
                    if point == .beforeHandler, runs == turns, !events.isFreed { events.free() }
                }
                try addAll(to: events, under: memory) { runs += 1 }
                XCTAssertEqual(try events.loop { runs > 4 }, .contextFreed)
                XCTAssertEqual(runs, turns, "no handler runs for a freed context")
            }
        }
    }

    func testATraceMayFreeTheContextWhenAnEventEnds() throws {
        try onBothBackends { events, _ in
            let memory = try TallocContext()
            traceAll(events) { _, point in if point == .detach, !events.isFreed { events.free() } }
            try addAll(to: events, under: memory) {}
            memory.free()
            XCTAssertTrue(events.isFreed)
        }
    }

    func testTheLoopsTraceMayFreeTheContextAtEachPoint() throws {
        for freesAt in [LoopTracePoint.beforeLoopOnce, .beforeWait, .afterWait, .afterLoopOnce] {
            try onBothBackends { events, _ in
                events.setLoopTrace { if $0 == freesAt { events.free() } }
                try events.addFD(try readyDescriptor(), .read) { _, _ in
                    XCTAssertEqual(freesAt, .afterLoopOnce)
                }
                XCTAssertEqual(try events.loopWait(), .contextFreed, "\(freesAt)")
                XCTAssertTrue(events.isFreed)
            }
        }
    }

    func testATraceThatSchedulesAnEndingImmediatePutsItInTheListOnce() throws {
        try onBothBackends { events, _ in
            let immediate = try ImmediateEvent(under: events)
            immediate.schedule(on: events) { _, _ in XCTFail("replaced") }
            var runs: [String] = []
            var ends = 0
            events.setImmediateTrace { immediate, point in
                guard point == .detach else { return }
                ends += 1
                if ends == 1 { immediate.schedule(on: events) { _, _ in runs.append("trace's") } }
            }
            immediate.schedule(on: events) { _, _ in runs.append("program's") }
            XCTAssertEqual(events.immediates, [immediate])
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, ["program's"])
        }
    }

    func testATraceThatSchedulesACancelledImmediateAgainIsCalledOnce() throws {
        try onBothBackends { events, _ in
            let immediate = try ImmediateEvent(under: events)
            var (detached, runs) = (0, [String]())
            events.setImmediateTrace { immediate, point in
                guard point == .detach else { return }
                detached += 1
                if detached < 1000 { immediate.schedule(on: events) { _, _ in runs.append("trace") } }
            }
            for name in ["first", "second"] { immediate.schedule(on: events) { _, _ in runs.append(name) } }
            XCTAssertEqual(detached, 1)
            XCTAssertEqual(events.immediates, [immediate])
            events.setImmediateTrace(nil)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs, ["second"])
        }
    }

    func testATraceCannotScheduleAnImmediateThatIsBeingFreed() throws {
        try onBothBackends { events, _ in
            let immediate = try ImmediateEvent(under: events)
            immediate.schedule(on: events) { _, _ in XCTFail("freed") }
            events.setImmediateTrace { immediate, point in
                if point == .detach { immediate.schedule(on: events) { _, _ in XCTFail("freed") } }
            }
            immediate.free()
            XCTAssertEqual(events.immediates, [])
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    // MARK: Tags, origins, messages

    func testEveryEventHasATagOfTheProgramsOwn() throws {
        try onBothBackends { events, _ in
            let timer = try events.addTimer(at: .zero) { _, _ in }
            XCTAssertEqual(timer.tag, 0)
            timer.tag = .max
            XCTAssertEqual(events.timers.first?.tag, .max)
        }
    }

    func testEveryEventKnowsTheLineThatMadeIt() throws {
        try onBothBackends { events, _ in
            let timer = try events.addTimer(at: .zero) { _, _ in }
            let line = #line - 1
            XCTAssertEqual(timer.origin, "TeventTests/TraceTests.swift:\(line)")
            let immediate = try ImmediateEvent(under: events)
            XCTAssertEqual(immediate.origin, "TeventTests/TraceTests.swift:\(line + 3)")
        }
    }

    func testTheDebugHookGetsTheEnginesMessages() throws {
        try onBothBackends { events, _ in
            var messages: [String] = []
            events.setDebug { level, message in messages.append("\(level): \(message)") }
            let timer = try events.addTimer(at: .zero) { _, _ in }
            let origin = timer.origin
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(messages, ["trace: running the timer made at \(origin)"])
            events.setDebug(nil)
            try events.addTimer(at: .zero) { _, _ in }
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(messages.count, 1)
        }
    }

    func testDebugLevelsAreOrderedByHowMuchTheyMatter() {
        XCTAssertEqual([DebugLevel.trace, .error, .fatal, .warning].sorted(), [.fatal, .error, .warning, .trace])
    }

    func testHooksAreReleasedWithTheContext() throws {
        try onBothBackends { events, _ in
            weak var held: Token?
            do {
                let token = Token()
                held = token
                events.setLoopTrace { _ in withExtendedLifetime(token) {} }
                events.setDebug { _, _ in withExtendedLifetime(token) {} }
                events.setNestingHook { _, _, _ in withExtendedLifetime(token) { true } }
                traceAll(events) { _, _ in withExtendedLifetime(token) {} }
            }
            XCTAssertNotNil(held)
            events.free()
            XCTAssertNil(held)
        }
    }
}
