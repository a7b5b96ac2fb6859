import Chapter6Threads
import Talloc
import Tevent
import TeventExtras
import XCTest

/// Questions to another thread, and the answers.
final class AnswerTests: ThreadsTestCase {
    private var worker: Worker<[Int]>!

    /// Runs a test with a worker that has three numbers.
    private func withWorker(line: UInt = #line, _ test: () throws -> Void) throws {
        try onEachBackend(line: line) {
            worker = try Worker(named: "test", backend: backend) { _ in [1, 2, 3] }
            defer { worker = nil }
            try test()
            worker.stop()
            try worker.join()
        }
    }

    private func askSum() throws -> Request<Answer<Int>> {
        try worker.ask(on: events, under: memory) { _, numbers, reply in reply.send(numbers.value.reduce(0, +)) }
    }

    func testAnAnswerEndsTheRequest() throws {
        try withWorker {
            XCTAssertEqual(try answer(of: askSum()), 6)
        }
    }

    func testTheCallbackRunsOnTheAskersLoopAndMayFreeTheRequest() throws {
        try withWorker {
            let asker = Thread.current
            let request = try askSum()
            var sum: Int?
            request.setCallback { request in
                XCTAssertEqual(Thread.current, asker)
                sum = try? request.receive()
                request.free()
            }
            XCTAssertEqual(try events.loop { sum != nil }, .finished)
            XCTAssertEqual(sum, 6)
        }
    }

    func testAnErrorIsAnAnswerToo() throws {
        try withWorker {
            let request: Request<Answer<Int>> = try worker.ask(on: events, under: memory) { _, _, reply in
                reply.send(.failure(Oops()))
            }
            XCTAssertThrowsError(try answer(of: request)) { XCTAssertEqual($0 as? Oops, Oops()) }
        }
    }

    func testAReplyMayBeKeptAndUsedLaterByAThirdThread() throws {
        try withWorker {
            let other = try Worker(named: "third", backend: backend) { _ in }
            let request: Request<Answer<String>> = try worker.ask(on: events, under: memory) { _, _, reply in
                try? other.schedule { _, _ in reply.send("from the third") }
            }
            XCTAssertEqual(try answer(of: request), "from the third")
            other.stop()
            try other.join()
        }
    }

    func testOnlyTheFirstAnswerCounts() throws {
        try withWorker {
            let request: Request<Answer<Int>> = try worker.ask(on: events, under: memory) { _, _, reply in
                for number in 1...3 { reply.send(number) }
            }
            XCTAssertEqual(try answer(of: request), 1)
            // Any others still in transit would arrive before this one.
            XCTAssertEqual(try answer(of: askSum()), 6)
        }
    }

    func testAnAnswerIsOneMessageAlsoWhenTheReplyIsReleased() throws {
        try onEachBackend {
            let request: Request<Answer<Int>>
            do {
                let reply: Reply<Int>
                (request, reply) = try Answer<Int>.expect(on: events, under: memory)
                reply.send(1)
            }
            events.maximumWait = .zero
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(try events.loopOnce(), .timedOut, "there was a second message")
            XCTAssertEqual(try request.receive(), 1)
        }
    }

    // MARK: No answer

    func testAForgottenReplyIsAnError() throws {
        try withWorker {
            let request: Request<Answer<Int>> = try worker.ask(on: events, under: memory) { _, _, _ in }
            XCTAssertThrowsError(try answer(of: request)) { XCTAssert($0 is UnansweredError, "\($0)") }
        }
    }

    func testALoopThatEndsBeforeItComesToTheQuestionIsAnError() throws {
        try withWorker {
            // The worker itself sends this, so it certainly comes after the end.
            let request: Request<Answer<Int>> = try worker.ask(on: events, under: memory) { events, _, reply in
                events.stop()
                try? ThreadInbox(on: events).proxy.schedule { _ in reply.send(7) }
            }
            XCTAssertThrowsError(try answer(of: request)) { XCTAssert($0 is UnansweredError, "\($0)") }
        }
    }

    func testALoopThatHasEndedIsAnErrorThatArrivesFromTheLoop() throws {
        try withWorker {
            worker.stop()
            try worker.join()
            let request = try askSum()
            XCTAssertEqual(request.status, .failed)
            var failure: (any Error)?
            request.setCallback { request in
                do { _ = try request.receive() } catch { failure = error }
            }
            XCTAssertNil(failure, "not before send has returned")
            try events.loop { failure != nil }
            XCTAssert(failure is LoopEndedError<Void>, "\(String(describing: failure))")
        }
    }

    // MARK: No request waits

    func testARequestThatIsFreedReleasesItsAnswer() throws {
        try withWorker {
            let before = memory.totalBlocks
            let request = try askSum()
            request.free()
            // Whatever the first answer was, the second comes after it.
            XCTAssertEqual(try answer(of: askSum()), 6)
            XCTAssertEqual(memory.totalBlocks, before)
        }
    }

    func testAnAnswerThatComesTooLateIsReleased() throws {
        try withWorker {
            let request = try askSum()
            try request.setEndTime(after: .zero, on: events)
            // The first turn finds the answer or the end time; the second must not trap on an ended request.
            try request.poll(on: events)
            XCTAssertEqual(try answer(of: askSum()), 6)
            request.free()
        }
    }

    func testAReplyThatOutlivesTheAskersLoopIsReleased() throws {
        try onEachBackend {
            let asker = try EventContext(backend: backend)
            let (request, reply) = try Answer<Int>.expect(on: asker, under: asker)
            XCTAssert(request.isInProgress)
            asker.free()
            reply.send(1)
        }
    }

    func testNothingIsLeftOfAQuestion() throws {
        try withWorker {
            _ = try answer(of: askSum())
            let before = memory.totalBlocks
            for _ in 1...100 { _ = try answer(of: askSum()) }
            XCTAssertEqual(memory.totalBlocks, before)
        }
    }

    func testWithoutMemoryTheRequestFailsAndNothingIsLeft() throws {
        try withWorker {
            let poor = try TallocContext(under: memory)
            try poor.setMemoryLimit(bytes: 1)
            XCTAssertThrowsError(
                try Answer<Int>.send(to: worker.proxy, on: events, under: poor) { _, reply in reply.send(1) })
            XCTAssertThrowsError(try Answer<Int>.expect(on: events, under: poor))
            XCTAssertEqual(poor.totalBlocks, 1)
            poor.free()
        }
    }
}
