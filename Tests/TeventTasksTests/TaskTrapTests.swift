import TestSupport
import TeventTasks
import XCTest

/// Misuse of tasks that ends the program with advice, in child processes.
final class TaskTrapTests: TaskTestCase {
    /// Runs a body in a child process.
    private func assertTraps(
        saying message: String, function: String = #function, line: UInt = #line,
        _ body: (_ events: EventContext, _ memory: TallocContext) throws -> Void
    ) throws {
        let result = try runInChild(self, function: function) {
            let memory = try TallocContext()
            try body(try EventContext(under: memory, clock: ManualClock()), memory)
        }
        assertTrapped(result, saying: message, line: line)
    }

    func testAwaitingOutsideALoop() throws {
        try assertTraps(saying: "a request was awaited outside the tasks of a loop") { _, memory in
            let request = Unchecked(try Request(7, under: memory))
            let done = Gate()
            Task.detached {
                _ = try? await request.value.value
                done.open()
            }
            done.wait()
        }
    }

    func testAwaitingOnAnotherThread() throws {
        try assertTraps(saying: "by a task that had left its loop's thread") { events, memory in
            try events.run {
                await withTaskExecutorPreference(globalConcurrentExecutor) {
                    _ = try? await Request(7, under: memory).value
                }
            }
        }
    }

    func testAwaitingWhatWasReceived() throws {
        try assertTraps(saying: "which was received; await it before that") { events, memory in
            try events.run {
                let request = try Request(7, under: memory)
                request.discard()
                _ = try await request.value
            }
        }
    }

    func testAwaitingWhatWasFreed() throws {
        try assertTraps(saying: "a task awaited a request that was freed") { events, memory in
            try events.run {
                let request = try Request(7, under: memory)
                request.free()
                _ = try await request.value
            }
        }
    }

    func testTwoTasksThatAwaitOneRequest() throws {
        try assertTraps(saying: "two tasks await the request made at") { events, memory in
            try events.run {
                let request = try Request(7, under: memory)
                for _ in 0..<2 { _ = try events.task(under: memory) { try await request.ended() } }
                try await events.sleep(for: .seconds(1))
            }
        }
    }

    func testACallbackForARequestThatATaskAwaits() throws {
        try assertTraps(saying: "while a task waits for it") { events, memory in
            try events.run {
                let request = try Request(7, under: memory)
                _ = try events.task(under: memory) { try await request.ended() }
                await Task.yield()
                request.setCallback { _ in }
            }
        }
    }

    func testTwoTasksThatIterateOverOneSequence() throws {
        try assertTraps(saying: "two tasks iterate over one sequence of a loop") { events, memory in
            try events.run {
                let messages = try Messages<Int>(on: events)
                for _ in 0..<2 { _ = try events.task(under: memory) { for try await _ in messages {} } }
                try await events.sleep(for: .seconds(1))
            }
        }
    }

    func testAFunctionOfTheMainActorInRun() throws {
        try assertTraps(saying: "was called in code that is isolated to MainActor; its function would wait") {
            events, _ in
            let events = Unchecked(events)
            MainActor.assumeIsolated { try! events.value.run {} }
        }
    }

    func testAFunctionOfTheMainActorInATask() throws {
        try assertTraps(saying: "'nonisolated static func main()'") { events, _ in
            let events = Unchecked(events)
            MainActor.assumeIsolated { _ = try! events.value.task(under: events.value) {} }
        }
    }

    func testATickerWithoutTimeBetweenItsTicks() throws {
        try assertTraps(saying: "ticks without time between them") { events, memory in
            _ = events.ticks(every: .zero, under: memory)
        }
    }

    func testAContextThatIsGivenAwayAfterItsFirstTask() throws {
        try assertTraps(saying: "give a context to its thread before you begin a task") { events, memory in
            _ = try events.task(under: memory) {}
            let events = Unchecked(events)
            try SystemThread(named: "other") { _ = try events.value.loopOnce() }.join()
        }
    }

    func testAManualClockOnAnotherThread() throws {
        try assertTraps(saying: "a manual clock was read on another thread") { events, _ in
            let clock = try events.clock
            try SystemThread(named: "other") { _ = clock.now }.join()
        }
    }
}

/// Takes a handle where the compiler would refuse it.
private struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
