import Chapter6Threads
import Talloc
import Tevent
import TeventExtras
import XCTest

/// Solutions to exercises of the chapter; each needs only what the chapter teaches.
final class ExerciseTests: ThreadsTestCase {
    /// Exercise 1: what one thread sends stays in order, and the last sender frees the inbox.
    func testExercise1EachOfTwoSendersIsHeardInItsOrder() throws {
        struct Heard {
            var numbers: [Int] = []
            var ended = 0
            var inbox: ThreadInbox?
        }
        try onEachBackend {
            let heard = try TallocChunk(Heard(), under: memory)
            events.move(under: heard)
            let inbox = try ThreadInbox(on: events)
            heard.value.inbox = inbox
            let proxy = inbox.proxy
            let threads = try [0, 1000].map { first in
                try SystemThread(named: "sender") {
                    for number in first..<(first + 100) {
                        try proxy.schedule { $0.owner(as: Heard.self).value.numbers.append(number) }
                    }
                    try proxy.schedule { events in
                        let heard = events.owner(as: Heard.self)
                        heard.value.ended += 1
                        if heard.value.ended == 2 { heard.value.inbox?.free() }
                    }
                }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            for thread in threads { try thread.join() }
            XCTAssertEqual(heard.value.numbers.filter { $0 < 1000 }, Array(0..<100))
            XCTAssertEqual(heard.value.numbers.filter { $0 >= 1000 }, Array(1000..<1100))
        }
    }

    /// Exercise 3: a function that schedules itself on the other side.
    func testExercise3ANumberGoesBackAndForthBetweenTwoWorkers() throws {
        @Sendable
        func pass(_ number: Int, to next: ThreadProxy, from here: ThreadProxy, _ reply: Reply<Int>) {
            guard number < 1000 else { return reply.send(number) }
            try? next.schedule { _ in pass(number + 1, to: here, from: next, reply) }
        }
        try onEachBackend {
            let workers = try ["ping", "pong"].map { try Worker(named: $0, backend: backend) { _ in } }
            let (ping, pong) = (workers[0].proxy, workers[1].proxy)
            let end: Request<Answer<Int>> = try Answer.send(to: ping, on: events, under: memory) { _, reply in
                pass(0, to: pong, from: ping, reply)
            }
            XCTAssertEqual(try answer(of: end), 1000)
            for worker in workers { worker.stop() }
            for worker in workers { try worker.join() }
        }
    }

    /// Exercise 5: the request times out, and the late answer finds its inbox closed.
    func testExercise5AnAnswerThatTakesTooLong() throws {
        try onEachBackend {
            let worker = try Worker(named: "slow", backend: backend) { _ in [Reply<Int>]() }
            let question: Request<Answer<Int>> = try worker.ask(on: events, under: memory) { _, kept, reply in
                kept.value.append(reply)
            }
            try question.setEndTime(after: .milliseconds(10), on: events)
            XCTAssertThrowsError(try answer(of: question)) { XCTAssertEqual($0 as? RequestError, .timedOut) }
            let blocks = memory.totalBlocks
            XCTAssertEqual(
                try worker.askAndWait { _, kept in
                    for reply in kept.value { reply.send(1) }
                    return kept.value.count
                }, 1)
            XCTAssertEqual(memory.totalBlocks, blocks)
            worker.stop()
            try worker.join()
        }
    }

    /// Exercise 6: the answer to one message releases the next one.
    func testExercise6AtMostTenMessagesAreUnderWay() throws {
        final class Sender {
            let worker: Worker<Int>
            let events: EventContext
            var (left, underWay, most, answered) = (500, 0, 0, 0)

            init(_ worker: Worker<Int>, _ events: EventContext) {
                self.worker = worker
                self.events = events
            }

            func sendMore() throws {
                while left > 0, underWay < 10 {
                    left -= 1
                    underWay += 1
                    most = max(most, underWay)
                    let request: Request<Answer<Int>> = try worker.ask(on: events, under: events) { _, count, reply in
                        count.value += 1
                        reply.send(count.value)
                    }
                    request.setCallback { [unowned self] request in
                        answered += 1
                        underWay -= 1
                        do {
                            XCTAssertEqual(try request.receive(), answered)
                            request.free()
                            try sendMore()
                        } catch { XCTFail("\(error)") }
                    }
                }
            }
        }
        try onEachBackend {
            let worker = try Worker(named: "receiver", backend: backend) { _ in 0 }
            let sender = Sender(worker, events)
            try sender.sendMore()
            XCTAssertEqual(try events.loop { sender.answered == 500 }, .finished)
            XCTAssertEqual(sender.most, 10)
            worker.stop()
            try worker.join()
        }
    }

    /// Exercise 7: a log in one thread; all lines are written before the end, those of each thread in order.
    func testExercise7ALogOfManyThreadsLosesNothing() throws {
        try onEachBackend {
            let pipe = try SystemIO.pipe()
            let log = try Worker(named: "log", backend: backend) { _ in pipe.writer }
            let threads = try (0..<4).map { thread in
                try SystemThread(named: "thread \(thread)") {
                    for line in 0..<50 {
                        try log.schedule { _, file in
                            _ = try? SystemIO.write(file.value, "\(thread) \(line)\n".utf8)
                        }
                    }
                }
            }
            for thread in threads { try thread.join() }
            log.stop()
            try log.join()
            SystemIO.close(pipe.writer)
            var text: [UInt8] = []
            while case .bytes(let bytes) = try SystemIO.read(pipe.reader) { text += bytes }
            SystemIO.close(pipe.reader)
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
            XCTAssertEqual(lines.count, 200)
            for thread in 0..<4 {
                XCTAssertEqual(lines.filter { $0.hasPrefix("\(thread) ") }, (0..<50).map { "\(thread) \($0)" })
            }
        }
    }
}
