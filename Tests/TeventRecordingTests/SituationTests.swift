import CTestSupport
import Foundation
import Talloc
import TestSupport
import Tevent
import TeventRecording
import XCTest

/// Recordings of whole situations: freeing in handlers, nesting, forks, several threads.
final class SituationTests: RecordingTestCase {
    func testFreeingAnEventInItsHandler() throws {
        try record { events, _ in
            try events.addTimer(at: .zero, line: 1) { timer, _ in timer.free() }
            try events.loopOnce()
        } expecting: {
            [
                "made timer T:1 with context", "attached timer T:1 with context",
                "turnBegin context value 1", "begin timer T:1 with context",
                "detached timer T:1 with context", "freed timer T:1",
                "end timer T:1", "turnEnd context",
            ]
        }
    }

    func testFreeingTheContextInAHandler() throws {
        try withTallocContext { memory in
            let events = try EventContext(under: memory)
            let recorder = try EventRecorder(on: events, under: memory)
            try events.addTimer(at: .zero, line: 1) { _, _ in events.free() }
            try events.loopOnce()
            XCTAssertEqual(
                recorder.recording.steps.suffix(5).map { "\($0.what)" },
                ["freed", "detached", "freed", "end", "turnEnd"], recorder.recording.description)
        }
    }

    func testANestedLoop() throws {
        try record { events, _ in
            events.allowNesting()
            try ImmediateEvent(under: events, line: 1).schedule(on: events) { immediate, events in
                immediate.schedule(on: events) { _, _ in }
                _ = try? events.loopOnce()
            }
            try events.loopOnce()
        } expecting: {
            [
                "made immediate T:1 with context", "attached immediate T:1 with context",
                "turnBegin context value 1", "begin immediate T:1 with context", "detached immediate T:1 with context",
                "attached immediate T:1 with context",
                "turnBegin context value 2", "begin immediate T:1 with context", "detached immediate T:1 with context",
                "end immediate T:1", "turnEnd context",
                "end immediate T:1", "turnEnd context",
            ]
        }
    }

    func testWhatExistedBeforeIsRecordedAsMadeAndAttached() throws {
        try withTallocContext(named: "root") { memory in
            let events = try EventContext(under: memory, clock: ManualClock(now: .zero))
            try events.addTimer(after: .seconds(1), line: 1) { _, _ in }
            try ImmediateEvent(under: events, line: 2).schedule(on: events) { _, _ in }
            let signal = try events.addSignal(.user1, line: 3) { _, _ in }
            let request = try Request(5, under: events, line: 4)
            request.finish()
            request.post(on: events)
            let recorder = try EventRecorder(on: events, under: memory)
            let recording = recorder.recording
            let steps = recording.steps.map {
                recording.describe($0).replacing("SituationTests.swift:", with: "T:")
                    .replacing(#/ value \d+$/#, with: "")
            }
            XCTAssertEqual(
                Set(steps),
                [
                    "made memory root", "made context with memory root", "made timer T:1 with context",
                    "made immediate T:2 with context", "made signal T:3 with context",
                    "made request Int T:4 with context",
                    "attached signal T:3 with context value 10 SIGUSR1", "attached immediate T:2 with context",
                    "attached request Int T:4 with context",
                    "attached timer T:1 with context value 1000000000 detail 1000000000",
                ], "\(steps)")
            signal.free()
        }
    }

    func testTheChildOfAForkBeginsWithNothing() throws {
        try withTallocContext { memory in
            let events = try EventContext(under: memory)
            let recorder = try EventRecorder(on: events, under: memory)
            recorder.note("in the parent")
            let pipe = try SystemIO.pipe()
            let child = test_fork()
            if child == 0 {
                recorder.note("in the child")
                let recording = recorder.recording
                let steps = recording.steps.map(recording.describe).joined(separator: "; ")
                _ = try? SystemIO.write(pipe.writer, Array(steps.utf8))
                _exit(0)
            }
            SystemIO.close(pipe.writer)
            waitpid(child, nil, 0)
            let said = FileHandle(fileDescriptor: pipe.reader, closeOnDealloc: true).readDataToEndOfFile()
            XCTAssertEqual(String(decoding: said, as: UTF8.self), "note in the child")
            XCTAssertTrue(recorder.recording.strings.contains("in the parent"))
        }
    }

    func testTwoThreadsAreMergedByTime() throws {
        try withTallocContext { memory in
            let events = try EventContext(under: memory)
            let recorder = try EventRecorder(on: events, under: memory)
            let inbox = try ThreadInbox(on: events, under: events)
            let proxy = inbox.proxy
            recorder.note("first")
            let other = Thread { try? proxy.schedule { $0.stop() } }
            other.start()
            try events.loopWait()
            recorder.note("last")
            let recording = recorder.recording
            XCTAssertEqual(recording.steps.map(\.time), recording.steps.map(\.time).sorted())
            XCTAssertEqual(
                recording.steps.map(\.what).filter { [.note, .sent, .arrived].contains($0) }, [.note, .arrived, .note],
                "only this thread is recorded")
        }
    }

    func testALatenessOfManyYearsIsKept() throws {
        let recording = try recorded { events, clock in
            try events.addTimer(at: .zero) { _, _ in }
            clock.advance(by: .seconds(2_000_000_000))
            try events.loopOnce()
        }
        let begin = try XCTUnwrap(recording.steps.first { $0.what == .begin })
        XCTAssertEqual(begin.detail, 2_000_000_000_000_000_000)
    }

    func testAProgramsRecordingHasTheThreadsByName() throws {
        let result = try runInChild(self) {
            let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + ".json").path()
            try ProgramRecording.begin(writingTo: path, includesOutput: false)
            for name in ["sender", "receiver"] {
                let thread = try SystemThread(named: name) { _ = try? TallocContext().free() }
                try thread.join()
            }
            let memory = try TallocContext()
            // A recorder in a program that is recorded is a part of that.
            let recorder = try EventRecorder(on: EventContext(under: memory), under: memory)
            recorder.note("from the recorder")
            try ProgramRecording.write()
            print(try String(contentsOfFile: path, encoding: .utf8))
            try FileManager.default.removeItem(atPath: path)
        }
        for text in ["sender", "receiver", "main", "from the recorder"] {
            XCTAssertTrue(result.stdout.contains("\"\(text)\""), "\(text) is not in \(result.stdout)\(result.stderr)")
        }
    }

    func testMoreThreadsThanRingsTakeOverThoseOfEndedThreads() throws {
        let result = try runInChild(self) {
            let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + ".json").path()
            try ProgramRecording.begin(writingTo: path, capacity: 100, includesOutput: false)
            for _ in 0..<200 { try SystemThread(named: "one of many") { _ = try? TallocContext().free() }.join() }
            try ProgramRecording.write()
            print(try String(contentsOfFile: path, encoding: .utf8))
            try FileManager.default.removeItem(atPath: path)
        }
        // Two records each, of which those of 136 threads are lost.
        XCTAssertTrue(result.stdout.contains("\"lost\":272"), result.stdout + result.stderr)
    }

    func testAContextThatWasFirstMetAsAParentIsAContext() throws {
        let recording = try recorded(capacity: 4) { events, _ in
            // Of the context itself, no record is left.
            for _ in 0..<3 { try events.addTimer(at: .zero) { _, _ in } }
        }
        XCTAssertEqual(recording.steps.map(\.what), [.made, .attached, .made, .attached])
        XCTAssertEqual(recording.objects.map(\.kind), [.context, .timer, .timer])
    }
}
