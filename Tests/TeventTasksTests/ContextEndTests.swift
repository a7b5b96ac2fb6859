import CTestSupport
import Glibc
import TestSupport
import TeventTasks
import XCTest

/// What tasks find when their context is freed.
final class ContextEndTests: TaskTestCase {
    func testATaskFindsThatItsContextWasFreedInAHandler() throws {
        try onBothBackends { events, memory, clock in
            let notes = Notes()
            let task = try events.task(under: memory) {
                await notes.addError { try await Wakeup.send(after: .seconds(100), on: events, under: memory).value }
                await notes.addError { _ = try await Request(7, under: memory).value }
            }
            try events.addTimer(after: .seconds(1)) { _, _ in
                events.free()
                notes.add("freed")
            }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopWait(), .contextFreed)
            XCTAssertEqual(notes.lines, ["freed", "loopEnded", "loopEnded"])
            XCTAssertEqual(task.status, .done)
        }
    }

    func testATaskFindsThatItsContextWasFreedOutsideALoop() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            let task = try events.task(under: memory) {
                await notes.addError { try await Wakeup.send(after: .seconds(100), on: events, under: memory).value }
            }
            try events.loopOnce()
            events.free()
            XCTAssertEqual(notes.lines, ["loopEnded"])
            XCTAssertEqual(task.status, .done)
        }
    }

    func testATaskMayFreeItsOwnContext() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            let result = try events.run {
                let other = try events.task(under: memory) { try await events.sleep(for: .seconds(100)) }
                await Task.yield()
                events.free()
                await notes.addError { _ = try await Request(7, under: memory).value }
                await notes.addError { try await other.value }
                return 5
            }
            XCTAssertEqual(result, 5)
            XCTAssertEqual(notes.lines, ["loopEnded", "loopEnded"])
        }
    }

    func testATaskThatHasNotBegunWhenItsContextIsFreedNeverBegins() throws {
        try onBothBackends { events, memory, _ in
            var isReleased = false
            let task = try begin(on: events, under: memory, Token { isReleased = true })
            events.free()
            XCTAssertTrue(isReleased)
            XCTAssertEqual(task.error as? TaskError, .loopEnded)
        }
    }

    private func begin(
        on events: EventContext, under memory: TallocContext, _ token: Token
    ) throws -> Request<TaskWork<Void>> {
        try events.task(under: memory) { XCTFail("the task has begun \(token)") }
    }

    func testRunWhoseContextIsFreedBeforeItsFunctionBeginsThrowsLoopEnded() throws {
        try onBothBackends { events, memory, _ in
            let immediate = try ImmediateEvent(under: memory)
            immediate.schedule(on: events) { _, events in events.free() }
            XCTAssertThrowsError(try events.run { XCTFail("the function has begun") }) {
                XCTAssertEqual($0 as? TaskError, .loopEnded)
            }
        }
    }

    func testALoopInATaskWhoseContextIsGoneRunsTheOtherTasksOfThatContext() throws {
        try onBothBackends { events, memory, clock in
            let others = try EventContext(under: memory, clock: clock)
            let notes = Notes()
            // Otherwise the loop below would wait without end.
            alarm(60)
            defer { alarm(0) }
            var second: Request<TaskWork<Void>>?
            _ = try events.task(under: memory) {
                await notes.addError { try await events.sleep(for: .seconds(100)) }
                try others.run { try await second.unsafelyUnwrapped.value }
                notes.add("first")
            }
            second = try events.task(under: memory) {
                await notes.addError { try await events.sleep(for: .seconds(100)) }
                notes.add("second")
            }
            try events.loopOnce()
            try events.loopOnce()
            events.free()
            XCTAssertEqual(notes.lines, ["loopEnded", "loopEnded", "second", "first"])
        }
    }

    func testAJobOfAnotherThreadThatComesAfterTheContextWasFreedRunsOnTheThreadOfItsLoop() throws {
        try onBothBackends { events, memory, _ in
            let here = thisThread()
            let notes = Notes()
            let gate = Gate()
            let task = try events.task(under: memory) {
                try await aside { gate.wait() }
                notes.add(thisThread() == here ? "back" : "elsewhere")
                await notes.addError { _ = try await Request(7, under: memory).value }
            }
            try events.loopOnce()
            events.free()
            XCTAssertEqual(task.status, .inProgress)
            gate.open()
            let others = try EventContext(under: memory)
            while task.status == .inProgress { try others.run {} }
            XCTAssertEqual(notes.lines, ["back", "loopEnded"])
            XCTAssertEqual(task.status, .done)
        }
    }

    func testRunWaitsForAFunctionThatIsElsewhereWhenItsContextIsFreed() throws {
        try onBothBackends { events, memory, _ in
            let gate = Gate()
            let immediate = try ImmediateEvent(under: memory)
            let value = try events.run {
                immediate.schedule(on: events) { _, events in
                    events.free()
                    gate.open()
                }
                try await aside { gate.wait() }
                return 5
            }
            XCTAssertEqual(value, 5)
        }
    }

    func testATaskThatIsElsewhereWhenItsThreadEndsStillEnds() throws {
        let gate = Gate()
        let ended = Gate()
        let thread = try SystemThread(named: "short") {
            let events = try EventContext()
            _ = try events.task(under: TallocContext()) {
                try? await aside { gate.wait() }
                await Task.yield()
                ended.open()
            }
            try events.loopOnce()
            events.free()
        }
        try thread.join()
        gate.open()
        ended.wait()
    }

    func testFreeingTheMemoryOfATaskCancelsItAndDropsItsResult() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            try events.run {
                let below = try TallocContext(under: memory)
                let task = try events.task(under: below) {
                    await notes.addError { try await events.sleep(for: .seconds(100)) }
                    notes.add("cancelled: \(Task.isCancelled)")
                }
                try events.addTimer(after: .seconds(1)) { _, _ in below.free() }
                await notes.addError { try await task.value }
                try await events.sleep(for: .seconds(1))
            }
            XCTAssertEqual(notes.lines, ["freed", "cancelled", "cancelled: true"])
        }
    }

    func testATaskWhoseMemoryIsFreedBeforeItBeginsNeverBegins() throws {
        try onBothBackends { events, memory, _ in
            var isReleased = false
            let task = try begin(on: events, under: memory, Token { isReleased = true })
            task.free()
            try events.run { await Task.yield() }
            XCTAssertTrue(isReleased)
        }
    }

    func testADescriptorsEventThatIsFreedWhileATaskWaitsEndsTheWait() throws {
        try onBothBackends { events, memory, _ in
            let (one, other) = try SystemIO.socketPair()
            defer {
                SystemIO.close(one)
                SystemIO.close(other)
            }
            let notes = Notes()
            try events.run {
                let below = try TallocContext(under: memory)
                try events.addTimer(after: .seconds(1)) { _, _ in below.free() }
                let readiness = try events.readiness(of: one, for: .read, under: below)
                await notes.addError { for try await _ in readiness { notes.add("ready") } }
                await notes.addError { for try await _ in readiness { notes.add("ready") } }
                let pieces = events.bytes(from: one, under: below)
                await notes.addError { for try await _ in pieces { notes.add("bytes") } }
            }
            XCTAssertEqual(notes.lines, ["freed", "freed", "freed"])
        }
    }

    func testAChildOfAForkContinuesItsTasks() throws {
        try onBothBackends { events, memory, _ in
            let task = try events.task(under: memory) {
                try await events.sleep(for: .seconds(1))
                return 7
            }
            try events.loopOnce()
            let child = test_fork()
            if child == 0 {
                alarm(20)
                let value = try? events.run { try await task.value }
                _exit(Int32(value ?? 0))
            }
            var status: Int32 = 0
            waitpid(child, &status, 0)
            XCTAssertEqual(status >> 8, 7)
            XCTAssertEqual(try events.run { try await task.value }, 7)
        }
    }
}

/// Lets a thread wait until another opens it.
final class Gate: Sendable {
    private let read: Int32
    private let written: Int32

    init() {
        var ends: [Int32] = [0, 0]
        XCTAssertEqual(pipe(&ends), 0)
        (read, written) = (ends[0], ends[1])
    }

    deinit {
        close(read)
        close(written)
    }

    func open() { XCTAssertEqual(write(written, "x", 1), 1) }

    func wait() {
        var byte: UInt8 = 0
        XCTAssertEqual(Glibc.read(read, &byte, 1), 1)
    }
}
