import Chapter4Requests
import Foundation
import Talloc
import TestSupport
import TeventTasks
import XCTest

/// What the page says, as far as no test of the module TeventTasks checks it.
final class PageTests: AsyncTestCase {
    // MARK: Await a request

    func testTheEndOfARequestCallsACallbackAtOnceAndContinuesATaskLater() throws {
        try onEachBackend {
            let (first, second) = (try Request(1, under: memory), try Request(2, under: memory))
            first.setCallback { _ in self.note("callback") }
            let task = try events.task(under: memory) {
                try await second.ended()
                self.note("task")
            }
            try events.addTimer(after: .seconds(1)) { _, _ in
                first.finish()
                self.note("first has ended")
                second.finish()
                self.note("second has ended")
            }
            try events.run { try await task.value }
            assertNotes(["1.0 callback", "1.0 first has ended", "1.0 second has ended", "1.0 task"])
        }
    }

    func testHandlersThatCameBeforeRunBetweenTheEndOfARequestAndItsTask() throws {
        try onEachBackend {
            let request = try Request(1, under: memory)
            try events.addTimer(after: .seconds(1)) { _, _ in
                try? ImmediateEvent(under: self.events).schedule(on: self.events) { _, _ in self.note("immediate") }
                request.finish()
            }
            try events.run {
                try await request.ended()
                note("task")
            }
            assertNotes(["1.0 immediate", "1.0 task"])
        }
    }

    // MARK: Cancel a task

    func testFreeingTheMemoryOfATaskCancelsWhatItAwaitsElsewhere() throws {
        try onEachBackend {
            let client = try TallocContext(under: memory)
            _ = try events.task(under: client) {
                await self.noteResult { try await self.events.sleep(for: .seconds(100)) }
            }
            try events.addTimer(after: .seconds(1)) { _, _ in client.free() }
            try events.run { try await events.sleep(for: .seconds(2)) }
            assertNotes(["1.0 the request was cancelled"])
        }
    }

    func testHandlesBelowFreedMemoryAreStale() throws {
        try onEachBackend {
            let client = try TallocContext(under: memory)
            _ = try events.task(under: client) {
                let thing = try TallocContext(under: client)
                do { try await Wakeup.send(after: .seconds(100), on: self.events, under: client).value } catch {
                    self.note("\(error as? TaskError == .freed), \(thing.isFreed), \(client.isFreed)")
                }
            }
            try events.addTimer(after: .seconds(1)) { _, _ in client.free() }
            try events.run { try await events.sleep(for: .seconds(2)) }
            assertNotes(["1.0 true, true, true"])
        }
    }

    func testATaskWaitsOnForARequestThatCannotBeCancelled() throws {
        try onEachBackend {
            let request = try Request(42, under: memory)
            let task = try events.task(under: memory) { try await request.value }
            try events.addTimer(after: .seconds(1)) { _, _ in task.cancel() }
            try events.addTimer(after: .seconds(5)) { _, _ in request.finish() }
            try events.run { await noteResult { try await task.value } }
            assertNotes(["5.0 42"])
        }
    }

    func testCleanUpThatWaitsWorksInATaskOfItsOwn() throws {
        try onEachBackend {
            let task = try events.task(under: memory) {
                await self.noteResult { try await self.events.sleep(for: .seconds(100)) }
                _ = try self.events.task(under: self.memory) {
                    await self.noteResult { try await self.events.sleep(for: .seconds(2)) }
                }
            }
            try events.addTimer(after: .seconds(1)) { _, _ in task.cancel() }
            try events.run {
                try await task.value
                try await events.sleep(for: .seconds(5))
            }
            assertNotes(["1.0 the request was cancelled", "3.0 ()"])
        }
    }

    func testADeadlineWaitsForAFunctionThatIgnoresIt() throws {
        try onEachBackend {
            let request = try Request("late", under: memory)
            try events.addTimer(after: .seconds(10)) { _, _ in request.finish() }
            try events.run {
                await noteResult { try await withDeadline(after: .seconds(3), on: events) { try await request.value } }
            }
            assertNotes(["10.0 late"])
        }
    }

    // MARK: Several at once

    func testTwoTasksWaitAtTheSameTime() throws {
        try onEachBackend {
            try events.run {
                let one = try events.task(under: memory) { try await self.events.sleep(for: .seconds(2)) }
                let two = try events.task(under: memory) { try await self.events.sleep(for: .seconds(2)) }
                try await one.value
                try await two.value
                note("both")
            }
            assertNotes(["2.0 both"])
        }
    }

    // MARK: An echo server in five lines

    func testAMemoryLimitDoesNotCountWhatATaskHolds() throws {
        try onEachBackend {
            let client = try TallocContext(under: memory)
            try client.setMemoryLimit(bytes: 10_000)
            let task = try events.task(under: client) {
                let bytes = [UInt8](repeating: 1, count: 1_000_000)
                try await self.events.sleep(for: .seconds(1))
                return bytes.count
            }
            try events.run { await noteResult { try await task.value } }
            assertNotes(["1.0 1000000"])
        }
    }

    // MARK: What goes wrong in practice

    func testATaskInAHandlerRunsOnAnotherThread() throws {
        for backend in EventContext.backends {
            let events = try EventContext(backend: backend)
            defer { events.free() }
            let loop = ObjectIdentifier(Thread.current)
            let isElsewhere = DispatchSemaphore(value: 0)
            try events.addTimer(after: .zero) { _, _ in
                Task { if ObjectIdentifier(currentThread()) != loop { isElsewhere.signal() } }
                // The handler blocks the loop: the task does not need it.
                XCTAssertEqual(isElsewhere.wait(timeout: .now() + 30), .success, backend)
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    func testAHandlerOfTheMainActorCannotBeginATaskOfTheLoop() throws {
        let result = try runInChild(self) {
            try MainActor.assumeIsolated {
                let events = try EventContext()
                try events.addTimer(after: .zero) { _, _ in _ = try? events.task(under: events) {} }
                try events.loopWait()
            }
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(
            result.stderr.contains("task(under:_:) was called in code that is isolated to MainActor"), result.stderr)
    }

    func testADeadlineCannotBeSetOnTheMainActor() throws {
        let result = try runInChild(self) {
            Task { @MainActor in
                let events = try EventContext()
                try await withDeadline(after: .seconds(1), on: events) {}
            }
            RunLoop.main.run(until: .now + 30)
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(
            result.stderr.contains("withDeadline(after:on:_:) was called in code that is isolated to MainActor"),
            result.stderr)
    }

    func testALoopWithATaskThatWaitsInVainDoesNotEnd() throws {
        for backend in EventContext.backends {
            let memory = try TallocContext(named: "program")
            defer { memory.free() }
            let events = try EventContext(under: memory, backend: backend)
            events.maximumWait = .milliseconds(1)
            let forgotten = try Request("forgotten", under: memory)
            _ = try events.task(under: memory) { try? await forgotten.ended() }
            XCTAssertEqual(try events.loopWait(), .timedOut, backend)
            XCTAssertEqual(try events.loopWait(), .timedOut, backend)

            let names = requestsInProgress(below: memory).map { "\($0)" }
            XCTAssertEqual(names.count, 2, "\(names)")
            XCTAssert(names.contains { $0.contains("TaskWork") }, "\(names)")
            XCTAssert(names.contains { $0.contains("String") }, "\(names)")

            forgotten.finish()
            XCTAssertEqual(try events.loopWait(), .noEvents, backend)
        }
    }
}

/// The calling thread, for a closure of a task, which may not ask for it itself.
private func currentThread() -> Thread { .current }
