import Glibc
import TestSupport
import TeventTasks
import XCTest

/// What a loop gives again and again.
final class SequenceTests: TaskTestCase {
    private func withSockets(_ body: (Int32, Int32) throws -> Void) throws {
        let (one, other) = try SystemIO.socketPair()
        defer { SystemIO.close(one) }
        try body(one, other)
    }

    func testBytesComePieceByPieceUntilTheEnd() throws {
        try onBothBackends { events, memory, _ in
            try self.withSockets { one, other in
                let notes = Notes()
                try events.run {
                    _ = try events.hold(one, under: memory)
                    let writer = try events.task(under: memory) {
                        for text in ["one", "two"] {
                            _ = try await WriteAll.send(Array(text.utf8), to: other, on: events, under: memory).value
                            try await events.sleep(for: .seconds(1))
                        }
                        SystemIO.close(other)
                    }
                    for try await bytes in events.bytes(from: one, under: memory) {
                        notes.add(String(decoding: bytes, as: UTF8.self))
                    }
                    try await writer.value
                }
                XCTAssertEqual(notes.lines, ["one", "two"])
            }
        }
    }

    func testLinesComeWithoutTheirBreaks() throws {
        try onBothBackends { events, memory, _ in
            try self.withSockets { one, other in
                let notes = Notes()
                _ = try SystemIO.write(other, Array("one\n\ntwo\nthree".utf8))
                SystemIO.close(other)
                try events.run {
                    for try await line in events.lines(from: one, under: memory) { notes.add(line) }
                }
                XCTAssertEqual(notes.lines, ["one", "", "two", "three"])
            }
        }
    }

    func testALineBeyondTheLimitEndsTheIteration() throws {
        try onBothBackends { events, memory, _ in
            try self.withSockets { one, other in
                _ = try SystemIO.write(other, Array("1234\n12345\n".utf8))
                let lines = events.lines(from: one, limit: 4, under: memory)
                let notes = Notes()
                XCTAssertThrowsError(try events.run { for try await line in lines { notes.add(line) } }) {
                    XCTAssertEqual(($0 as? LineTooLongError)?.limit, 4)
                }
                XCTAssertEqual(notes.lines, ["1234"])
                SystemIO.close(other)
            }
        }
    }

    func testConnectionsAreAccepted() throws {
        try onBothBackends { events, memory, _ in
            let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
            let address = try SystemIO.localAddress(of: listener)
            defer { SystemIO.close(listener) }
            try events.run {
                var sockets: [Int32] = []
                for _ in 0..<2 { sockets.append(try await Connect.send(to: address, on: events, under: memory).value) }
                for try await (socket, _) in events.connections(to: listener, under: memory).prefix(2) {
                    sockets.append(socket)
                }
                XCTAssertEqual(sockets.count, 4)
                for socket in sockets { SystemIO.close(socket) }
            }
        }
    }

    func testReadinessIsAskedForOnlyWhileATaskWaits() throws {
        try onBothBackends { events, memory, _ in
            try self.withSockets { one, other in
                defer { SystemIO.close(other) }
                _ = try SystemIO.write(other, [1])
                var count = 0
                try events.run {
                    for try await flags in try events.readiness(of: one, for: .read, under: memory) {
                        XCTAssertEqual(flags, .read)
                        XCTAssertEqual(events.descriptors.map(\.flags), [[]])
                        count += 1
                        if count == 2 { break }
                        try await events.sleep(for: .seconds(1))
                    }
                }
                XCTAssertEqual(count, 2)
            }
        }
    }

    func testTicksDoNotDrift() throws {
        try onBothBackends { events, memory, clock in
            let start = clock.now
            var times: [Duration] = []
            try events.run {
                for try await time in events.ticks(every: .seconds(1), under: memory).prefix(3) {
                    times.append(start.duration(to: time))
                    clock.advance(by: .milliseconds(500))
                }
            }
            XCTAssertEqual(times, [.seconds(1), .seconds(2), .seconds(3)])
        }
    }

