import Chapter1ContextAndLoops
import Chapter2Events
import Chapter4Requests
import Talloc
import Tevent
import TeventExtras
import XCTest

/// Solutions to exercises of the chapter; each needs only what the chapter teaches.
final class ExerciseTests: XCTestCase {
    /// Exercise 2: one after another, each started when the one before is done.
    func testExercise2ManyStepsOneAfterAnother() throws {
        struct Sum {
            var left: [Int]
            var sum = 0

            static func send(
                _ numbers: [Int], on events: EventContext, under parent: some TallocObject
            ) throws(TeventError) -> Request<Sum> {
                let request = try Request(Sum(left: numbers), under: parent)
                next(request, on: events)
                return request.isInProgress ? request : request.post(on: events)
            }

            private static func next(_ request: Request<Sum>, on events: EventContext) {
                guard let number = request.state.left.popLast() else { return request.finish() }
                let step = request.attempt { try Delay.send(.seconds(1), value: number, on: events, under: request) }
                step?.setCallback { step in
                    guard let value = request.attempt({ try step.receive() }) else { return }
                    step.free()
                    request.state.sum += value
                    next(request, on: events)
                }
            }
        }
        for (numbers, sum, time) in [([1, 2, 3], 6, 3), ([], 0, 0)] {
            try onEachBackend { bench in
                let request = try Sum.send(numbers, on: bench.events, under: bench.memory)
                bench.logEnd(of: request) { try $0.receive { $0.sum } }
                try bench.run()
                XCTAssertEqual(bench.log.lines, ["callback done", "receive \(sum)"])
                XCTAssertEqual(bench.log.entries[0].time, .seconds(time))
            }
        }
    }

    /// Exercise 3: the first of two wins, and receiving frees the other.
    func testExercise3TheFasterOfTwoWinsAndTheOtherIsFreed() throws {
        struct Race {
            var winner = 0

            static func send(
                _ times: [Duration], on events: EventContext, under parent: some TallocObject
            ) throws(TeventError) -> Request<Race> {
                let request = try Request(Race(), under: parent)
                let runners: Void? = request.attempt {
                    for (index, time) in times.enumerated() {
                        try Delay.send(time, value: index, on: events, under: request).setCallback { runner in
                            guard let value = request.attempt({ try runner.receive() }) else { return }
                            request.state.winner = value
                            request.finish()
                        }
                    }
                }
                return runners == nil ? request.post(on: events) : request
            }
        }
        try onEachBackend { bench in
            let request = try Race.send([.seconds(3), .seconds(1)], on: bench.events, under: bench.memory)
            bench.logEnd(of: request) { try $0.receive { $0.winner } }
            try bench.run()
            XCTAssertEqual(bench.log.lines, ["callback done", "receive 1"])
            bench.log.add("loop", "has ended")
            XCTAssertEqual(bench.log.entries.map(\.time), [.seconds(1), .seconds(1), .seconds(1)])
        }
    }

