import TestSupport
import XCTest

@testable import TeventTasks

/// How a task waits for a request.
final class AwaitTests: TaskTestCase {
    func testValueReceivesAndFreesARequest() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                let request = try Wakeup.send(after: .seconds(1), on: events, under: memory)
                try await request.value
                XCTAssertTrue(request.isFreed)
            }
        }
    }

    func testARequestOfTheProgramsOwnHasAValue() throws {
        struct Addition: ReceivableState {
            var sum = 0
            static func receive(_ request: Request<Addition>) throws -> Int { try request.receive { $0.sum } }
        }
        try onBothBackends { events, memory, _ in
            try events.run {
                let request = try Request(Addition(), under: memory)
                try events.addTimer(after: .seconds(1)) { _, _ in
                    request.state.sum = 3
                    request.finish()
                }
                let sum = try await request.value
                XCTAssertEqual(sum, 3)
                let plain = try Request("text", under: memory)
                plain.finish()
                let text = try await plain.value
                XCTAssertEqual(text, "text")
            }
        }
    }

    func testValueThrowsTheErrorOfTheRequestAndFreesIt() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                let request = try Request(0, under: memory)
                try events.addTimer(after: .seconds(1)) { _, _ in request.fail(code: 7) }
                let notes = Notes()
                await notes.addError { _ = try await request.value }
                XCTAssertEqual(notes.lines, ["code 7"])
                XCTAssertTrue(request.isFreed)
            }
        }
    }

    func testARequestThatIsFreedWhileAwaitedThrowsFreed() throws {
        try onBothBackends { events, memory, _ in
            let below = try TallocContext(under: memory)
            try events.run {
                let notes = Notes()
                let request = try Wakeup.send(after: .seconds(100), on: events, under: memory)
                try events.addTimer(after: .seconds(1)) { _, _ in request.free() }
                await notes.addError { try await request.value }
                try events.addTimer(after: .seconds(1)) { _, _ in below.free() }
                await notes.addError { try await Wakeup.send(after: .seconds(100), on: events, under: below).value }
                let received = try Wakeup.send(after: .seconds(100), on: events, under: memory)
                try events.addTimer(after: .seconds(1)) { _, _ in received.discard() }
                await notes.addError { try await received.value }
                XCTAssertEqual(notes.lines, ["freed", "freed", "freed"])
                XCTAssertFalse(received.isFreed)
                received.free()
            }
        }
    }

    func testARequestThatHasEndedCostsNoTurnAndCallsNoFunction() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                let notes = Notes()
                let request = try Request(7, under: memory)
                request.finish()
                request.post(on: events)
                request.setCallback { _ in notes.add("called") }
                let immediate = try ImmediateEvent(under: memory)
                immediate.schedule(on: events) { _, _ in notes.add("another turn") }
                try await request.ended()
                notes.add("ended")
                await Task.yield()
                XCTAssertEqual(notes.lines, ["ended", "another turn"])
                request.free()
                immediate.free()
            }
        }
    }

    // MARK: Giving way

    /// Adds an event of each kind that is ready.
    private func addReady(to events: EventContext, _ notes: Notes) throws -> (reader: Int32, writer: Int32) {
        let pipe = try SystemIO.pipe()
        _ = try SystemIO.write(pipe.writer, [1])
        try events.addFD(pipe.reader, .read) { event, _ in
            notes.add("descriptor")
            event.free()
        }
        try events.addTimer(at: .zero) { _, _ in notes.add("timer") }
        try ImmediateEvent(under: events).schedule(on: events) { _, _ in notes.add("immediate") }
        return pipe
    }

    func testWhatHasEndedIsAwaited64TimesBeforeAllElseGetsItsTurn() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                let notes = Notes()
                let pipe = try self.addReady(to: events, notes)
                var awaits = 0
                while notes.lines.isEmpty, awaits < 1000 {
                    let request = try Request(awaits, under: memory)
                    request.finish()
                    _ = try await request.value
                    awaits += 1
                }
                XCTAssertEqual(notes.lines, ["immediate", "timer", "descriptor"])
                XCTAssertEqual(awaits, 65)
                SystemIO.close(pipe.reader)
                SystemIO.close(pipe.writer)
            }
        }
    }

    func testYieldingLetsEverythingRunThatIsReady() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            let pipe = try self.addReady(to: events, notes)
            let other = try events.task(under: memory) {
                notes.add("task")
                try await events.yield()
                notes.add("task again")
            }
            try events.run {
                for _ in 0..<2 {
                    try await events.yield()
                    notes.add("yielded")
                }
            }
            XCTAssertEqual(
                notes.lines, ["immediate", "task", "timer", "descriptor", "task again", "yielded", "yielded"])
            XCTAssertFalse(other.isInProgress)
            SystemIO.close(pipe.reader)
            SystemIO.close(pipe.writer)
        }
    }

    func testATaskThatGivesWayContinuesAlthoughAllBelowItsContextIsFreed() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            let work = try events.task(under: memory) {
                for _ in 0..<2 {
                    await notes.addError { try await events.yield() }
                }
            }
            try events.loopOnce()
            events.freeChildren()
            for _ in 0..<10 where work.isInProgress { try events.loopOnce() }
            XCTAssertEqual(notes.lines, ["no error", "no error"])
            work.free()
        }
    }

    func testAContextThatIsFreedEndsATaskThatGivesWay() throws {
        try onBothBackends { events, memory, _ in
            let notes = Notes()
            let work = try events.task(under: memory) {
                try ImmediateEvent(under: memory).schedule(on: events) { _, events in events.free() }
                await notes.addError { try await events.yield() }
            }
            XCTAssertEqual(try events.loopWait(), .contextFreed)
            XCTAssertEqual(notes.lines, ["loopEnded"])
            work.free()
        }
    }

    func testARequestThatDefersItsCallbackResumesTheTask() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                let request = try Request(7, under: memory)
                request.deferCallback(on: events)
                try events.addTimer(after: .seconds(1)) { _, _ in request.finish() }
                let value = try await request.value
                XCTAssertEqual(value, 7)
            }
        }
    }

    func testATaskContinuesAlthoughTheLoopThatWasToCallTheCallbackIsGone() throws {
        try onBothBackends { events, memory, clock in
            let others = try EventContext(under: memory, clock: clock)
            try events.run {
                let request = try Request(7, under: memory)
                request.deferCallback(on: others)
                try events.addTimer(after: .seconds(1)) { _, _ in
                    others.free()
                    request.finish()
                }
                // Otherwise the task would wait without end.
                try events.addTimer(after: .seconds(2)) { _, _ in if !request.isFreed { request.free() } }
                let value = try await request.value
                XCTAssertEqual(value, 7)
            }
        }
    }

    func testARequestThatEndsBetweenTheQuestionAndTheRegistrationResumesTheTask() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                let request = try Request(7, under: memory)
                let wait = prepareToAwait(request.tallocHandle)
                XCTAssertTrue(wait.isNecessary)
                await withUnsafeContinuation {
                    request.finish()
                    beginToAwait(request.tallocHandle, wait, $0)
                }
                try checkEnd(of: request.tallocHandle)
                XCTAssertEqual(try request.receive(), 7)
                request.free()
            }
        }
    }

    func testProgressDoesNotResume() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                let notes = Notes()
                let request = try Request(7, under: memory)
                try events.addTimer(after: .seconds(1)) { _, _ in
                    notes.add("progress")
                    request.notify()
                }
                try events.addTimer(after: .seconds(2)) { _, _ in
                    notes.add("end")
                    request.finish()
                }
                _ = try await request.value
                notes.add("resumed")
                XCTAssertEqual(notes.lines, ["progress", "end", "resumed"])
            }
        }
    }

    func testATaskThatAwaitsWhatHasEndedGivesWayAfterManyTimes() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                var hasRun = false
                let immediate = try ImmediateEvent(under: memory)
                immediate.schedule(on: events) { _, _ in hasRun = true }
                var count = 0
                while !hasRun, count < 1000 {
                    let request = try Request(7, under: memory)
                    request.finish()
                    _ = try await request.value
                    count += 1
                }
                XCTAssertEqual(count, 65)
                immediate.free()
            }
        }
    }

    func testACallbackSetBeforeIsReleasedAndNotCalled() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                let notes = Notes()
                let request = try Request(7, under: memory)
                let token = Token { notes.add("released") }
                request.setCallback { _ in notes.add("called \(token)") }
                try events.addTimer(after: .seconds(1)) { _, _ in
                    notes.add("end")
                    request.finish()
                }
                _ = try await self.wait(request, token)
                XCTAssertEqual(notes.lines, ["end"])
            }
        }
    }

    private func wait(_ request: Request<Int>, _ token: consuming Token) async throws -> Int { try await request.value }

    func testAnAwaitOfSwiftsOwnChildTaskIsCancelledToo() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                let executorTask = try events.task(under: memory) {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        let clock = try events.clock
                        group.addTask { try await Task.sleep(for: .seconds(100), clock: clock) }
                        try await group.waitForAll()
                    }
                }
                await Task.yield()
                await Task.yield()
                executorTask.cancel()
                let notes = Notes()
                await notes.addError { try await executorTask.value }
                XCTAssertEqual(notes.lines, ["cancelled"])
            }
        }
    }
}
