import Talloc
import Tevent
import TeventRecording
import XCTest

/// What is recorded of each kind of object: known programs on a clock that stands still give exactly these steps.
final class RecorderTests: RecordingTestCase {
    // MARK: Events

    func testATimersLife() throws {
        try record { events, clock in
            try events.addTimer(after: .nanoseconds(5), line: 1) { timer, _ in
                if clock.now == EventInstant(nanoseconds: 7) { timer.update(after: .nanoseconds(3)) }
            }
            clock.advance(by: .nanoseconds(7))
            try events.loopOnce()
            clock.advance(by: .nanoseconds(3))
            try events.loopOnce()
        } expecting: {
            [
                "made timer T:1 with context",
                "attached timer T:1 with context value 5 detail 5",
                "turnBegin context value 1",
                "begin timer T:1 with context value 5 detail 2",
                "changed timer T:1 with context value 10 detail 3",
                "end timer T:1", "turnEnd context",
                "turnBegin context value 1",
                "begin timer T:1 with context value 10",
                "end timer T:1",
                "detached timer T:1 with context", "freed timer T:1",
                "turnEnd context",
            ]
        }
    }

    func testAnImmediatesLife() throws {
        try record { events, _ in
            let immediate = try ImmediateEvent(under: events, line: 2)
            immediate.schedule(on: events) { _, _ in }
            try events.loopOnce()
            immediate.schedule(on: events) { _, _ in }
            immediate.cancel()
            immediate.free()
        } expecting: {
            [
                "made immediate T:2 with context",
                "attached immediate T:2 with context",
                "turnBegin context value 1",
                "begin immediate T:2 with context",
                "detached immediate T:2 with context",
                "end immediate T:2",
                "turnEnd context",
                "attached immediate T:2 with context",
                "detached immediate T:2 with context",
                "freed immediate T:2",
            ]
        }
    }

    func testASignalsLife() throws {
        try record { events, _ in
            let signal = try events.addSignal(.user1, line: 3) { _, _ in events.stop() }
            Signal.user1.raise()
            Signal.user1.raise()
            try events.loopOnce()
            Signal.user1.raise()
            try events.loopOnce()
            signal.free()
        } expecting: {
            [
                "made signal T:3 with context",
                "attached signal T:3 with context value 10 SIGUSR1",
                "arrived signal T:3 with context value 10",
                "turnBegin context value 1",
                "begin signal T:3 with context value 10 detail 2",
                "end signal T:3", "turnEnd context",
                "arrived signal T:3 with context value 10",
                "turnBegin context value 1",
                "begin signal T:3 with context value 10 detail 1",
                "end signal T:3", "turnEnd context",
                "detached signal T:3 with context value 10", "freed signal T:3",
            ]
        }
    }

    func testADescriptorsLifeAndTheWait() throws {
        let pipe = try SystemIO.pipe()
        defer { SystemIO.close(pipe.writer) }
        _ = try SystemIO.write(pipe.writer, [1])
        let number = pipe.reader
        try record { events, _ in
            let event = try events.addFD(number, .read, line: 4) { event, _ in event.flags = [] }
            try events.loopOnce()
            event.free()
        } expecting: {
            [
                "made fd T:4 with context",
                "attached fd T:4 with context value \(number) detail 1",
                "turnBegin context value 1",
                "waitBegin context", "waitEnd context value 1",
                "begin fd T:4 with context value \(number) detail 1",
                "changed fd T:4 with context value \(number)",
                "end fd T:4", "turnEnd context",
                "detached fd T:4 with context value \(number)", "freed fd T:4",
            ]
        }
        SystemIO.close(number)
    }

    func testTags() throws {
        let recording = try recorded { events, _ in
            try events.addTimer(at: .zero) { _, _ in }.tag = 1
            let signal = try events.addSignal(.user1) { _, _ in }
            signal.tag = 2
            signal.tag = .max
            try RequestQueue(label: "queue", under: events).add(Request(0, under: events), on: events) { _ in }.tag = 3
        }
        let tags = Dictionary(recording.objects.map { ($0.kind, $0.tag) }) { $1 }
        XCTAssertEqual([tags[.timer], tags[.signal], tags[.entry], tags[.queue]], [1, .max, 3, 0])
        XCTAssertFalse(recording.steps.contains { $0.what == .tagged }, "a tag is a property, not a step")
        let page = String(decoding: recording.bytes(in: .page), as: UTF8.self)
        XCTAssertTrue(page.contains(",\"18446744073709551615\"]"), "a tag is written in full")
    }

    func testRecordsOfOneMomentShareItsTime() throws {
        let recording = try recorded { events, _ in
            try ImmediateEvent(under: events).schedule(on: events) { immediate, _ in immediate.free() }
            try events.loopOnce()
            let request = try Request(0, under: events)
            request.setCallback { request in
                request.discard()
                request.free()
            }
            request.finish()
        }
        let steps = recording.steps.drop { $0.what != .turnBegin }
        let times = Dictionary(grouping: steps, by: \.time).values.map { $0.map(\.what) }
        XCTAssertEqual(
            Set(times),
            [
                [.turnBegin, .begin, .detached, .freed], [.end, .turnEnd], [.made], [.ended, .begin],
                [.received, .freed], [.end],
            ])
    }

