import Chapter5Queues
import Talloc
import TestSupport
import Tevent
import TeventExtras
import XCTest

/// What goes wrong in practice, and what it looks like.
final class TrapTests: QueueTestCase {
    // snippet: waits-for-itself
    /// Sends a message and its seal; the seal is sent through the same queue while the message has its turn.
    private func sendSealed(_ bench: Bench, isSealQueued: Bool) throws {
        let letter = try Request(Held(), under: bench.memory)
        try bench.queue.add(letter, on: bench.events) { letter in
            sure {
                let seal = bench.reader.message("S", pipefuls: 1)
                guard isSealQueued else {
                    return try WriteAll.send(seal, to: bench.reader.writer, on: bench.events, under: letter)
                        .setCallback { _ in letter.finish() }
                }
                try QueuedWrite.send(
                    seal, to: bench.reader.writer, through: bench.queue, on: bench.events, under: letter
                ).setCallback { _ in letter.finish() }
            }
        }
        letter.setCallback { letter in
            bench.log.add("letter", "is sealed")
            letter.free()
        }
    }
    // snippet-end: waits-for-itself

    func testARequestThatWaitsForItselfWaitsForever() throws {
        try onEachBackend { bench in
            try sendSealed(bench, isSealQueued: true)
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, [])
            XCTAssertEqual(bench.queue.entries.map(\.isTriggered), [true, false])
            XCTAssertEqual(bench.queue.entries.map(\.request.isInProgress), [true, true])
            XCTAssertEqual(
                bench.queue.entries[1].request.parent, bench.queue.entries[0].request.tallocContext,
                "the one that waits is below the one that is active")
        }
    }

    func testTheActiveRequestWritesWithoutTheQueue() throws {
        try onEachBackend { bench in
            try sendSealed(bench, isSealQueued: false)
            try bench.send("A", pipefuls: 1)
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.lines, ["letter is sealed", "A done"])
            XCTAssertEqual(bench.reader.letters, "SA")
        }
    }

    func testACallbackThatSendsTheNextUnderItsOwnRequestFreesItToo() throws {
        try onEachBackend { bench in
            let first = try bench.send("A", pipefuls: 1)
            first.setCallback { first in
                sure { try first.receive() }
                sure {
                    let next = bench.reader.message("B", pipefuls: 1)
                    _ = try QueuedWrite.send(
                        next, to: bench.reader.writer, through: bench.queue, on: bench.events, under: first)
                }
                first.free()
            }
            try bench.reader.run(bench.events)
            XCTAssertEqual(bench.reader.letters, "A")
            XCTAssertEqual(bench.queue.length, 0)
        }
    }

    func testACallbackThatStartsTheNextBeforeItFreesItsOwnIsNotAlone() throws {
        for freesFirst in [true, false] {
            try onEachBackend { bench in
                let first = try bench.hold("first")
                first.setCallback { first in
                    if freesFirst { first.free() }
                    let next = sure { try Request(Held(), under: bench.memory) }
                    _ = sure {
                        try bench.queue.addOrStart(next, on: bench.events) { _ in bench.log.add("next", "begins") }
                    }
                    bench.log.add("callback", "has sent the next")
                    if !freesFirst { first.free() }
                }
                try bench.run()
                first.finish()
                try bench.run()
                let order = ["next begins", "callback has sent the next"]
                XCTAssertEqual(bench.lines, ["first begins"] + (freesFirst ? order : order.reversed()))
            }
        }
    }

    func testUntriggeringAQueueThatRunsIsATrap() throws {
        let result = try runInChild(self) {
            let bench = try Bench(EventContext.defaultBackend)
            _ = try bench.hold("A")
            try bench.run()
            bench.queue.entries[0].untrigger()
        }
        XCTAssertNotNil(result.signal)
        XCTAssert(
            result.stderr.contains("the queue 'line' must be stopped before its active entry is untriggered"),
            result.stderr)
    }
}
