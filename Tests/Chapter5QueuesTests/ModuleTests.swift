import Chapter1ContextAndLoops
import Chapter5Queues
import Talloc
import Tevent
import TeventExtras
import XCTest

/// What else the chapter's module offers: hanging up, a report, a trace, and a slow reader.
final class ModuleTests: QueueTestCase {
    // MARK: Hanging up

    func testHangingUpEndsAllThatWaitsAndWhatIsActive() throws {
        try onEachBackend { bench in
            for name in "ABC" { try bench.send(name) }
            try bench.run()
            bench.queue.hangUp()
            XCTAssertEqual(bench.lines, "ABC".map { "\($0) the request was cancelled" })
            XCTAssertFalse(bench.queue.isRunning)
            XCTAssertEqual(bench.queue.length, 0)
            XCTAssertEqual(try bench.run(), .noEvents)
            try bench.reader.read()
            XCTAssertEqual(bench.reader.letters, "A", "no other has begun")
        }
    }

    func testCallbacksMayFreeOthersAndTheQueueWhileItHangsUp() throws {
        try onEachBackend { bench in
            var last: Request<QueuedWrite>?
            try bench.send("A") { last?.free() }
            try bench.send("B") { bench.queue.free() }
            try bench.send("C")
            last = try bench.send("D")
            bench.queue.hangUp()
            XCTAssertEqual(bench.lines, ["A the request was cancelled", "B the request was cancelled"])
            XCTAssertTrue(bench.queue.isFreed)
        }
    }

    func testWhatCannotBeCancelledStays() throws {
        try onEachBackend { bench in
            let held = try bench.hold("held")
            try bench.send("A")
            bench.queue.hangUp()
            XCTAssertTrue(held.isInProgress)
            XCTAssertEqual(bench.queue.length, 1)
            XCTAssertEqual(bench.lines, ["A the request was cancelled"])
        }
    }

    // MARK: Looking

    func testTheReportNamesEachEntryWithItsStatusAndTheLineThatAddedIt() throws {
        try onEachBackend { bench in
            let write = { (line: UInt32) in
                try QueuedWrite.send(
                    [1], to: bench.reader.writer, through: bench.queue, on: bench.events, under: bench.memory,
                    file: "program/Log.swift", line: line)
            }
            let first = try write(12)
            _ = try write(20)
            first.setCallback { write in sure { try write.receive() } }
            try bench.run()
            XCTAssertEqual(
                bench.queue.report,
                """
                Queue 'line', made at \(bench.queue.origin), running, length 2
                  1. active, received, added at program/Log.swift:12
                  2. waits, in progress, added at program/Log.swift:20
                """)
            first.free()
            bench.queue.stop()
            XCTAssert(bench.queue.report.contains(", stopped, length 1\n  1. waits, "), bench.queue.report)
        }
    }

    func testTheTraceNamesEntriesWhoseRequestsWereFreed() throws {
        try onEachBackend { bench in
            let early = try bench.hold("early")
            try bench.run()
            bench.events.logQueues(to: bench.log)
            let write = try QueuedWrite.send(
                [1, 2], to: bench.reader.writer, through: bench.queue, on: bench.events, under: bench.memory)
            early.free()
            write.free()
            XCTAssertEqual(
                bench.lines,
                [
                    "early begins", "attach write of 2 bytes", "detach an entry of before", "schedule write of 2 bytes",
                    "detach write of 2 bytes",
                ])
        }
    }

    // MARK: The reader

    func testTheReaderTakesAPipefulASecond() throws {
        try onEachBackend { bench in
            let begin = bench.clock.now
            try bench.send("A", pipefuls: 4)
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.reader.letters, "AAAA")
            XCTAssertEqual(begin.duration(to: bench.clock.now), .seconds(3))
            let pipeful = bench.reader.message("B", pipefuls: 1)
            XCTAssertEqual(try SystemIO.write(bench.reader.writer, pipeful), bench.reader.pipeful)
            XCTAssertEqual(try SystemIO.write(bench.reader.writer, [1]), 0, "the pipe is full")
        }
    }

    func testTheReaderCountsPipefulsThatWereBegun() throws {
        try onEachBackend { bench in
            XCTAssertEqual(try SystemIO.write(bench.reader.writer, Array("ABBA".utf8)), 4)
            XCTAssertTrue(try bench.reader.read())
            XCTAssertEqual(bench.reader.letters, "ABA")
            bench.reader.closeWriter()
            XCTAssertFalse(try bench.reader.read())
        }
    }

    func testAReaderThatHasStoppedReadsNoMore() throws {
        try onEachBackend { bench in
            bench.reader.stopReading()
            XCTAssertFalse(try bench.reader.read())
            XCTAssertThrowsError(try SystemIO.write(bench.reader.writer, [1])) {
                XCTAssertEqual($0 as? TeventError, .systemCall(name: "write", code: EPIPE))
            }
        }
    }
}
