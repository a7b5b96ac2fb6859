import TestSupport
import TeventTasks
import XCTest

/// Where code of tasks runs: all of it on the loop's thread.
final class IsolationTests: TaskTestCase {
    private enum Trace { @TaskLocal static var name = "none" }

    private actor Other {
        func thread() -> UInt { thisThread() }
    }

    func testClosuresGroupsActorsAndClocksStayOnTheThreadOfTheLoop() throws {
        try onBothBackends { events, memory, _ in
            let here = thisThread()
            let number = 1
            func check(_ what: String) { XCTAssertEqual(thisThread(), here, what) }
            try events.run {
                check("run")
                let closure: nonisolated(nonsending) () async -> Void = { [number] in check("capture list \(number)") }
                await closure()
                try await events.task(under: memory) { check("task") }.value
                await withTaskCancellationHandler {
                    check("withTaskCancellationHandler")
                } onCancel: {
                }
                await Trace.$name.withValue("x") {
                    await Task.yield()
                    check("withValue")
                }
                let thread = await Other().thread()
                XCTAssertEqual(thread, here, "default actor")
                await concurrent(here)
                check("after @concurrent")
                try await Task.sleep(for: .seconds(1), clock: events.clock)
                check("Task.sleep with the clock of the loop")
                try await Task.sleep(for: .nanoseconds(1))
                check("after Task.sleep with the system's clock")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    check("group")
                    try group.addTask(on: events) { check("child") }
                    group.addTask { XCTAssertEqual(thisThread(), here, "child of Swift's") }
                    while try await group.next() != nil { check("next") }
                }
                async let value = threadOfChild()
                let child = await value
                XCTAssertEqual(child, here, "async let")
            }
        }
    }

    func testWorkAsideLeavesTheThreadAndTheTaskComesBack() throws {
        try onBothBackends { events, _, _ in
            let here = thisThread()
            try events.run {
                let elsewhere = try await aside { thisThread() }
                XCTAssertNotEqual(elsewhere, here)
                XCTAssertEqual(thisThread(), here)
                let notes = Notes()
                await notes.addError { try await aside { throw RequestError.code(7) } }
                XCTAssertEqual(notes.lines, ["code 7"])
            }
        }
    }

    func testTaskLocalValuesArriveInTasksAndNotInHandlers() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            try events.run {
                try await Trace.$name.withValue("outer") {
                    try await events.sleep(for: .seconds(1))
                    notes.add("after an await: \(Trace.name)")
                    try await events.task(under: memory) { notes.add("in a task: \(Trace.name)") }.value
                    try events.addTimer(after: .seconds(1)) { _, _ in notes.add("in a handler: \(Trace.name)") }
                    try await events.sleep(for: .seconds(2))
                }
            }
            XCTAssertEqual(notes.lines, ["after an await: outer", "in a task: outer", "in a handler: none"])
        }
    }

    func testTheClockOfALoopMeasuresManualTime() throws {
        try onBothBackends { events, _, _ in
            let clock = try events.clock
            XCTAssertEqual(clock.minimumResolution, .nanoseconds(1))
            let elapsed = try events.run { try await clock.measure { try await events.sleep(for: .seconds(2)) } }
            XCTAssertEqual(elapsed, .seconds(2))
        }
    }

    func testASleepWithTheClockOfALoopIsCancelledAndEndsWithTheLoop() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            let clock = try events.clock
            let first = try events.task(under: memory) { try await Task.sleep(for: .seconds(100), clock: clock) }
            let second = try events.task(under: memory) {
                await notes.addError { try await Task.sleep(for: .seconds(100), clock: clock) }
                await notes.addError { try await Task.sleep(for: .seconds(100), clock: clock) }
            }
            try events.loopOnce()
            try events.loopOnce()
            first.cancel()
            try events.run { await notes.addError { try await first.value } }
            events.free()
            XCTAssertEqual(second.status, .done)
            XCTAssertEqual(notes.lines, ["cancelled", "loopEnded", "loopEnded"])
        }
    }
}

@concurrent private func concurrent(_ here: UInt) async { XCTAssertEqual(thisThread(), here, "@concurrent") }
private func threadOfChild() async -> UInt { thisThread() }
