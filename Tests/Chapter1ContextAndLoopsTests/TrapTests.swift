import Chapter1ContextAndLoops
import Foundation
import Talloc
import TestSupport
import Tevent
import XCTest

/// What goes wrong in practice: each trap of the chapter's page, as it goes wrong and as it goes right.
final class TrapTests: XCTestCase {
    // MARK: Who owns the event?

    func testATimerThatOutlivesWhatItsHandlerUsesTraps() throws {
        let result = try runInChild(self) {
            let program = try TallocContext(named: "program")
            let events = try EventContext(under: program)
            // snippet: owner-wrong
            let session = try TallocContext(under: program, named: "session")
            let user = try TallocChunk("Ada", under: session)
            try events.addTimer(after: .milliseconds(1)) { _, _ in print("Hello, \(user.value).") }
            session.free()
            try events.loopWait()
            // snippet-end: owner-wrong
        }
        XCTAssertNotNil(result.signal)
        XCTAssertFalse(result.stdout.contains("Hello"))
        try assertPageShowsTrap("TallocChunk<String>.value was called on a freed TallocChunk<String>", from: result)
    }

    func testATimerUnderTheSameParentIsFreedWithWhatItUses() throws {
        try onEachBackend { bench in
            let (program, events) = (bench.memory, bench.events)
            let session = try TallocContext(under: program, named: "session")
            let user = try TallocChunk("Ada", under: session)
            // snippet: owner-right
            try events.addTimer(after: .milliseconds(1), under: session) { _, _ in print("Hello, \(user.value).") }
            // snippet-end: owner-right
            session.free()
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    // MARK: Blocking the loop

    func testAHandlerThatWorksForLongMakesOthersLate() throws {
        try onEachBackend { bench in
            let clock = ManualClock()
            let events = try bench.anotherContext(clock: clock)
            let log = EventLog(clock: clock)
            func workOneSecond() { clock.advance(by: .seconds(1)) }
            // snippet: block-wrong
            try events.addTimer(after: .seconds(1)) { _, _ in log.add("heartbeat", "wanted after 1 s") }
            try events.addTimer(after: .zero) { _, _ in
                for _ in 1...3 { workOneSecond() }
                log.add("work", "done")
            }
            // snippet-end: block-wrong
            try events.loopWait()
            XCTAssertEqual("\(log)", "3 s  work       done\n3 s  heartbeat  wanted after 1 s")
            try assertPageShows("\(log)")
        }
    }

    func testAHandlerThatWorksInPiecesLetsOthersIn() throws {
        try onEachBackend { bench in
            let clock = ManualClock()
            let events = try bench.anotherContext(clock: clock)
            let log = EventLog(clock: clock)
            func workOneSecond() { clock.advance(by: .seconds(1)) }
            // snippet: block-right
            try events.addTimer(after: .seconds(1)) { _, _ in log.add("heartbeat", "wanted after 1 s") }
            var pieces = 3
            try events.addTimer(after: .zero) { work, _ in
                workOneSecond()
                pieces -= 1
                if pieces > 0 { work.update(after: .zero) } else { log.add("work", "done") }
            }
            // snippet-end: block-right
            try events.loopWait()
            XCTAssertEqual("\(log)", "1 s  heartbeat  wanted after 1 s\n3 s  work       done")
            try assertPageShows("\(log)")
        }
    }

    // MARK: A loop inside a handler

    func testWaitingInsideAHandlerIsRefused() throws {
        try onEachBackend { bench in
            let (events, log) = (bench.events, bench.log)
            // snippet: nested-wrong
            var answer: String?
            try events.addTimer(after: .milliseconds(1)) { _, _ in answer = "42" }
            try ImmediateEvent(under: events).schedule(on: events) { _, events in
                do {
                    try events.loop { answer != nil }
                    log.add("handler", "goes on with \(answer ?? "nothing")")
                } catch {
                    log.add("handler", "\(error)")
                }
            }
            // snippet-end: nested-wrong
            try events.loopWait()
            XCTAssertEqual(log.entries.map(\.what), ["\(TeventError.nestedLoop)"])
            try assertPageShows("\(TeventError.nestedLoop)")
        }
    }

    func testTheHandlerOfTheAnswerGoesOn() throws {
        try onEachBackend { bench in
            let (events, log) = (bench.events, bench.log)
            // snippet: nested-right
            try events.addTimer(after: .milliseconds(1)) { _, _ in
                let answer = "42"
                log.add("handler", "goes on with \(answer)")
            }
            // snippet-end: nested-right
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(log.entries.map(\.what), ["goes on with 42"])
        }
    }

    // MARK: Nothing to wait for

    func testALoopWhoseEventsWereFreedReturnsAtOnce() throws {
        try onEachBackend { bench in
            let (events, log) = (bench.events, bench.log)
            // snippet: nothing-wrong
            try withTallocContext { memory in
                try events.addTimer(after: .milliseconds(1), under: memory) { _, _ in log.add("timer", "fires") }
            }
            log.add("loopWait", "\(try events.loopWait())")
            // snippet-end: nothing-wrong
            XCTAssertEqual("\(log)", "loopWait  noEvents")
        }
    }

    func testMemoryMustLastAsLongAsTheLoop() throws {
        try onEachBackend { bench in
            let (events, log) = (bench.events, bench.log)
            // snippet: nothing-right
            try withTallocContext { memory in
                try events.addTimer(after: .milliseconds(1), under: memory) { _, _ in log.add("timer", "fires") }
                log.add("loopWait", "\(try events.loopWait())")
            }
            // snippet-end: nothing-right
            XCTAssertEqual("\(log)", "timer     fires\nloopWait  noEvents")
        }
    }

    // MARK: A handle of a freed object

    func testCancellingATimerThatHasFiredTraps() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            // snippet: freed-wrong
            let timer = try events.addTimer(after: .zero) { _, _ in }
            try events.loopWait()
            timer.free()
            // snippet-end: freed-wrong
        }
        XCTAssertNotNil(result.signal)
        try assertPageShowsTrap("TimerEvent.free() was called on a freed TimerEvent", from: result)
    }

    func testAskingFirstIsAlwaysAllowed() throws {
        try onEachBackend { bench in
            let events = bench.events
            let timer = try events.addTimer(after: .zero) { _, _ in }
            try events.loopWait()
            XCTAssertTrue(timer.isFreed)
            // snippet: freed-right
            if !timer.isFreed { timer.free() }
            // snippet-end: freed-right
        }
    }

    /// Checks that the message of a trap is the one that the chapter's page quotes.
    private func assertPageShowsTrap(_ beginning: String, from result: ProgramResult) throws {
        let message = result.stderr.split(separator: "\n").first { $0.contains("Fatal error: ") }
        let words = try XCTUnwrap(message?.split(separator: "Fatal error: ").last.map(String.init), result.stderr)
        XCTAssert(words.hasPrefix(beginning), words)
        try assertPageShows(words)
    }
}

/// Checks that the chapter's page quotes `text` in a block of its own.
func assertPageShows(_ text: String) throws {
    let page = try String(contentsOf: projectFolder.appending(path: "Tutorial/1-context-and-loops.md"), encoding: .utf8)
    XCTAssert(page.contains("```text\n\(text)\n```"), "the page does not quote: \(text)")
}
