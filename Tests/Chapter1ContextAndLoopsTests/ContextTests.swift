import Chapter1ContextAndLoops
import Talloc
import TestSupport
import Tevent
import XCTest

/// Where the memory of a context and its events belongs, and what happens when it is freed.
final class ContextTests: XCTestCase {
    func testAContextIsFreedWithItsParent() throws {
        try onEachBackend { bench in
            XCTAssertEqual(bench.events.parent, bench.memory)
            bench.memory.free()
            XCTAssertTrue(bench.events.isFreed)
        }
    }

    func testAContextWithoutParentIsARootThatItsOwnerFrees() throws {
        try onEachBackend { bench in
            let root = try EventContext(backend: bench.backend)
            XCTAssertNil(root.parent)
            bench.memory.free()
            XCTAssertFalse(root.isFreed)
            XCTAssertTrue(root.free())
        }
    }

    func testAnEventBelongsToTheContextUnlessAnotherParentIsNamed() throws {
        try onEachBackend { bench in
            let timer = try bench.events.addTimer(after: .seconds(1)) { _, _ in }
            XCTAssertEqual(timer.parent, bench.events.tallocContext)
            let other = try bench.events.addTimer(after: .seconds(1), under: bench.memory) { _, _ in }
            XCTAssertEqual(other.parent, bench.memory)
            XCTAssertEqual(other.context, bench.events)
        }
    }

    func testFreeingAParentUnregistersAllEventsBelowIt() throws {
        try onEachBackend { bench in
            let session = try TallocContext(under: bench.memory, named: "session")
            let request = try TallocContext(under: session, named: "request")
            let signal = try bench.events.addSignal(.user1, under: session) { _, _ in XCTFail("served") }
            let immediate = try ImmediateEvent(under: request)
            immediate.schedule(on: bench.events) { _, _ in XCTFail("served") }
            let timer = try bench.events.addTimer(at: .zero, under: request) { _, _ in XCTFail("served") }
            let pipe = try bench.readyPipe()
            let descriptor = try bench.events.addFD(pipe, .read, under: session) { _, _ in XCTFail("served") }
            let stays = try bench.events.addSignal(.user1) { _, _ in }
            session.free()
            XCTAssertEqual(
                [signal.isFreed, immediate.isFreed, timer.isFreed, descriptor.isFreed], [true, true, true, true])
            XCTAssertEqual(EventLists(of: bench.events).entries.map(\.memory), [stays.tallocContext])
            stays.free()
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
        }
    }

    func testFreeingTheContextTakesEventsOfOtherParentsOutOfTheLoopButDoesNotFreeThem() throws {
        try onEachBackend { bench in
            let timer = try bench.events.addTimer(after: .zero, under: bench.memory) { _, _ in XCTFail("served") }
            bench.events.free()
            XCTAssertFalse(timer.isFreed)
            XCTAssertNil(timer.context)
        }
    }

    func testListsKeepTheOrderOfArrival() throws {
        try onEachBackend { bench in
            let events = bench.events
            for signal in [Signal.user2, .user1, .hangUp] { try events.addSignal(signal) { _, _ in } }
            XCTAssertEqual(events.signals.map(\.signal), [.user2, .user1, .hangUp])

            let immediates = try (0..<3).map { _ in try ImmediateEvent(under: events) }
            for immediate in immediates.reversed() { immediate.schedule(on: events) { _, _ in } }
            XCTAssertEqual(events.immediates, immediates.reversed())

            let pipes = try (0..<3).map { _ in try bench.readyPipe() }
            for pipe in pipes.reversed() { try events.addFD(pipe, .read) { _, _ in } }
            XCTAssertEqual(events.descriptors.map(\.descriptor), pipes.reversed())
        }
    }

    func testTimersAreListedByDeadlineAndEqualOnesInOrderOfArrival() throws {
        try onEachBackend { bench in
            let late = try bench.events.addTimer(at: EventInstant(nanoseconds: 9)) { _, _ in }
            let first = try bench.events.addTimer(at: EventInstant(nanoseconds: 5)) { _, _ in }
            let second = try bench.events.addTimer(at: EventInstant(nanoseconds: 5)) { _, _ in }
            XCTAssertEqual(bench.events.timers, [first, second, late])
            XCTAssertEqual(bench.events.nextDeadline, EventInstant(nanoseconds: 5))
        }
    }

    func testACreatedImmediateIsInNoListUntilScheduled() throws {
        try onEachBackend { bench in
            let immediate = try ImmediateEvent(under: bench.events)
            XCTAssertFalse(bench.events.hasEvents)
            XCTAssertNil(immediate.context)
            immediate.schedule(on: bench.events) { _, _ in }
            XCTAssertTrue(bench.events.hasEvents)
            XCTAssertEqual(immediate.context, bench.events)
        }
    }

    func testAContextReportsItsBackend() throws {
        try onEachBackend { bench in XCTAssertEqual(bench.events.backend, bench.backend) }
        XCTAssertEqual(EventContext.defaultBackend, EventContext.backends.first)
    }

    func testAnUnknownBackendIsRefusedWithAListOfTheKnownOnes() {
        XCTAssertThrowsError(try EventContext(backend: "kqueue")) { error in
            XCTAssertEqual(error as? TeventError, .unknownBackend(name: "kqueue"))
            XCTAssertEqual("\(error)", "there is no backend 'kqueue'; choose one of: epoll, poll")
        }
    }

    func testAContextForWhichThereIsNoMemoryIsAnErrorAndLeavesNothingBehind() throws {
        try onEachBackend { bench in
            let small = try TallocContext(under: bench.memory, named: "small")
            try small.setMemoryLimit(bytes: 64)
            XCTAssertThrowsError(try EventContext(under: small, backend: bench.backend)) { error in
                XCTAssertEqual(error as? TeventError, .outOfMemory(name: "struct tevent_context"))
            }
            XCTAssertEqual(small.children, [])
        }
    }

    func testUsingAFreedContextTrapsAndNamesTheContextAndTheCall() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            events.free()
            try events.loopOnce()
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(
            result.stderr.contains("EventContext.loopOnce() was called on a freed EventContext"))
    }
}
