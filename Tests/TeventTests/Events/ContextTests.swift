import Glibc
import Talloc
import Tevent
import XCTest

final class ContextTests: EngineTestCase {
    func testTheListOfBackendsBeginsWithTheDefault() throws {
        XCTAssertEqual(EventContext.backends, ["epoll", "poll"])
        XCTAssertEqual(EventContext.defaultBackend, "epoll")
        let events = try EventContext()
        defer { events.free() }
        XCTAssertEqual(events.backend, "epoll")
    }

    func testABackendIsChosenByName() throws {
        try onEachBackend { backend in
            let events = try EventContext(backend: backend)
            defer { events.free() }
            XCTAssertEqual(events.backend, backend)
        }
    }

    func testAnUnknownBackendIsRefusedAndTheErrorNamesTheKnownOnes() {
        assertThrows(.unknownBackend(name: "kqueue"), try EventContext(backend: "kqueue"))
        XCTAssertEqual(
            TeventError.unknownBackend(name: "kqueue").description,
            "there is no backend 'kqueue'; choose one of: epoll, poll")
    }

    func testAContextIsOneChunkUnderItsParentNamedAsInC() throws {
        try onEachBackend { backend in
            try withTallocContext { memory in
                let events = try EventContext(under: memory, backend: backend)
                XCTAssertEqual(events.parent, memory)
                XCTAssertEqual(memory.children, [events.tallocContext])
                XCTAssertEqual(events.name, "struct tevent_context")
            }
        }
    }

    func testAContextWithoutParentIsARoot() throws {
        try onBothBackends { events, _ in XCTAssertNil(events.parent) }
    }

    func testFreeingAContextClosesItsDescriptors() throws {
        // The check is in onEachBackend: descriptors must not be left open.
        try onEachBackend { backend in
            let events = try EventContext(backend: backend)
            try events.addSignal(.user1) { _, _ in }
            events.free()
        }
    }

    func testFreeingTheParentFreesTheContextAndUnregistersAllBelow() throws {
        try onEachBackend { backend in
            let memory = try TallocContext()
            let events = try EventContext(under: memory, backend: backend)
            let reader = try readyDescriptor()
            let timer = try events.addTimer(after: .zero) { _, _ in XCTFail("the timer ran") }
            let immediate = try ImmediateEvent(under: events)
            immediate.schedule(on: events) { _, _ in XCTFail("the immediate ran") }
            let descriptor = try events.addFD(reader, .read) { _, _ in XCTFail("the descriptor's handler ran") }
            let signal = try events.addSignal(.user1) { _, _ in XCTFail("the signal's handler ran") }

            memory.free()

            XCTAssertTrue(events.isFreed)
            XCTAssertTrue(timer.isFreed && immediate.isFreed && descriptor.isFreed && signal.isFreed)
        }
    }