    /// Exercise 4: tries again after one second, then two, then four, and gives up with the last error.
    func testExercise4TryingAgainWithLongerPauses() throws {
        struct Retry {
            var pause = Duration.seconds(1)
            var triesLeft: Int

            static func send(
                tries: Int, on events: EventContext, under parent: some TallocObject,
                _ work: @escaping (Request<Retry>) throws -> Request<Delay>
            ) throws(TeventError) -> Request<Retry> {
                let request = try Request(Retry(triesLeft: tries), under: parent)
                tryOnce(request, on: events, work)
                return request.isInProgress ? request : request.post(on: events)
            }

            private static func tryOnce(
                _ request: Request<Retry>, on events: EventContext,
                _ work: @escaping (Request<Retry>) throws -> Request<Delay>
            ) {
                request.state.triesLeft -= 1
                request.attempt { try work(request) }?.setCallback { attempt in
                    do {
                        _ = try attempt.receive()
                        attempt.free()
                        request.finish()
                    } catch {
                        attempt.free()
                        if request.state.triesLeft == 0 { return request.fail(error) }
                        pause(request, on: events, work)
                    }
                }
            }

            private static func pause(
                _ request: Request<Retry>, on events: EventContext,
                _ work: @escaping (Request<Retry>) throws -> Request<Delay>
            ) {
                let time = request.state.pause
                request.state.pause *= 2
                request.attempt { try Wakeup.send(after: time, on: events, under: request) }?.setCallback { wakeup in
                    guard request.attempt({ try wakeup.receive() }) != nil else { return }
                    wakeup.free()
                    tryOnce(request, on: events, work)
                }
            }
        }
        for (failures, lines) in [
            (2, ["try ", "try ", "try ", "callback done", "receive ()"]),
            (9, ["try ", "try ", "try ", "callback failed", "receive Oops()"]),
        ] {
            try onEachBackend { bench in
                var left = failures
                let request = try Retry.send(tries: 3, on: bench.events, under: bench.memory) { request in
                    bench.log.add("try", "")
                    left -= 1
                    let work = try Request(Delay(value: 1), under: request)
                    if left < 0 { work.finish() } else { work.fail(Oops()) }
                    return work.post(on: bench.events)
                }
                bench.logEnd(of: request) { try $0.receive { _ in } }
                try bench.run()
                XCTAssertEqual(bench.log.lines, lines)
                XCTAssertEqual(bench.log.entries.prefix(3).map(\.time), [.zero, .seconds(1), .seconds(3)])
            }
        }
    }

    /// Exercise 5: each piece gives the request two more seconds.
    func testExercise5ARequestTimesOutWhenNothingHasComeForAWhile() throws {
        for (pieces, end) in [(5, "done"), (9, "timed out")] {
            try onEachBackend { bench in
                let request = try Request(Delay(value: 0), under: bench.memory)
                bench.logEnd(of: request) { try $0.receive() }
                try request.setEndTime(after: .seconds(2), on: bench.events)
                try Ticker(on: bench.events, every: .seconds(1), for: .seconds(5), under: request) { _, tick in
                    if tick.number == pieces { return request.finish() }
                    _ = request.attempt { try request.setEndTime(after: .seconds(2), on: bench.events) }
                }
                try bench.run()
                XCTAssertEqual(bench.log.lines[0], "callback \(end)")
                XCTAssertEqual(bench.log.entries[0].time, .seconds(end == "done" ? 5 : 7))
            }
        }
    }

    /// Exercise 6: cancelling a request cancels what it waits for.
    func testExercise6CancelIsHandedDown() throws {
        try onEachBackend { bench in
            let request = try Request(Delay(value: 0), under: bench.memory)
            bench.logEnd(of: request) { try $0.receive() }
            let step = try Wakeup.send(after: .seconds(1), on: bench.events, under: request)
            request.setCancel { _ in step.cancel() }
            step.setCallback { step in
                guard request.attempt({ try step.receive() }) != nil else { return }
                request.finish()
            }
            XCTAssertTrue(request.cancel())
            XCTAssertEqual(bench.log.lines, ["callback failed", "receive the request was cancelled"])
        }
    }

    /// Exercise 7: with deferred callbacks, no callback runs inside another.
    func testExercise7DeferredCallbacksAreNeverInsideEachOther() throws {
        struct Level { let above: Request<Level>? }
        try onEachBackend { bench in
            var (inside, deepest, ended) = (0, 0, 0)
            func done(_ request: Request<Level>) {
                inside += 1
                deepest = max(deepest, inside)
                ended += 1
                let above = request.state.above
                request.free()
                above?.finish()
                inside -= 1
            }
            func nest(_ above: Request<Level>?, under parent: some TallocObject) throws -> Request<Level> {
                let request = try Request(Level(above: above), under: parent)
                request.setCallback(done)
                request.deferCallback(on: bench.events)
                return request
            }
            var innermost = try nest(nil, under: bench.memory)
            for _ in 1..<100 { innermost = try nest(innermost, under: innermost) }
            innermost.finish()
            XCTAssertEqual(ended, 0)
            try bench.run()
            XCTAssertEqual([deepest, ended], [1, 100])
        }
    }
}
