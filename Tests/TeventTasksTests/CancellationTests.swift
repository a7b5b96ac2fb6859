import Synchronization
import TestSupport
import TeventTasks
import XCTest

/// The ways in which a task is cancelled, and what it then finds.
final class CancellationTests: TaskTestCase {
    func testARequestOfATaskIsCancelled() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            try events.run {
                let task = try events.task(under: memory) { try await events.sleep(for: .seconds(100)) }
                await Task.yield()
                XCTAssertTrue(task.cancel())
                XCTAssertEqual(task.status, .inProgress)
                await notes.addError { try await task.value }
            }
            XCTAssertEqual(notes.lines, ["cancelled"])
        }
    }

    func testATaskIsCancelledBeforeItBegins() throws {
        try onBothBackends { events, memory, clock in
            let notes = Notes()
            let start = clock.now
            try events.run {
                let task = try events.task(under: memory) {
                    notes.add("cancelled: \(Task.isCancelled)")
                    try await events.sleep(for: .seconds(100))
                }
                task.cancel()
                await notes.addError { try await task.value }
            }
            XCTAssertEqual(notes.lines, ["cancelled: true", "cancelled"])
            XCTAssertEqual(start, clock.now)
        }
    }

    func testATaskThatIsCancelledAlreadyCancelsEachRequestThatItAwaits() throws {
        try onBothBackends { events, memory, clock in
            let notes = Notes()
            let start = clock.now
            try events.run {
                let task = try events.task(under: memory) {
                    await notes.addError { try await events.sleep(for: .seconds(100)) }
                    await notes.addError { try await events.sleep(for: .seconds(100)) }
                }
                await Task.yield()
                task.cancel()
                try await task.value
            }
            XCTAssertEqual(notes.lines, ["cancelled", "cancelled"])
            XCTAssertEqual(start, clock.now)
        }
    }

    func testAnotherThreadCancels() throws {
        try onBothBackends { events, memory, clock in
            let notes = Notes()
            let start = clock.now
            try events.run {
                let waiting = Gate()
                // The task waits below, and therefore exists until it is cancelled.
                let task = withUnsafeCurrentTask { CurrentTask(task: $0.unsafelyUnwrapped) }
                let thread = try SystemThread(named: "canceller") {
                    waiting.wait()
                    task.task.cancel()
                }
                waiting.open()
                await notes.addError { _ = try await Cancellable.send(under: memory).value }
                try thread.join()
            }
            XCTAssertEqual(notes.lines, ["cancelled"])
            XCTAssertEqual(start, events.now)
        }
    }

    func testACancelledGroupCancelsItsChildren() throws {
        try onBothBackends { events, _, clock in
            let notes = Notes()
            let start = clock.now
            try events.run {
                await notes.addError {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        try group.addTask(on: events) { try await events.sleep(for: .seconds(100)) }
                        try group.addTask(on: events) {
                            try await events.sleep(for: .seconds(1))
                            throw RequestError.code(7)
                        }
                        while try await group.next() != nil {}
                    }
                }
            }
            XCTAssertEqual(notes.lines, ["code 7"])
            XCTAssertEqual(start.duration(to: clock.now), .seconds(1))
        }
    }

    func testADeadlineCancels() throws {
        try onBothBackends { events, _, clock in
            let notes = Notes()
            let start = clock.now
            try events.run {
                await notes.addError {
                    try await withDeadline(after: .seconds(1), on: events) {
                        try await events.sleep(for: .seconds(100))
                    }
                }
                let inTime = try await withDeadline(after: .seconds(5), on: events) { 42 }
                notes.add("\(inTime)")
            }
            XCTAssertEqual(notes.lines, ["timedOut", "42"])
            XCTAssertEqual(start.duration(to: clock.now), .seconds(1))
            XCTAssertNil(events.nextDeadline)
        }
    }

    func testADeadlineCancelsAlthoughAllBelowTheContextWasFreed() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            // Otherwise the function would wait without end.
            let last = try events.addTimer(after: .seconds(2), under: memory) { _, _ in events.stop() }
            try events.run {
                await notes.addError {
                    try await withDeadline(after: .seconds(1), on: events) {
                        events.freeChildren()
                        _ = try await Cancellable.send(under: memory).value
                    }
                }
            }
            XCTAssertEqual(notes.lines, ["timedOut"])
            last.free()
        }
    }

    func testARequestThatRefusesGoesOn() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            try events.run {
                let request = try Request(7, under: memory)
                request.setCancel { _ in
                    notes.add("asked")
                    return false
                }
                let task = try events.task(under: memory) {
                    let value = try await request.value
                    notes.add("\(value)")
                }
                await Task.yield()
                task.cancel()
                try events.addTimer(after: .seconds(1)) { _, _ in request.finish() }
                try await task.value
            }
            XCTAssertEqual(notes.lines, ["asked", "7"])
        }
    }

    func testACancelledTaskReleasesWhatItHoldsInOrder() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            try events.run {
                let task = try events.task(under: memory) {
                    let outer = try TallocContext(under: memory)
                    defer {
                        notes.add("outer")
                        outer.free()
                    }
                    let inner = try TallocContext(under: outer)
                    defer {
                        notes.add("inner")
                        inner.free()
                    }
                    try await events.sleep(for: .seconds(100))
                }
                await Task.yield()
                task.cancel()
                await notes.addError { try await task.value }
            }
            XCTAssertEqual(notes.lines, ["inner", "outer", "cancelled"])
        }
    }
}

/// A request that only cancelling ends.
private enum Cancellable {
    static func send(under memory: TallocContext) throws -> Request<Int> {
        let request = try Request(7, under: memory)
        request.setCancel { request in
            request.fail(RequestError.cancelled)
            return true
        }
        return request
    }
}

private struct CurrentTask: @unchecked Sendable {
    let task: UnsafeCurrentTask
}