    func testFreeingAnEventsParentUnregistersEveryKindOfEventBelow() throws {
        try onBothBackends { events, _ in
            let memory = try TallocContext()
            let reader = try readyDescriptor()
            try events.addTimer(after: .zero, under: memory) { _, _ in XCTFail("the timer ran") }
            try ImmediateEvent(under: memory).schedule(on: events) { _, _ in XCTFail("the immediate ran") }
            try events.addFD(reader, .read, under: memory) { _, _ in XCTFail("the descriptor's handler ran") }
            try events.addSignal(.user1, under: memory) { _, _ in XCTFail("the signal's handler ran") }
            XCTAssertTrue(events.hasEvents)
            Signal.user1.raise()

            memory.free()

            XCTAssertFalse(events.hasEvents)
            XCTAssertEqual(events.timers, [])
            XCTAssertEqual(events.immediates, [])
            XCTAssertEqual(events.descriptors, [])
            XCTAssertEqual(events.signals, [])
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testEventsWhoseParentOutlivesTheContextBelongToNoLoop() throws {
        try onEachBackend { backend in
            let memory = try TallocContext()
            defer { memory.free() }
            let events = try EventContext(backend: backend)
            let reader = try readyDescriptor()
            let timer = try events.addTimer(after: .zero, under: memory) { _, _ in }
            let immediate = try ImmediateEvent(under: memory)
            immediate.schedule(on: events) { _, _ in }
            let descriptor = try events.addFD(reader, .read, under: memory) { _, _ in }
            let signal = try events.addSignal(.user1, under: memory) { _, _ in }

            events.free()

            XCTAssertNil(timer.context)
            XCTAssertNil(timer.deadline)
            XCTAssertNil(immediate.context)
            XCTAssertFalse(immediate.isScheduled)
            XCTAssertNil(descriptor.context)
            XCTAssertNil(signal.context)
            // They can still be used, but do nothing.
            timer.update(after: .seconds(1))
            descriptor.flags = .write
            immediate.cancel()
        }
    }

    func testAnImmediateOutlivesItsContextAndServesAnother() throws {
        try onBothBackends { events, _ in
            let memory = try TallocContext()
            defer { memory.free() }
            let immediate = try ImmediateEvent(under: memory)
            let other = try EventContext()
            immediate.schedule(on: other) { _, _ in XCTFail("its context was freed") }
            other.free()
            var runs = 0
            immediate.schedule(on: events) { _, _ in runs += 1 }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(runs, 1)
        }
    }

    func testEventsAreSeenOnlyByTheLoopOfTheirOwnContext() throws {
        try onEachBackend { backend in
            let clock = ManualClock()
            let first = try EventContext(backend: backend, clock: clock)
            let second = try EventContext(backend: backend, clock: clock)
            defer { [first, second].forEach { $0.free() } }
            var seen: [String] = []
            func addAll(to events: EventContext, _ name: String) throws {
                let reader = try readyDescriptor()
                try events.addTimer(after: .zero) { _, _ in seen.append("\(name) timer") }
                try ImmediateEvent(under: events).schedule(on: events) { _, _ in seen.append("\(name) immediate") }
                try events.addFD(reader, .read) { event, _ in
                    seen.append("\(name) descriptor")
                    event.free()
                }
                try events.addSignal(.user1) { event, _ in
                    seen.append("\(name) signal")
                    event.free()
                }
            }
            try addAll(to: first, "first")
            try addAll(to: second, "second")
            Signal.user1.raise()

            XCTAssertEqual(try second.loopWait(), .noEvents)
            XCTAssertEqual(seen, ["second signal", "second immediate", "second timer", "second descriptor"])
            XCTAssertEqual(try first.loopWait(), .noEvents)
            XCTAssertEqual(seen.suffix(4), ["first signal", "first immediate", "first timer", "first descriptor"])
        }
    }

    func testListsOfEventsAreInTheOrderInWhichTheyCame() throws {
        try onBothBackends { events, _ in
            let readers = try (0..<3).map { _ in try pipe().reader }
            let descriptors = try readers.map { try events.addFD($0, .read) { _, _ in } }
            let signals = try [Signal.user2, .user1, .hangUp].map { try events.addSignal($0) { _, _ in } }
            let immediates = try (0..<3).map { _ in try ImmediateEvent(under: events) }
            for immediate in immediates.reversed() { immediate.schedule(on: events) { _, _ in } }
            let timers = try [3, 1, 2].map { try events.addTimer(after: .seconds($0)) { _, _ in } }
            XCTAssertEqual(events.descriptors, descriptors)
            XCTAssertEqual(events.signals, signals)
            XCTAssertEqual(events.immediates, immediates.reversed())
            XCTAssertEqual(events.timers, [timers[1], timers[2], timers[0]], "timers are in the order they will run")
            XCTAssertEqual(events.children.suffix(3), timers.map(\.tallocContext))
        }
    }

    func testTheNextDeadlineIsThatOfTheEarliestTimer() throws {
        try onBothBackends { events, clock in
            XCTAssertNil(events.nextDeadline)
            try events.addTimer(after: .seconds(5)) { _, _ in }
            let earlier = try events.addTimer(after: .seconds(2)) { _, _ in }
            XCTAssertEqual(events.nextDeadline, clock.now.advanced(by: .seconds(2)))
            earlier.free()
            XCTAssertEqual(events.nextDeadline, clock.now.advanced(by: .seconds(5)))
        }
    }

    func testTheSystemsClockIsMonotonicTime() throws {
        try onBothBackendsInRealTime { events in
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            XCTAssertGreaterThanOrEqual(
                events.now.nanoseconds, Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
        }
    }
}
