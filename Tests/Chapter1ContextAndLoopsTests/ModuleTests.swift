import Chapter1ContextAndLoops
import Talloc
import Tevent
import XCTest

/// What the chapter offers to later ones.
final class ModuleTests: XCTestCase {
    func testLoopOptionsTakeEachBackendAndMakeContextsWithIt() throws {
        let root = try LoopOptions.parse([]).makeContext()
        defer { root.free() }
        XCTAssertEqual(root.backend, EventContext.defaultBackend)
        for backend in EventContext.backends {
            let options = try LoopOptions.parse(["--backend", backend])
            let memory = try TallocContext(named: "test")
            defer { memory.free() }
            let events = try options.makeContext(under: memory, clock: ManualClock())
            XCTAssertEqual(events.backend, backend)
            XCTAssertEqual(events.parent, memory)
        }
    }

    func testLoopOptionsRefuseAnUnknownBackendAndListTheKnownOnes() {
        XCTAssertThrowsError(try LoopOptions.parse(["--backend", "select"])) { error in
            XCTAssertEqual(
                LoopOptions.message(for: error), "there is no backend 'select'; choose one of: epoll, poll")
        }
    }

    func testALogPrintsItsLinesInColumns() {
        let log = EventLog()
        XCTAssertEqual("\(log)", "")
        log.add("timer", "fires")
        log.add("immediate", "runs")
        XCTAssertEqual("\(log)", "timer      fires\nimmediate  runs")
        XCTAssertEqual(log.who, ["timer", "immediate"])
        XCTAssertNil(log.entries[0].time)
    }

    func testALogWithAClockShowsTheTimeSinceItWasCreated() {
        let clock = ManualClock()
        clock.advance(by: .seconds(7))
        let log = EventLog(clock: clock)
        log.add("timer", "fires")
        clock.advance(by: .milliseconds(2500))
        log.add("timer", "again")
        clock.advance(by: .milliseconds(9500))
        log.add("timer", "ends")
        XCTAssertEqual("\(log)", "0 s    timer  fires\n2.5 s  timer  again\n12 s   timer  ends")
        XCTAssertEqual(log.entries.map(\.time), [.zero, .milliseconds(2500), .seconds(12)])
    }

    func testListsShowEachKindInTheOrderOfService() throws {
        try onEachBackend { bench in
            let events = try bench.anotherContext(clock: ManualClock())
            XCTAssertEqual(
                "\(EventLists(of: events))",
                "signals      none\nimmediates   none\ntimers       none\ndescriptors  none")
            try events.addFD(0, [.read, .error]) { _, _ in }
            try events.addTimer(after: .seconds(2)) { _, _ in }
            try events.addTimer(after: .milliseconds(500)) { _, _ in }
            try ImmediateEvent(under: events).schedule(on: events) { _, _ in }
            try events.addSignal(.interrupt) { _, _ in }
            try events.addSignal(.user1) { _, _ in }
            XCTAssertEqual(
                "\(EventLists(of: events))",
                """
                signals      [SIGINT] [SIGUSR1]
                immediates   [next turn]
                timers       [in 0.5 s] [in 2 s]
                descriptors  [0, read+error]
                """)
            XCTAssertEqual(EventLists(of: events)[.timer].map(\.name), ["timer 1", "timer 2"])
        }
    }

    func testThePictureNamesAnEventAlikeInTheTreeAndInItsList() throws {
        try onEachBackend { bench in
            let session = try TallocContext(under: bench.memory, named: "<session>")
            try bench.events.addTimer(after: .seconds(1), under: session) { _, _ in }
            let svg = ContextPicture(of: bench.events, below: bench.memory).svg
            XCTAssertEqual(svg.components(separatedBy: ">timer 1</text>").count - 1, 2)
            XCTAssert(svg.contains(">&lt;session&gt;</text>"))
        }
    }
}
