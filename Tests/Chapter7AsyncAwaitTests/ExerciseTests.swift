import Foundation
import Glibc
import Talloc
import TestSupport
import TeventTasks
import XCTest

/// Solutions to the exercises of the chapter; each needs only what the chapter teaches.
final class ExerciseTests: AsyncTestCase {
    /// Exercise 1: the pipe is written at 3 s, so the sleep ends at 5 s.
    func testExercise1ReadThenSleep() throws {
        try onEachBackend {
            let pipe = try SystemIO.pipe()
            defer { for descriptor in [pipe.reader, pipe.writer] { SystemIO.close(descriptor) } }
            try events.addTimer(after: .seconds(1)) { _, _ in self.note("timer") }
            try events.addTimer(after: .seconds(3)) { _, _ in
                self.note("timer writes")
                _ = try? SystemIO.write(pipe.writer, "hello".utf8)
            }
            try events.run {
                note("reads")
                _ = try await Read.send(from: pipe.reader, on: events, under: memory).value
                note("sleeps")
                try await events.sleep(for: .seconds(2))
                note("ends")
            }
            assertNotes(["0.0 reads", "1.0 timer", "3.0 timer writes", "3.0 sleeps", "5.0 ends"])
        }
    }

    /// Exercise 2: the wakeup of the second step is cancelled, and its error passes through.
    func testExercise2Tea() throws {
        try onEachBackend {
            for isCancelled in [false, true] {
                let tea = try events.task(under: memory) { try await self.makeTea() }
                tea.setCallback { tea in
                    do { self.note(try tea.receive()) } catch { self.note("\(error)") }
                    tea.free()
                }
                try events.run {
                    try await events.sleep(for: .seconds(4))
                    if isCancelled { tea.cancel() }
                    try await events.sleep(for: .seconds(6))
                }
            }
            assertNotes([
                "0.0 brews", "3.0 cools", "5.0 a cup of tea", "10.0 brews", "13.0 cools",
                "14.0 the request was cancelled",
            ])
        }
    }

    private func makeTea() async throws -> String {
        note("brews")
        try await events.sleep(for: .seconds(3))
        note("cools")
        try await events.sleep(for: .seconds(2))
        return "a cup of tea"
    }

    /// Exercise 3: a cancelled task stays cancelled, so its second sleep takes no time.
    func testExercise3ASleepInACancelledTask() throws {
        try onEachBackend {
            let task = try events.task(under: memory) {
                await self.noteResult {
                    try await Wakeup.send(after: .seconds(2), on: self.events, under: self.memory).value
                }
                await self.noteResult { try await self.events.sleep(for: .seconds(1)) }
            }
            try events.addTimer(after: .milliseconds(1500)) { _, _ in task.cancel() }
            try events.run { try await task.value }
            assertNotes(["1.5 the request was cancelled", "1.5 the request was cancelled"])
        }
    }

    /// Exercise 4: a function that returns a value after its deadline has returned a value.
    func testExercise4NeverMind() throws {
        try onEachBackend {
            try events.run {
                await noteResult {
                    try await withDeadline(after: .seconds(3), on: events) {
                        do { try await self.events.sleep(for: .seconds(5)) } catch { return "never mind" }
                        return "the answer"
                    }
                }
            }
            assertNotes(["3.0 never mind"])
        }
    }

    /// Exercise 5: the group waits for the others, which end when they are cancelled.
    func testExercise5Race() throws {
        try onEachBackend {
            try events.run {
                let winner = try await race(
                    [3, 1, 2].map { seconds in
                        {
                            do { try await self.events.sleep(for: .seconds(seconds)) } catch {
                                self.note("\(seconds) is cancelled")
                                throw error
                            }
                            return seconds
                        }
                    }, on: events)
                note("\(winner) wins")
            }
            XCTAssertEqual(notes.last, "1.0 1 wins", backend)
            XCTAssertEqual(Set(notes.dropLast()), ["1.0 2 is cancelled", "1.0 3 is cancelled"], backend)
        }
    }

