import Chapter5Queues
import Talloc
import Tevent
import TeventExtras
import XCTest

/// Solutions to the chapter's exercises, and checks of what they must do.
final class ExerciseTests: QueueTestCase {
    func testAnEagerWriteHasBegunBeforeSendReturns() throws {
        try onEachBackend { bench in
            let short = try EagerWrite.send(
                bench.reader.message("A", pipefuls: 1), to: bench.reader.writer, through: bench.queue,
                on: bench.events, under: bench.memory)
            try bench.reader.read()
            XCTAssertEqual(bench.reader.letters, "A")
            short.setCallback { write in
                bench.log.add("A", "\(write.status)")
                write.free()
            }
            try bench.send("B", pipefuls: 1)
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["A done", "B done"])
        }
    }

    func testAnEagerWriteThatFailsAtOnceThrowsToItsCaller() throws {
        try onEachBackend { bench in
            bench.reader.stopReading()
            let write = try EagerWrite.send(
                [1], to: bench.reader.writer, through: bench.queue, on: bench.events, under: bench.memory)
            write.setCallback { bench.log.add("write", "\($0.status)") }
            try bench.run()
            XCTAssertEqual(bench.lines, ["write failed"])
        }
    }

    func testAFlushIsDoneWhenAllBeforeItIsWrittenAndDelaysNothing() throws {
        try onEachBackend { bench in
            try bench.send("A", pipefuls: 2)
            let flush = try Flush.send(bench.queue, on: bench.events, under: bench.memory)
            try bench.send("B", pipefuls: 1)
            flush.setCallback { bench.log.add("flush", "\($0.status)") }
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["A done", "flush done", "B done"])
        }
    }

    func testABoundedWriteFailsAtOnceWhenTooManyWait() throws {
        try onEachBackend { bench in
            for index in 1...4 {
                let write = try BoundedWrite.send(
                    [1], to: bench.reader.writer, through: bench.queue, atMost: 3, on: bench.events,
                    under: bench.memory)
                write.setCallback { write in
                    bench.log.add("\(index)", "\(write.status)")
                    write.free()
                }
            }
            try bench.run()
            XCTAssertEqual(Set(bench.lines), ["1 done", "2 done", "3 done", "4 failed"])
            XCTAssertEqual(bench.queue.length, 0)
        }
    }

    func testNoQuestionIsSentBeforeThePreviousAnswer() throws {
        try onEachBackend { bench in
            let (mine, theirs) = try SystemIO.socketPair()
            defer { for socket in [mine, theirs] { SystemIO.close(socket) } }
            // This side confuses questions that arrive together.
            let answering = try bench.events.addFD(theirs, .read, under: bench.memory) { _, _ in
                guard case .bytes(let question)? = try? SystemIO.read(theirs) else { return }
                _ = try? SystemIO.write(theirs, "\(String(decoding: question, as: UTF8.self))!".utf8)
            }
            for question in ["one", "two", "three"] {
                let ask = try Ask.send(
                    question, on: mine, through: bench.queue, on: bench.events, under: bench.memory)
                ask.setCallback { ask in
                    bench.log.add(question, sure { try ask.receive() })
                    ask.free()
                }
            }
            try bench.events.loop { bench.queue.length == 0 }
            XCTAssertEqual(bench.lines, ["one one!", "two two!", "three three!"])
            answering.free()
        }
    }

    func testStoppingAfterCancellingAlsoWorksBecauseTheLoopDoesNotRunInBetween() throws {
        try onEachBackend { bench in
            for name in "ABC" { try bench.send(name) }
            try bench.run()
            for entry in bench.queue.entries { entry.request.cancel() }
            bench.queue.stop()
            XCTAssertEqual(bench.lines, "ABC".map { "\($0) the request was cancelled" })
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.reader.letters, "A")
        }
    }

    func testSoManyAtATimeAndNoMore() throws {
        try onEachBackend { bench in
            let places = try Places(3, on: bench.events, under: bench.memory)
            var (present, most, gone) = (0, 0, 0)
            for _ in 1...10 {
                let place = try places.enter(under: bench.memory)
                place.setCallback { place in
                    present += 1
                    most = max(most, present)
                    _ = sure {
                        try bench.events.addTimer(after: .seconds(1), under: bench.memory) { _, _ in
                            present -= 1
                            gone += 1
                            place.free()
                        }
                    }
                }
            }
            var seconds = 0
            while try bench.run() == .timedOut {
                bench.clock.advance(by: .seconds(1))
                seconds += 1
            }
            XCTAssertEqual([most, gone, seconds], [3, 10, 4])
        }
    }
}

