import CTestSupport
import Talloc
import TestSupport
import Tevent
import TeventRecording
import XCTest

/// The memory of a recording: how much it keeps, and that it takes nothing else.
final class RingTests: RecordingTestCase {
    func testAFullRingKeepsTheNewestAndCountsTheRest() throws {
        let recording = try recorded(capacity: 10) { events, _ in
            for _ in 0..<7 { try events.addTimer(at: .zero) { _, _ in }.free() }
        }
        // Each of the seven is made, attached, detached and freed.
        XCTAssertEqual(recording.steps.count, 10)
        XCTAssertGreaterThanOrEqual(recording.lost, 28 - 10)
        XCTAssertEqual(
            recording.steps.suffix(4).map(\.what), [.made, .attached, .detached, .freed], "the newest are left")
        XCTAssertEqual(recording.steps.first?.what, .detached, "the oldest are overwritten")
        XCTAssertEqual(recording.objects.filter { $0.kind == .timer }.count, 3, "one is known from its end only")
    }

    func testARecordingThatLostItsBeginningIsWritten() throws {
        let recording = try recorded(capacity: 5) { events, _ in
            for _ in 0..<3 {
                ImmediateLoop(on: events).run()
                try events.loopOnce()
            }
        }
        for form in EventRecording.Form.allCases { XCTAssertFalse(recording.bytes(in: form).isEmpty) }
    }

    private struct ImmediateLoop {
        let events: EventContext

        init(on events: EventContext) { self.events = events }

        func run() {
            let immediate = try? ImmediateEvent(under: events)
            immediate?.schedule(on: events) { immediate, _ in immediate.free() }
        }
    }

    func testARecordTakesNoMoreThan64Bytes() {
        XCTAssertLessThanOrEqual(EventRecorder.bytesPerRecord, 64)
    }

    func testNothingIsAllocatedWhileRecording() throws {
        try withTallocContext { memory in
            let events = try EventContext(under: memory, clock: ManualClock())
            let immediate = try ImmediateEvent(under: memory)
            func turn() throws {
                immediate.schedule(on: events) { _, _ in }
                try events.loopOnce()
                let request = try Request(1, under: memory)
                request.setCallback { $0.free() }
                request.finish()
            }
            let recorder = try EventRecorder(on: events, under: memory)
            for _ in 0..<10 { try turn() }
            let before = test_allocations()
            for _ in 0..<100 { try turn() }
            // libtalloc calls malloc for each request; recording adds nothing to that.
            XCTAssertEqual(test_allocations() - before, test_counts_allocations() == 0 ? 0 : 100)
            XCTAssertGreaterThan(recorder.recording.steps.count, 100 * 10)
        }
    }

    func testManyNamesAreKeptOnceEach() throws {
        let recording = try recorded { events, _ in
            for number in 0..<6000 { try TallocContext(under: events).setName("name \(number % 3000)") }
        }
        let names = Set(recording.objects.map { recording.strings[$0.name] })
        XCTAssertTrue((0..<3000).allSatisfy { names.contains("name \($0)") })
    }

    func testTooManyNamesShareOne() throws {
        let recording = try recorded { events, _ in
            for number in 0..<5000 { try TallocContext(under: events).setName("name \(number)") }
        }
        XCTAssertTrue(recording.strings.contains("(more names than a recording keeps)"))
        XCTAssertTrue(recording.strings.contains("name 3000"))
    }

    func testAVeryLongNameIsCut() throws {
        let recording = try recorded { events, _ in
            try TallocContext(under: events).setName(String(repeating: "n", count: 5000))
        }
        XCTAssertEqual(recording.strings.map(\.utf8.count).max(), 1023)
    }

    func testFreeingTheRecorderEndsTheRecording() throws {
        try withTallocContext { memory in
            let events = try EventContext(under: memory)
            for _ in 0..<3 {
                let recorder = try EventRecorder(on: events, under: memory, capacity: 100)
                XCTAssertGreaterThan(recorder.recording.steps.count, 0)
                recorder.free()
                try events.addTimer(at: .zero) { _, _ in }
                try events.loopOnce()
            }
        }
    }

    func testASecondRecorderOfAThreadTraps() throws {
        let second = try runInChild(self) {
            let memory = try TallocContext()
            let events = try EventContext(under: memory)
            for _ in 0..<2 { _ = try EventRecorder(on: events, under: memory) }
        }
        XCTAssertNotNil(second.signal)
        XCTAssertTrue(second.stderr.contains("this thread is recorded already; free its recorder"), second.stderr)
    }

    func testARecorderWithoutRoomTraps() throws {
        let empty = try runInChild(self) {
            let memory = try TallocContext()
            _ = try EventRecorder(on: EventContext(under: memory), under: memory, capacity: 0)
        }
        XCTAssertTrue(empty.stderr.contains("a recorder of 0 records cannot be made"), empty.stderr)
    }
}
