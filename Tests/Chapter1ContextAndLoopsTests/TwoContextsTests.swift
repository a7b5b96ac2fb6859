import Chapter1ContextAndLoops
import Tevent
import XCTest

/// A loop serves the events of its own context and no others.
final class TwoContextsTests: XCTestCase {
    func testSignalsOfAnotherContextAreNotNoticed() throws { try checkSeparate(.signal) }

    func testImmediatesOfAnotherContextAreNotNoticed() throws { try checkSeparate(.immediate) }

    func testTimersOfAnotherContextAreNotNoticed() throws { try checkSeparate(.timer) }

    func testDescriptorsOfAnotherContextAreNotNoticed() throws { try checkSeparate(.descriptor) }

    private func checkSeparate(_ kind: EventLists.Kind) throws {
        try onEachBackend { bench in
            let other = try bench.anotherContext()
            try bench.addReady(kind, to: other, as: "other")
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            for mine in EventLists.Kind.allCases where mine != kind { try bench.addReady(mine) }
            try bench.events.loopWait()
            XCTAssertFalse(bench.log.who.contains("other"))
            XCTAssertEqual(bench.log.entries.count, 3)
            XCTAssertEqual(try other.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who.last, "other")
        }
    }

    func testASignalThatTwoContextsWantReachesEachInItsOwnLoopOnce() throws {
        try onEachBackend { bench in
            let other = try bench.anotherContext()
            for (name, events) in [("mine", bench.events), ("other", other)] {
                try events.addSignal(.user1) { event, arrival in
                    bench.log.add(name, "\(arrival.count)")
                    event.free()
                }
            }
            Signal.user1.raise()
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["mine"])
            XCTAssertEqual(try other.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, ["mine", "other"])
            XCTAssertEqual(bench.log.entries.map(\.what), ["1", "1"])
        }
    }

    func testFreeingOneContextLeavesTheOtherInOrder() throws {
        try onEachBackend { bench in
            let other = try bench.anotherContext()
            for kind in EventLists.Kind.allCases {
                try bench.addReady(kind, to: other, as: "other")
                try bench.addReady(kind)
            }
            other.free()
            XCTAssertEqual(try bench.events.loopWait(), .noEvents)
            XCTAssertEqual(bench.log.who, EventLists.Kind.allCases.map(\.rawValue))
        }
    }

    func testAHandlerMayRunTheLoopOfAnotherContext() throws {
        try onEachBackend { bench in
            let other = try bench.anotherContext()
            try bench.addReady(.timer, to: other, as: "other")
            try bench.addReady(.immediate, as: "mine") { XCTAssertEqual(try? other.loopWait(), .noEvents) }
            try bench.events.loopWait()
            XCTAssertEqual(bench.log.who, ["mine", "other"])
        }
    }
}
