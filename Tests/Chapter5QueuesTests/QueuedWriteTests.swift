import Chapter5Queues
import Talloc
import Tevent
import TeventExtras
import XCTest

/// The chapter's request: in order, whole, and cleaned up however it ends.
final class QueuedWriteTests: QueueTestCase {
    func testMessagesOfAnySizeAreWholeAndInOrder() throws {
        try onEachBackend { bench in
            let names = Array("ABCDEFGHIJ")
            for (index, name) in names.enumerated() { try bench.send(name, pipefuls: index * 7 % 5) }
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, names.map { "\($0) done" })
            XCTAssertEqual(bench.reader.letters, "BBCCCCDEEEGGHHHHIJJJ")
            XCTAssertEqual(bench.queue.length, 0)
        }
    }

    func testAMessageThatIsSentWhileAnotherIsWrittenWaits() throws {
        try onEachBackend { bench in
            try bench.send("A")
            try bench.events.addTimer(after: .seconds(1), under: bench.memory) { _, _ in
                _ = sure { try bench.send("B", pipefuls: 1) }
            }
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.reader.letters, "AAAB")
            XCTAssertEqual(bench.lines, ["A done", "B done"])
        }
    }

    func testTheNextBeginsWhenTheOneBeforeIsFreedNotWhenItIsReceived() throws {
        try onEachBackend { bench in
            let first = try bench.send("A", pipefuls: 1)
            first.setCallback { write in sure { try write.receive() } }
            let second = try bench.send("B", pipefuls: 1)
            try bench.reader.run(bench.events)
            XCTAssertEqual(first.status, .received)
            XCTAssertFalse(second.hasBegun)
            XCTAssertEqual(bench.reader.letters, "A")
            XCTAssertEqual(bench.queue.entries.map(\.isTriggered), [true, false])

            first.free()
            XCTAssertFalse(second.hasBegun, "not from inside of freeing, but from the loop")
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.reader.letters, "AB")
        }
    }

    func testCancelledWhileItWaitsItWritesNothing() throws {
        try onEachBackend { bench in
            try bench.send("A")
            let write = try bench.send("B")
            try bench.send("C")
            try bench.run()
            XCTAssertTrue(write.cancel())
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["B the request was cancelled", "A done", "C done"])
            XCTAssertEqual(bench.reader.letters, "AAACCC")
        }
    }

    func testCancelledInTheMiddleItWritesNoMoreEvenIfItIsNotReceived() throws {
        try onEachBackend { bench in
            let write = try bench.send("A")
            write.setCallback { _ in }
            try bench.run()
            XCTAssertTrue(write.hasBegun)
            XCTAssertTrue(write.cancel())
            XCTAssertEqual(write.status, .failed)
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.reader.letters, "A", "the one pipeful that was written at once")
            XCTAssertEqual(bench.queue.length, 1)
        }
    }

    func testCancelledOrFreedByATraceOfItsWriteItWritesNoMore() throws {
        for frees in [false, true] {
            try onEachBackend { bench in
                let write = try bench.send("A")
                bench.events.setFDTrace { event, point in
                    guard point == .attach, !write.isFreed else { return }
                    if frees { write.free() } else { XCTAssertTrue(write.cancel()) }
                }
                try bench.run()
                bench.events.setFDTrace(nil)
                try bench.reader.run(bench.events)
                XCTAssertEqual(bench.reader.letters, "A", "the one pipeful that was written at once")
                XCTAssertTrue(write.isFreed)
                XCTAssertEqual(bench.lines, frees ? [] : ["A the request was cancelled"])
            }
        }
    }

    func testEndedByALoopInATraceItIsNotifiedByTheLoop() throws {
        try onEachBackend { bench in
            bench.events.allowNesting()
            bench.events.setQueueTrace { _, point in
                if point == .schedule { XCTAssertNotNil(try? bench.events.loopWait()) }
            }
            try bench.send("A", pipefuls: 1)
            bench.events.setQueueTrace(nil)
            XCTAssertEqual(bench.lines, [])
            try bench.run()
            XCTAssertEqual(bench.lines, ["A done"])
        }
    }

    func testOneEndTimeCountsForWaitingAndWriting() throws {
        // Each message takes three seconds. When the time is up, how many pipefuls of the second have been written?
        for (seconds, letters) in [(1, "AAA"), (4, "AAAB"), (9, "AAABBB")] {
            try onEachBackend { bench in
                try bench.send("A")
                try bench.send("B").setEndTime(after: .seconds(seconds), on: bench.events)
                try bench.reader.run(bench.events)
                XCTAssertEqual(bench.reader.letters, letters)
                XCTAssertEqual(bench.lines.contains("B done"), seconds == 9)
                XCTAssertEqual(bench.lines.contains("B the request did not end in time"), seconds < 9)
                XCTAssertEqual(bench.queue.length, 0)
            }
        }
    }

    func testAWriteThatFailsLetsTheOthersContinue() throws {
        try onEachBackend { bench in
            let broken = try SlowReader(clock: bench.clock)
            defer { broken.close() }
            broken.stopReading()
            let write = try QueuedWrite.send(
                [1], to: broken.writer, through: bench.queue, on: bench.events, under: bench.memory)
            var failure: (any Error)?
            write.setCallback { write in
                do { try write.receive() } catch { failure = error }
                write.free()
            }
            try bench.send("B", pipefuls: 1)
            try bench.reader.run(bench.events)
            XCTAssertEqual(failure as? TeventError, .systemCall(name: "write", code: EPIPE))
            XCTAssertEqual(bench.lines, ["B done"])
        }
    }

    func testADescriptorThatIsNotOpenWhenTheTurnComesIsAnErrorOfThatWriteAlone() throws {
        try onEachBackend { bench in
            // A number that is never open; one that this test closes might be reused by then.
            let write = try QueuedWrite.send(
                [1], to: 1_000_000, through: bench.queue, on: bench.events, under: bench.memory)
            write.setCallback { write in
                bench.log.add("closed", write.error.map { "\($0)" } ?? "no error")
                write.free()
            }
            try bench.send("B", pipefuls: 1)
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["closed write failed: Bad file descriptor", "B done"])
        }
    }

    func testWhetherItHadBegunCanBeAskedAfterItsEnd() throws {
        try onEachBackend { bench in
            var begun: [Bool] = []
            for name in ["A", "B"] as [Character] {
                let write = try bench.send(name)
                write.setCallback { write in
                    begun.append(write.hasBegun)
                    write.free()
                }
            }
            try bench.run()
            bench.queue.hangUp()
            XCTAssertEqual(begun, [true, false])
        }
    }

    // MARK: Memory

    func testAClientThatGoesTakesItsWritesAlongAndTheOthersGoOn() throws {
        try onEachBackend { bench in
            let client = try TallocContext(under: bench.memory, named: "client")
            try bench.send("A")
            try bench.send("B", under: client)
            try bench.send("C", pipefuls: 1)
            try bench.send("D", under: client)
            try bench.run()
            client.free()
            XCTAssertEqual(bench.queue.length, 2)
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.reader.letters, "AAAC")
            XCTAssertEqual(bench.lines, ["A done", "C done"])
        }
    }

    /// Frees everything once after each number of turns and checks that it is freed; the rest continues.
    func testAnythingCanBeFreedAtAnyMoment() throws {
        for turns in 0...14 {
            for victim in 0...3 {
                try onEachBackend { bench in
                    // What the context creates when it first waits remains.
                    try bench.send("W", pipefuls: 2)
                    try bench.reader.run(bench.events)
                    let blocks = bench.memory.totalBlocks
                    let writes = try [("A" as Character, 2), ("B", 0), ("C", 1)].map {
                        try bench.send($0, pipefuls: $1)
                    }
                    for _ in 0..<turns where try bench.events.loopOnce() == .timedOut { try bench.reader.read() }
                    if turns == 14 { XCTAssertTrue(writes.allSatisfy(\.isFreed), "no moment is left out") }
                    switch victim {
                    case 0, 1, 2: if !writes[victim].isFreed { writes[victim].free() }
                    default: bench.queue.free()
                    }
                    try bench.reader.run(bench.events)
                    guard !bench.queue.isFreed else {
                        // Active requests continue; waiting ones stay in progress forever.
                        for write in writes where !write.isFreed { write.free() }
                        return XCTAssertEqual(bench.memory.totalBlocks, blocks - 1, "after \(turns) turns")
                    }
                    XCTAssertEqual(bench.queue.length, 0, "after \(turns) turns, freeing \(victim)")
                    XCTAssertEqual(bench.memory.totalBlocks, blocks, "after \(turns) turns, freeing \(victim)")
                    XCTAssertEqual(bench.lines.contains("A done"), bench.reader.letters.contains("AA"))
                    XCTAssertEqual(bench.lines.contains("C done"), bench.reader.letters.hasSuffix("C"))
                    XCTAssertGreaterThanOrEqual(bench.lines.count, 3, "the others are done")
                }
            }
        }
    }

    func testAHundredWritesLeaveNothingBehind() throws {
        try onEachBackend { bench in
            let blocks = bench.memory.totalBlocks
            for _ in 1...100 { try bench.send("A", pipefuls: 0) }
            XCTAssertEqual(bench.queue.length, 100)
            try bench.run()
            XCTAssertEqual(bench.lines.count, 100)
            XCTAssertEqual(bench.memory.totalBlocks, blocks)
        }
    }

    func testWithoutMemorySendThrowsOrTheRequestFailsAndNothingIsHeldUp() throws {
        try onEachBackend { bench in
            var statuses: Set<String> = []
            for limit in stride(from: 1, through: 20_000, by: 8) {
                let client = try TallocContext(under: bench.memory, named: "client")
                try client.setMemoryLimit(bytes: limit)
                var status = "thrown"
                do throws(TeventError) {
                    let write = try QueuedWrite.send(
                        bench.reader.message("A", pipefuls: 2), to: bench.reader.writer, through: bench.queue,
                        on: bench.events, under: client)
                    write.setCallback { write in
                        status = "\(write.status)"
                        write.free()
                    }
                    try bench.reader.run(bench.events)
                } catch {
                    guard case .outOfMemory = error else { return XCTFail("\(error)") }
                }
                XCTAssertEqual(bench.queue.length, 0)
                XCTAssertEqual(client.totalBlocks, 1, "under a limit of \(limit) bytes")
                client.free()
                statuses.insert(status)
                if status == "done" { break }
            }
            XCTAssertEqual(statuses, ["thrown", "no memory", "done"])
        }
    }
}