    private func race<Value: Sendable>(_ runners: [() async throws -> Value], on events: EventContext) async throws
        -> Value
    {
        try await withThrowingTaskGroup(of: Value.self) { group in
            for runner in runners { try group.addTask(on: events, runner) }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw Oops() }
            return first
        }
    }

    /// Exercise 6: three tries with pauses of one second and two.
    func testExercise6Retry() throws {
        try onEachBackend {
            var failures = 2
            func work() async throws -> String {
                note("tries")
                failures -= 1
                guard failures < 0 else { throw Oops() }
                return "the result"
            }
            try events.run {
                await noteResult { try await retry(on: events, work) }
                failures = 3
                await noteResult { try await retry(on: events, work) }
            }
            assertNotes([
                "0.0 tries", "1.0 tries", "3.0 tries", "3.0 the result", "3.0 tries", "4.0 tries", "6.0 tries",
                "6.0 Oops()",
            ])
        }
    }

    private func retry<Value>(on events: EventContext, _ body: () async throws -> Value) async throws -> Value {
        for pause in [1, 2] {
            do { return try await body() } catch { try await events.sleep(for: .seconds(pause)) }
        }
        return try await body()
    }

    /// Exercise 7: the third line is known to be too long before it has ended.
    func testExercise7ALimitForLines() throws {
        try onEachBackend {
            let pipe = try SystemIO.pipe()
            defer { SystemIO.close(pipe.reader) }
            for (second, piece) in [(1, "one\ntw"), (2, "o\nthree")] {
                try events.addTimer(after: .seconds(second)) { _, _ in
                    _ = try? SystemIO.write(pipe.writer, piece.utf8)
                }
            }
            try events.addTimer(after: .seconds(3)) { _, _ in SystemIO.close(pipe.writer) }
            try events.run {
                await noteResult {
                    for try await line in events.lines(from: pipe.reader, limit: 4, under: memory) { note(line) }
                }
                try await events.sleep(for: .seconds(2))
            }
            assertNotes([
                "1.0 one", "2.0 two", "2.0 a line is longer than 4 bytes; give lines(from:limit:under:) a higher limit",
            ])
        }
    }

    /// Exercise 8: each message has its turn, so that none is mixed with another.
    func testExercise8TwoWritersOnOneSocket() throws {
        try onEachBackend {
            let (writer, reader) = try SystemIO.socketPair()
            defer { for descriptor in [writer, reader] { SystemIO.close(descriptor) } }
            let queue = try RequestQueue(label: "socket", under: memory)
            // More than a socket's buffer holds.
            let size = 300_000
            let tasks = try ["a", "b"].map { letter in
                try events.task(under: memory) {
                    let message = [UInt8](repeating: letter.utf8.first!, count: size)
                    for _ in 1...5 {
                        try await queue.withTurn(on: self.events, under: self.memory) { turn in
                            _ = try await WriteAll.send(message, to: writer, on: self.events, under: turn).value
                        }
                    }
                }
            }
            let received = try events.run {
                var received: [UInt8] = []
                for try await bytes in events.bytes(from: reader, under: memory) {
                    received += bytes
                    if received.count == 10 * size { break }
                }
                for task in tasks { try await task.value }
                return received
            }
            for message in 0..<10 {
                let bytes = received[(message * size)..<((message + 1) * size)]
                XCTAssertEqual(Set(bytes).count, 1, "message \(message) is mixed with another")
            }
        }
    }

    /// Exercise 9: the loop has its thread while the work, which ends only after the timers ran, is done elsewhere.
    func testExercise9WorkAside() throws {
        for backend in EventContext.backends {
            let events = try EventContext(backend: backend)
            defer { events.free() }
            let timersHaveRun = DispatchSemaphore(value: 0)
            var ran = 0
            for milliseconds in 1...4 {
                try events.addTimer(after: .milliseconds(milliseconds)) { _, _ in
                    ran += 1
                    if ran == 4 { timersHaveRun.signal() }
                }
            }
            let result = try events.run { try await aside { timersHaveRun.wait(timeout: .now() + 30) } }
            XCTAssertEqual(result, .success, "with \(backend), the work kept the loop from its timers")
            XCTAssertEqual(ran, 4)
        }
    }

    /// Exercise 10: a deadline around each read, not around the client.
    func testExercise10ASilentClientIsCutOff() throws {
        try onEachBackend {
            let (client, socket) = try SystemIO.socketPair()
            defer { SystemIO.close(client) }
            for second in [50, 100] {
                try events.addTimer(after: .seconds(second)) { _, _ in _ = try? SystemIO.write(client, "hello".utf8) }
            }
            try events.run {
                await noteResult { try await self.echoUnlessSilent(socket) }
                guard case .bytes(let bytes) = try SystemIO.read(client) else { return XCTFail("no echo") }
                XCTAssertEqual(String(decoding: bytes, as: UTF8.self), "hellohello")
            }
            assertNotes(["160.0 the request did not end in time"])
        }
    }

    private func echoUnlessSilent(_ socket: Int32) async throws {
        try events.hold(socket, under: memory).setAutoClose()
        let events = events!
        let memory = memory!
        while let bytes = try await withDeadline(
            after: .seconds(60), on: events, { try await Read.send(from: socket, on: events, under: memory).value })
        {
            _ = try await WriteAll.send(bytes, to: socket, on: events, under: memory).value
        }
    }

    /// Exercise 11: the clients hang below the program, so that only accepting ends.
    func testExercise11ClientsFinishAfterTheInterrupt() throws {
        try onEachBackend {
            let server = try TallocContext(under: memory, named: "server")
            let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
            try events.hold(listener, under: server).setAutoClose()
            let address = try SystemIO.localAddress(of: listener)
            let (events, memory) = (events!, memory!)
            var clients: [Request<TaskWork<Int>>] = []
            let serving = try events.task(under: server) {
                for try await (socket, _) in events.connections(to: listener, under: server) {
                    clients.append(try events.task(under: memory) { try await self.echo(socket) })
                }
            }
            let stopping = try events.task(under: server) {
                for try await _ in try events.signals(.interrupt, under: server) {
                    serving.cancel()
                    return
                }
            }
            try events.run {
                let client = try await Connect.send(to: address, on: events, under: memory).value
                defer { SystemIO.close(client) }
                while clients.isEmpty { try await events.sleep(for: .milliseconds(1)) }
                kill(getpid(), SIGINT)
                await noteResult { try await serving.value }
                try await stopping.value
                _ = try await WriteAll.send(Array("hello".utf8), to: client, on: events, under: memory).value
                try SystemIO.shutdownWriting(client)
                let echoed = try await clients[0].value
                XCTAssertEqual(echoed, 5, backend)
                server.free()
            }
            XCTAssert(notes.last?.hasSuffix("the request was cancelled") ?? false, "\(notes)")
        }
    }

    private func echo(_ socket: Int32) async throws -> Int {
        let events = events!
        let client = try TallocContext(under: memory, named: "client")
        defer { client.free() }
        try events.hold(socket, under: client).setAutoClose()
        var echoed = 0
        for try await bytes in events.bytes(from: socket, under: client) {
            echoed += try await WriteAll.send(bytes, to: socket, on: events, under: client).value
        }
        return echoed
    }

    /// Exercise 12: what crosses is `Sendable`, so no block of memory is needed.
    func testExercise12AQuestionWithAsk() throws {
        for backend in EventContext.backends {
            let events = try EventContext(backend: backend)
            defer { events.free() }
            events.maximumWait = .seconds(30)
            let proxy = try ThreadInbox(on: events).proxy
            let thread = try SystemThread(named: "child") {
                let events = try EventContext(backend: backend)
                defer { events.free() }
                let number = 21
                return try events.run { try await proxy.ask { _ in 2 * number } }
            }
            XCTAssertEqual(try events.loopOnce(), .handled, backend)
            XCTAssertEqual(try thread.join(), 42, backend)
        }
    }
}
