import Talloc
import Tevent
import TeventRecording
import XCTest

/// A test that records.
class RecordingTestCase: XCTestCase {
    /// The name that `#fileID` has in the tests of recorders.
    static let file = "TeventRecordingTests/RecorderTests.swift"

    /// Records a program on each backend, and compares the steps, in which "T" stands for the test's file.
    func record(
        file: StaticString = #filePath, line: UInt = #line,
        _ program: (EventContext, ManualClock) throws -> Void, expecting expected: () -> [String]
    ) throws {
        for backend in EventContext.backends {
            let recording = try recorded(on: backend, program)
            let beginning = try XCTUnwrap(recording.steps.firstIndex { $0.what == .note })
            let steps = recording.steps.dropFirst(beginning + 1).map {
                let step = recording.describe($0).replacing(#/\w+Tests.swift:/#, with: "T:")
                // The size differs from version to version of the engine.
                return step.hasPrefix("made ") ? step.replacing(#/ value \d+/#, with: "") : step
            }
            XCTAssertEqual(steps, expected(), "on \(backend)", file: file, line: line)
        }
    }

    /// What a program on a clock that stands still does, without what existed before.
    func recorded(
        on backend: String = EventContext.defaultBackend, capacity: Int = EventRecorder.usualCapacity,
        _ program: (EventContext, ManualClock) throws -> Void
    ) throws -> EventRecording {
        try withTallocContext(named: "memory") { memory in
            let clock = ManualClock(now: .zero)
            let events = try EventContext(under: memory, backend: backend, clock: clock)
            let below = try TallocContext(under: memory)
            let recorder = try EventRecorder(on: events, under: below, capacity: capacity)
            recorder.note("the program begins")
            try program(events, clock)
            return recorder.recording
        }
    }
}