// MARK: A write that begins at once

private struct EagerWrite {
    let bytes: [UInt8]
    let descriptor: Int32
    let events: EventContext

    static func send(
        _ bytes: [UInt8], to descriptor: Int32, through queue: RequestQueue, on events: EventContext,
        under parent: some TallocObject
    ) throws(TeventError) -> Request<EagerWrite> {
        let request = try Request(EagerWrite(bytes: bytes, descriptor: descriptor, events: events), under: parent)
        _ = request.attempt { try queue.addOrStart(request, on: events, trigger: begin) }
        return request.isInProgress ? request : request.post(on: events)
    }

    private static func begin(_ request: Request<EagerWrite>) {
        let state = request.state
        let write = request.attempt {
            try WriteAll.send(state.bytes, to: state.descriptor, on: state.events, under: request)
        }
        write?.setCallback { write in
            if request.attempt({ try write.receive() }) != nil { request.finish() }
        }
    }
}

// MARK: A flush

private struct Flush {
    static func send(
        _ queue: RequestQueue, on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<Flush> {
        let request = try Request(Flush(), under: parent)
        let wait = request.attempt { try QueueWait.send(in: queue, on: events, under: request) }
        guard let wait else { return request.post(on: events) }
        wait.setCallback { wait in
            guard request.attempt({ try wait.receive() }) != nil else { return }
            wait.free()
            request.finish()
        }
        return request
    }
}

// MARK: A bounded queue

private struct BoundedWrite {
    struct QueueIsFull: Error {}

    static func send(
        _ bytes: [UInt8], to descriptor: Int32, through queue: RequestQueue, atMost limit: Int,
        on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<BoundedWrite> {
        let request = try Request(BoundedWrite(), under: parent)
        let write = request.attempt {
            guard queue.length < limit else { throw QueueIsFull() }
            return try QueuedWrite.send(bytes, to: descriptor, through: queue, on: events, under: request)
        }
        guard let write else { return request.post(on: events) }
        write.setCallback { write in
            guard request.attempt({ try write.receive() }) != nil else { return }
            write.free()
            request.finish()
        }
        return request
    }
}

// MARK: Question and answer

private struct Ask {
    let question: String
    let socket: Int32
    let events: EventContext
    var answer = ""

    static func send(
        _ question: String, on socket: Int32, through queue: RequestQueue, on events: EventContext,
        under parent: some TallocObject
    ) throws(TeventError) -> Request<Ask> {
        let request = try Request(Ask(question: question, socket: socket, events: events), under: parent)
        let entry = request.attempt { try queue.add(request, on: events, trigger: ask) }
        return entry == nil ? request.post(on: events) : request
    }

    private static func ask(_ request: Request<Ask>) {
        let state = request.state
        let write = request.attempt {
            try WriteAll.send(Array(state.question.utf8), to: state.socket, on: state.events, under: request)
        }
        write?.setCallback { write in
            guard request.attempt({ try write.receive() }) != nil else { return }
            write.free()
            listen(request)
        }
    }

    private static func listen(_ request: Request<Ask>) {
        let state = request.state
        let read = request.attempt {
            try Read.send(from: state.socket, upTo: 100, on: state.events, under: request)
        }
        read?.setCallback { read in
            guard let bytes = request.attempt({ try read.receive() }) else { return }
            request.state.answer = String(decoding: bytes ?? [], as: UTF8.self)
            request.finish()
        }
    }
}

extension Request<Ask> {
    fileprivate func receive() throws -> String { try receive { $0.answer } }
}

// MARK: At most so many at a time

private struct Places {
    let queues: [RequestQueue]
    let events: EventContext

    init(_ count: Int, on events: EventContext, under parent: some TallocObject) throws {
        queues = try (1...count).map { try RequestQueue(label: "place \($0)", under: parent) }
        self.events = events
    }

    func enter(under parent: some TallocObject) throws -> Request<QueueWait> {
        let shortest = queues.min { $0.length < $1.length } ?? queues[0]
        return try QueueWait.send(in: shortest, on: events, under: parent)
    }
}