    // MARK: Requests and queues

    private struct Sum {}
    private struct Part {}

    func testTheLifeOfNestedRequests() throws {
        try record { events, _ in
            let sum = try Request(Sum(), under: events, line: 5)
            let part = try Request(Part(), under: sum, line: 6)
            part.setCallback(for: sum) { part, sum in
                _ = try? part.receive { _ in }
                part.free()
                sum.finish(line: 8)
            }
            part.finish(line: 7)
            try sum.receive { _ in }
            sum.free()
        } expecting: {
            [
                "made request Sum T:5 with context",
                "made request Part T:6 with request Sum T:5",
                "ended request Part T:6 value 1 \(Self.file) line 7",
                "begin request Part T:6 value 1",
                "received request Part T:6",
                "freed request Part T:6",
                "ended request Sum T:5 value 1 \(Self.file) line 8",
                "end request Part T:6",
                "received request Sum T:5",
                "freed request Sum T:5",
            ]
        }
    }

    func testAPostedRequest() throws {
        try record { events, _ in
            let request = try Request(Sum(), under: events, line: 5)
            request.fail(TeventError.nestedLoop, line: 6)
            request.post(on: events).setCallback { $0.free() }
            try events.loopOnce()
        } expecting: {
            [
                "made request Sum T:5 with context",
                "ended request Sum T:5 value 2 \(Self.file) line 6",
                "attached request Sum T:5 with context",
                "turnBegin context value 1",
                "detached request Sum T:5 with context",
                "begin request Sum T:5 with context value 2",
                "freed request Sum T:5",
                "end request Sum T:5",
                "turnEnd context",
            ]
        }
    }

    func testAQueue() throws {
        try record { events, _ in
            let queue = try RequestQueue(label: "printer", under: events, line: 9)
            queue.stop()
            let request = try Request(Sum(), under: events, line: 5)
            try queue.add(request, on: events, line: 10) { $0.finish(line: 11) }
            queue.start()
            try events.loopOnce()
            request.free()
        } expecting: {
            [
                "made queue printer T:9 with context",
                "stopped queue printer T:9",
                "made request Sum T:5 with context",
                "made entry T:10 with request Sum T:5",
                "joined entry T:10 with queue printer T:9",
                "started queue printer T:9",
                "attached queue printer T:9 with context",
                "turnBegin context value 1",
                "detached queue printer T:9 with context",
                "begin entry T:10 with queue printer T:9",
                "ended request Sum T:5 value 1 \(Self.file) line 11",
                "end entry T:10",
                "turnEnd context",
                "freed request Sum T:5",
                "left entry T:10 with queue printer T:9",
                "freed entry T:10",
            ]
        }
    }

    // MARK: Memory

    func testMemory() throws {
        try record { events, _ in
            let first = try TallocContext(under: events, named: "first")
            let second = try TallocChunk([1], under: events)
            second.move(under: first)
            try first.setName("a new name")
            second.moveToRoot()
            second.free()
            first.free()
        } expecting: {
            [
                "made memory a new name with context",
                "made memory Array<Int> with context",
                "moved memory Array<Int> with memory a new name",
                "moved memory Array<Int>",
                "freed memory Array<Int>",
                "freed memory a new name",
            ]
        }
    }

    // MARK: Messages

    func testAMessageFromAnotherThread() throws {
        try record { events, _ in
            let inbox = try ThreadInbox(on: events, under: events, line: 12)
            try inbox.proxy.schedule { _ in }
            try events.loopOnce()
            inbox.free()
        } expecting: {
            [
                "made inbox T:12 with context",
                "sent inbox T:12 value 1",
                "turnBegin context value 1",
                "arrived inbox T:12 with context value 1",
                "begin inbox T:12 with context value 1",
                "end inbox T:12",
                "turnEnd context",
                "freed inbox T:12",
            ]
        }
    }

    func testAThreadedImmediateHasItsName() throws {
        let recording = try recorded { events, _ in _ = try ThreadedImmediate(on: events) { _, _ in } }
        XCTAssertEqual(
            recording.objects.filter { $0.kind == .inbox }.map { recording.strings[$0.name] },
            ["struct tevent_threaded_context"])
    }

    /// The sender may not look at an inbox, which its own thread may be freeing.
    func testAMessageThatHasNotArrivedNamesNoInbox() throws {
        try record { events, _ in
            let inbox = try ThreadInbox(on: events, under: events, line: 12)
            try inbox.proxy.schedule { _ in }
        } expecting: {
            ["made inbox T:12 with context", "sent value 1"]
        }
    }

    // MARK: The program's own

    func testNotes() throws {
        let long = String(repeating: "a long remark ", count: 20)
        try withTallocContext { memory in
            let events = try EventContext(under: memory)
            let recorder = try EventRecorder(on: events, under: memory)
            recorder.note("short")
            recorder.note(long)
            recorder.note("")
            let notes = recorder.recording.steps.filter { $0.what == .note }
            XCTAssertEqual(notes.map { recorder.recording.strings[$0.text] }, ["short", long, ""])
        }
    }
}
