import CTestSupport
import Foundation
import Talloc
import XCTest

@testable import Tevent

/// What happens to a context when its process forks.
final class ForkTests: EngineTestCase {
    /// Adds a reader and a signal, and runs the loop until both are registered.
    private func prepare(_ events: EventContext) throws -> (writer: Int32, log: Log) {
        let pipe = try pipe()
        let log = Log()
        try events.addFD(pipe.reader, .read) { event, _ in
            log.lines.append(sure { try self.read(event.descriptor) })
        }
        try events.addSignal(.user1) { _, arrival in log.lines.append("\(arrival.count) signals") }
        XCTAssertEqual(try events.loopOnce(), .timedOut)
        return (pipe.writer, log)
    }

    private final class Log {
        var lines: [String] = []
        func take() -> String {
            defer { lines = [] }
            return lines.joined(separator: ", ")
        }
    }

    /// Checks that signals and descriptors still reach the parent's loop.
    private func assertUndisturbed(
        _ events: EventContext, _ prepared: (writer: Int32, log: Log), line: UInt = #line
    ) throws {
        write(prepared.writer, "to the parent")
        Signal.user1.raise()
        XCTAssertEqual(try events.loopWait(), .timedOut, line: line)
        XCTAssertEqual(prepared.log.take(), "1 signals, to the parent", line: line)
    }

    func testTheChildsLoopWorksAfterReinitialisingAndTheParentsIsNotDisturbed() throws {
        try onBothBackends { events, _ in
            let prepared = try prepare(events)
            let said = try inChild {
                try events.reinitialise()
                self.write(prepared.writer, "to the child")
                Signal.user1.raise()
                try events.loopWait()
                return prepared.log.take()
            }
            XCTAssertEqual(said, "1 signals, to the child")
            try assertUndisturbed(events, prepared)
        }
    }

    func testTheLoopReinitialisesByItselfWhenTheChildForgot() throws {
        try onBothBackends { events, _ in
            let prepared = try prepare(events)
            let said = try inChild {
                self.write(prepared.writer, "to the child")
                Signal.user1.raise()
                try events.loopWait()
                events.free()
                return prepared.log.take()
            }
            XCTAssertEqual(said, "1 signals, to the child")
            try assertUndisturbed(events, prepared)
        }
    }

    func testAChildThatFreesTheContextDoesNotDisturbTheParents() throws {
        try onBothBackends { events, _ in
            let prepared = try prepare(events)
            events.descriptors[0].setCloseFunction { _ in }
            XCTAssertEqual(
                try inChild {
                    events.free()
                    return "freed"
                }, "freed")
            try assertUndisturbed(events, prepared)
        }
    }

    func testAChildThatFreesOrAddsEventsBeforeItsLoopRunsDoesNotDisturbTheParents() throws {
        try onBothBackends { events, _ in
            let prepared = try prepare(events)
            let said = try inChild {
                events.descriptors[0].setAutoClose()
                events.descriptors[0].free()
                let other = try SystemIO.pipe()
                try events.addFD(other.reader, .read) { event, _ in prepared.log.lines.append("the child's own") }
                try events.addSignal(.user2) { _, _ in prepared.log.lines.append("the child's signal") }
                self.write(other.writer)
                Signal.user2.raise()
                try events.loopOnce()
                try events.loopOnce()
                return prepared.log.take()
            }
            XCTAssertEqual(said, "the child's signal, the child's own")
            try assertUndisturbed(events, prepared)
        }
    }

