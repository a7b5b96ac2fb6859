import Chapter1ContextAndLoops
import Tevent
import XCTest

/// A loop inside a handler of the same context.
final class NestingTests: XCTestCase {
    func testANestedLoopIsRefusedAndTheOuterLoopGoesOn() throws {
        try onEachBackend { bench in
            try bench.addReady(.immediate, as: "first") {
                XCTAssertThrowsError(try bench.events.loopOnce()) { error in
                    XCTAssertEqual(error as? TeventError, .nestedLoop)
                }
                XCTAssertThrowsError(try bench.events.loopWait())
                XCTAssertThrowsError(try bench.events.loop { false })
            }
            try bench.addReady(.immediate, as: "second")
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["first", "second"])
        }
    }

    func testAnAllowedNestedLoopServesTheEventsThatWait() throws {
        try onEachBackend { bench in
            bench.events.allowNesting()
            try bench.addReady(.immediate, as: "first") {
                XCTAssertEqual(try? bench.events.loopOnce(), .handled)
                bench.log.add("first", "ends")
            }
            try bench.addReady(.immediate, as: "second")
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["first", "second", "first"])
        }
    }

    func testTheHookReceivesTheDepthOfEachLoop() throws {
        try onEachBackend { bench in
            bench.events.allowNesting()
            bench.events.setNestingHook { _, level, begins in
                bench.log.add("\(level)", begins ? "begins" : "ends")
                return true
            }
            try bench.addReady(.timer) { XCTAssertEqual(try? bench.events.loopWait(), .noEvents) }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["1", "timer", "2", "2", "1"])
        }
    }

    func testTheHookCanRefuseALoop() throws {
        try onEachBackend { bench in
            bench.events.setNestingHook { _, _, _ in false }
            try bench.addReady(.timer)
            XCTAssertThrowsError(try bench.events.loopWait()) { error in
                XCTAssertEqual(error as? TeventError, .loopRefused(level: 1))
            }
            bench.events.setNestingHook(nil)
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
        }
    }

    func testStopEndsTheInnermostLoopOnly() throws {
        try onEachBackend { bench in
            bench.events.allowNesting()
            try bench.addReady(.immediate, as: "outer") {
                XCTAssertEqual(try? bench.events.loopWait(), .stopped)
            }
            try bench.addReady(.immediate, as: "inner") { bench.events.stop() }
            try bench.addReady(.immediate, as: "rest")
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["outer", "inner", "rest"])
        }
    }
}