    func testSignalsThatComeBeforeATaskAsksCountAsOne() throws {
        try onBothBackends { events, memory, _ in
            try events.run {
                var iterator = try events.signals(.user1, under: memory).makeAsyncIterator()
                for _ in 0..<2 {
                    raise(SIGUSR1)
                    try await events.sleep(for: .seconds(1))
                }
                let first = try await iterator.next()
                XCTAssertEqual(first?.count, 2)
                try events.addTimer(after: .seconds(1)) { _, _ in raise(SIGUSR1) }
                let second = try await iterator.next()
                XCTAssertEqual(second?.count, 1)
            }
        }
    }

    func testMessagesOfAnotherThreadComeInOrder() throws {
        try onBothBackends { events, _, _ in
            let sum = try events.run {
                let numbers = try Messages<Int>(on: events)
                let sender = numbers.sender
                let thread = try SystemThread(named: "sender") { for number in 1...100 { try sender.send(number) } }
                var received: [Int] = []
                for try await number in numbers.prefix(100) { received.append(number) }
                try thread.join()
                XCTAssertEqual(received, Array(1...100))
                numbers.free()
                XCTAssertTrue(sender.isClosed)
                XCTAssertThrowsError(try sender.send(1)) { XCTAssertTrue($0 is LoopEndedError<Int>) }
                return received.reduce(0, +)
            }
            XCTAssertEqual(sum, 5050)
        }
    }

    func testAQueueGivesOneTurnAfterTheOther() throws {
        try onBothBackends { events, memory, _ in
            let queue = try RequestQueue(label: "turns", under: memory)
            let notes = Notes()
            try events.run {
                let tasks = try (1...3).map { number in
                    try events.task(under: memory) {
                        try await queue.withTurn(on: events, under: memory) { _ in
                            notes.add("\(number) begins")
                            try await events.sleep(for: .seconds(1))
                            notes.add("\(number) ends")
                        }
                    }
                }
                await Task.yield()
                tasks[1].cancel()
                for task in tasks { try? await task.value }
                let turn = try await queue.turn(on: events, under: memory)
                XCTAssertEqual(queue.length, 1)
                turn.free()
            }
            XCTAssertEqual(queue.length, 0)
            XCTAssertEqual(notes.lines, ["1 begins", "1 ends", "3 begins", "3 ends"])
        }
    }

    func testAnotherThreadAnswersAQuestion() throws {
        try onBothBackends { events, _, _ in
            let proxies = Channel()
            let thread = try SystemThread(named: "answerer") {
                let events = try EventContext()
                defer { events.free() }
                let inbox = try ThreadInbox(on: events)
                proxies.put(inbox.proxy)
                try events.loopWait()
            }
            let proxy = proxies.take()
            let notes = Notes()
            try events.run {
                let answer = try await proxy.ask { _ in 42 }
                notes.add("\(answer)")
                await notes.addError { try await proxy.ask { _ in throw RequestError.code(7) } }
                // The loop stops, and is freed, before it comes to the second question.
                let last = try events.task(under: events) { try await proxy.ask { $0.stop() } }
                let unanswered = try events.task(under: events) { _ = try await proxy.ask { _ in 1 } }
                try await last.value
                try thread.join()
                await notes.addError { try await unanswered.value }
                await notes.addError { _ = try await proxy.ask { _ in 1 } }
            }
            XCTAssertEqual(notes.lines.first, "42")
            XCTAssertEqual(notes.lines[1], "code 7")
            XCTAssertTrue(["unanswered", "no error"].contains(notes.lines[2]))
            XCTAssertEqual(notes.lines[3], "unanswered")
        }
    }
}

/// Passes a proxy to another thread.
private final class Channel: @unchecked Sendable {
    private let gate = Gate()
    private var proxy: ThreadProxy?

    func put(_ proxy: ThreadProxy) {
        self.proxy = proxy
        gate.open()
    }

    func take() -> ThreadProxy {
        gate.wait()
        return proxy.unsafelyUnwrapped
    }
}