    func testAChildThatOpensItsFirstWakerDoesNotWakeTheParent() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            var runs = 0
            try events.addFD(pipe.reader, .read) { _, _ in runs += 1 }
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            let said = try inChild {
                var told = 0
                try events.addSignal(.user1) { _, arrival in told += arrival.count }
                Signal.user1.raise()
                try events.loopOnce()
                return "\(told)"
            }
            XCTAssertEqual(said, "1")
            XCTAssertEqual(try events.loopOnce(), .timedOut)
            write(pipe.writer)
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(runs, 1)
        }
    }

    func testSignalsThatHadArrivedAreTheParentsAlone() throws {
        try onBothBackends { events, _ in
            var told: [String] = []
            try events.addSignal(.user1) { _, arrival in told.append("\(arrival.count)") }
            try events.addSignal(.user2, wantsInfo: true) { _, arrival in
                told.append("\(arrival.count) with \(arrival.info == nil ? "no " : "")details")
            }
            for signal in [Signal.user1, .user1, .user2] { signal.raise() }
            let said = try inChild {
                // A signal that arrives before the fork has been noticed is the child's.
                Signal.user2.raise()
                try events.loopWait()
                Signal.user1.raise()
                try events.loopWait()
                return told.joined(separator: ", ")
            }
            XCTAssertEqual(said, "1 with details, 1")
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(told, ["2", "1 with details"])
        }
    }

    func testAForkAfterAForkIsNoDifferent() throws {
        try onBothBackends { events, _ in
            var told = 0
            try events.addSignal(.user1) { _, arrival in told += arrival.count }
            Signal.user1.raise()
            let said = try inChild {
                Signal.user1.raise()
                return try self.inChild {
                    Signal.user1.raise()
                    try events.loopWait()
                    return "\(told)"
                }
            }
            XCTAssertEqual(said, "1")
        }
    }

    func testNoChildWaitsForALockOfAThreadOfTheParent() throws {
        let isOver = SharedCount()
        let threads = try (0..<2).map { number in
            try SystemThread(named: "\(number)") {
                while isOver.value == 0 {
                    try withTallocContext { memory in
                        let events = try EventContext(under: memory)
                        _ = try ThreadInbox(on: events)
                        try events.addSignal(.user1, wantsInfo: true) { _, _ in }
                        try memory.setMemoryLimit(bytes: 1_000_000)
                        _ = memory.children
                    }
                }
            }
        }
        func useAll() throws -> String {
            alarm(20)
            defer { alarm(0) }
            return try withTallocContext { memory in
                let events = try EventContext(under: memory)
                let (proxy, runs) = (try ThreadInbox(on: events).proxy, SharedCount())
                try events.addSignal(.user1, wantsInfo: true) { _, _ in runs.add(10) }
                try proxy.schedule { _ in runs.add() }
                Signal.user1.raise()
                events.maximumWait = .zero
                while try events.loopOnce() == .handled {}
                try memory.setMemoryLimit(bytes: 1_000_000)
                return "\(runs.value) \(memory.children.count)"
            }
        }
        // Once before forking: Swift's runtime creates some of its data at first use, under its own locks.
        XCTAssertEqual(try useAll(), "11 1")
        // Under the thread sanitizer, Swift's runtime takes its own locks at each use of a global, and fork does not
        // wait for those.
        for round in 0..<(test_is_thread_sanitized() == 0 ? 300 : 0) {
            let said = try inChild(useAll)
            guard said == "11 1" else {
                XCTFail("the child of round \(round) said '\(said)'")
                break
            }
        }
        isOver.add()
        for thread in threads { try thread.join() }
    }

    func testAThreadOfTheParentsIsNotWaitedForInTheChild() throws {
        let mayEnd = SharedCount()
        let thread = try SystemThread(named: "behind") { while mayEnd.value == 0 { sched_yield() } }
        let ended = try SystemThread(named: "ended") { 7 }
        XCTAssertEqual(try ended.join(), 7)
        XCTAssertEqual(try inChild { "\(try ended.join())" }, "7")
        let child = test_fork()
        if child == 0 {
            close(STDERR_FILENO)
            try? thread.join()
            _exit(0)
        }
        var status: Int32 = 0
        XCTAssertEqual(waitpid(child, &status, 0), child)
        XCTAssertNotEqual(status & 0x7f, 0, "it ended by a signal: a trap")
        mayEnd.add()
        try thread.join()
    }

    func testWhatTheParentFoundReadyIsLookedAtAgainInTheChild() throws {
        try onBothBackends { events, _ in
            let readers = try (0..<3).map { _ in try readyDescriptor() }
            var order: [Int32] = []
            var said = ""
            for reader in readers {
                try events.addFD(reader, .read) { event, _ in
                    order.append(event.descriptor)
                    event.free()
                    guard order.count == 1 else { return }
                    events.allowNesting()
                    said = sure {
                        try self.inChild {
                            _ = try events.loopWait()
                            return "\(order.count)"
                        }
                    }
                }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(said, "3")
            XCTAssertEqual(Set(order), Set(readers))
        }
    }

    func testTheChildsChildWorksToo() throws {
        try onBothBackends { events, _ in
            let prepared = try prepare(events)
            let said = try inChild {
                try events.reinitialise()
                let inner = try self.inChild {
                    self.write(prepared.writer, "to the grandchild")
                    try events.loopWait()
                    return prepared.log.take()
                }
                self.write(prepared.writer, "to the child")
                try events.loopWait()
                return "\(inner), \(prepared.log.take())"
            }
            XCTAssertEqual(said, "to the grandchild, to the child")
            try assertUndisturbed(events, prepared)
        }
    }
}
