import Talloc
import TeventRecording
import TeventTasks
import XCTest

final class TaskRecordingTests: TaskTestCase {
    func testARecordingSaysWhenATaskBeginsWaitsGoesOnAndReturns() throws {
        try onBothBackends { events, memory, _ in
            let recorder = try EventRecorder(on: events, under: memory)
            defer { recorder.free() }
            try events.run { try await events.sleep(for: .seconds(1)) }
            let recording = recorder.recording
            let steps = recording.steps.filter { $0.object >= 0 && recording.objects[$0.object].kind == .task }
            XCTAssertEqual(
                steps.map { "\($0.what) \($0.other < 0 ? "" : self.words(recording.label(of: $0.other)))" },
                [
                    "attached context", "begin context", "awaits request Wakeup", "end ",
                    "attached context", "begin context", "freed ", "end ",
                ])
            XCTAssertEqual(Set(steps.map(\.object)).count, 1, "all of it is one task")
        }
    }

    /// A label without the place.
    private func words(_ label: String) -> String { label.split(separator: " ").prefix(2).joined(separator: " ") }

    func testEachTaskIsAnObjectOfItsOwn() throws {
        try onBothBackends { events, memory, _ in
            let recorder = try EventRecorder(on: events, under: memory)
            defer { recorder.free() }
            try events.run {
                for _ in 0..<3 { try await events.task(under: memory) {}.value }
            }
            XCTAssertEqual(recorder.recording.objects.filter { $0.kind == .task }.count, 4)
        }
    }

    func testRecordingChangesNothingOfWhatTasksDo() throws {
        try onBothBackends { events, memory, _ in
            var orders: [[String]] = []
            for isRecorded in [false, true] {
                let recorder = isRecorded ? try EventRecorder(on: events, under: memory) : nil
                defer { recorder?.free() }
                let notes = Notes()
                try events.run {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for number in 0..<5 {
                            try group.addTask(on: events) {
                                notes.add("\(number) begins")
                                try await events.sleep(for: .seconds(number % 2))
                                notes.add("\(number) ends")
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                orders.append(notes.lines)
            }
            XCTAssertEqual(orders[0], orders[1])
            XCTAssertEqual(orders[0].count, 10)
        }
    }
}
