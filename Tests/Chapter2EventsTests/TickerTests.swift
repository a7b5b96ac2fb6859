import Chapter2Events
import Talloc
import TestSupport
import Tevent
import TeventExtras
import XCTest

final class TickerTests: XCTestCase {
    func testItTicksEveryIntervalForTheDurationThenEndsAndIsFreed() throws {
        try onEachBackend { bench in
            var ticks: [Tick] = []
            let start = bench.clock.now
            let ticker = try Ticker(on: bench.events, every: .seconds(2), for: .seconds(60)) { ticker, tick in
                XCTAssertEqual(start.duration(to: bench.clock.now), tick.planned)
                XCTAssertEqual(ticker.ticks, tick.number)
                ticks.append(tick)
            }
            try bench.run(advancing: .milliseconds(500))
            XCTAssertEqual(ticks.map(\.number), Array(1...30))
            XCTAssertEqual(ticks.map(\.planned), (1...30).map { .seconds(2 * $0) })
            XCTAssertEqual(ticks.filter(\.isLast).map(\.number), [30])
            XCTAssert(ticker.isFreed)
            XCTAssertEqual(bench.events.timers, [])
        }
    }

    func testADurationThatIsNoMultipleEndsWithTheLastWholeInterval() throws {
        try onEachBackend { bench in
            var ticks = 0
            try Ticker(on: bench.events, every: .milliseconds(30), for: .milliseconds(100)) { _, _ in ticks += 1 }
            try bench.run()
            XCTAssertEqual(ticks, 3)
        }
    }

    func testTenthsOfSecondsAddUp() throws {
        try onEachBackend { bench in
            var ticks = 0
            let tenth = try XCTUnwrap(Seconds(argument: "0.1"))
            let three = try XCTUnwrap(Seconds(argument: "0.3"))
            try Ticker(on: bench.events, every: tenth.duration, for: three.duration) { _, _ in ticks += 1 }
            try bench.run(advancing: .milliseconds(10))
            XCTAssertEqual(ticks, 3)
        }
    }

    func testSlowHandlersDoNotMakeItDrift() throws {
        try onEachBackend { bench in
            let start = bench.clock.now
            var times: [Duration] = []
            try Ticker(on: bench.events, every: .milliseconds(100), for: .milliseconds(500)) { _, _ in
                times.append(start.duration(to: bench.clock.now))
                bench.clock.advance(by: .milliseconds(30))
            }
            try bench.run(advancing: .milliseconds(10))
            XCTAssertEqual(times, [100, 200, 300, 400, 500].map { .milliseconds($0) })
        }
    }

    func testTicksThatABusyLoopWasLateForFollowAtOnceAndNoneIsLeftOut() throws {
        try onEachBackend { bench in
            var numbers: [Int] = []
            try Ticker(on: bench.events, every: .seconds(1), for: .seconds(5)) { _, tick in numbers.append(tick.number)
            }
            bench.clock.advance(by: .milliseconds(3500))
            XCTAssertEqual(try bench.events.loopWait(), .timedOut)
            XCTAssertEqual(numbers, [1, 2, 3])
            try bench.run(advancing: .milliseconds(100))
            XCTAssertEqual(numbers, [1, 2, 3, 4, 5])
        }
    }

    func testStoppingItInItsHandlerEndsIt() throws {
        try onEachBackend { bench in
            var ticks = 0
            let ticker = try Ticker(on: bench.events, every: .seconds(1), for: .seconds(10)) { ticker, tick in
                ticks += 1
                if tick.number == 2 { ticker.stop() }
            }
            try bench.run(advancing: .seconds(1))
            XCTAssertEqual(ticks, 2)
            XCTAssert(ticker.isFreed)
        }
    }

    func testStoppingItFromOutsideEndsItAndReleasesItsHandler() throws {
        try onEachBackend { bench in
            weak var seen: Witness?
            let ticker = try {
                let witness = Witness()
                seen = witness
                return try Ticker(on: bench.events, every: .seconds(1), for: .seconds(10)) { _, _ in
                    withExtendedLifetime(witness) { XCTFail("was stopped") }
                }
            }()
            XCTAssertNotNil(seen)
            ticker.stop()
            XCTAssertNil(seen)
            bench.clock.advance(by: .seconds(5))
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
        }
    }

    func testItIsFreedWithItsOwner() throws {
        try onEachBackend { bench in
            let owner = try TallocContext(under: bench.memory)
            let ticker = try Ticker(on: bench.events, every: .seconds(1), for: .seconds(10), under: owner) { _, _ in
                XCTFail("was freed with its owner")
            }
            XCTAssertEqual(ticker.parent, owner)
            owner.free()
            XCTAssert(ticker.isFreed)
            XCTAssertEqual(bench.events.timers, [])
        }
    }

    func testWithoutAnOwnerItBelongsToTheContext() throws {
        try onEachBackend { bench in
            let ticker = try Ticker(on: bench.events, every: .seconds(1), for: .seconds(10)) { _, _ in }
            XCTAssertEqual(ticker.parent, bench.events.tallocContext)
            XCTAssertEqual(ticker.children.map(\.name), ["struct tevent_timer"])
        }
    }

    func testAHandlerMayFreeTheWholeContext() throws {
        try onEachBackend { bench in
            let ticker = try Ticker(on: bench.events, every: .seconds(1), for: .seconds(10)) { _, _ in
                bench.events.free()
            }
            bench.clock.advance(by: .seconds(1))
            XCTAssertEqual(try bench.events.loopWait(), .contextFreed)
            XCTAssert(ticker.isFreed)
        }
    }

    func testWithoutMemoryNothingIsLeftBehind() throws {
        try onEachBackend { bench in
            let owner = try TallocContext(under: bench.memory)
            // Room for the ticker's chunk but not for its timer, found by trying, since talloc's headers count as well.
            var failures = 0
            for limit in stride(from: 100, through: 2000, by: 20) {
                let tight = try TallocContext(under: owner)
                try tight.setMemoryLimit(bytes: limit)
                do {
                    try Ticker(on: bench.events, every: .seconds(1), for: .seconds(1), under: tight) { _, _ in }.stop()
                } catch {
                    failures += 1
                }
                XCTAssertEqual(tight.children, [])
                XCTAssertEqual(bench.events.timers, [])
                tight.free()
            }
            XCTAssertGreaterThan(failures, 0)
        }
    }

    func testTheLongestIntervalsDoNotOverflow() throws {
        try onEachBackend { bench in
            var ticks: [Tick] = []
            let long = Duration(secondsComponent: 1 << 62, attosecondsComponent: 0)
            try Ticker(on: bench.events, every: long, for: long) { _, tick in ticks.append(tick) }
            bench.clock.advance(by: .seconds(Int64.max))
            try bench.events.loopOnce()
            XCTAssertEqual(ticks.map(\.isLast), [true])
        }
    }

    func testTicksWithoutTimeBetweenThemAreRefusedInWords() throws {
        let result = try runInChild(self) { try Ticker(on: EventContext(), every: .zero, for: .seconds(1)) { _, _ in } }
        XCTAssertNotNil(result.signal)
        XCTAssertTrue(result.stderr.contains("without time between its ticks"), result.stderr)
    }

    func testATickerWithoutATickIsRefusedInWords() throws {
        let result = try runInChild(self) {
            try Ticker(on: EventContext(), every: .seconds(2), for: .seconds(1)) { _, _ in }
        }
        XCTAssertNotNil(result.signal)
        XCTAssertTrue(result.stderr.contains("must tick at least once"), result.stderr)
    }
}
