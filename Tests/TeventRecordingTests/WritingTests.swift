import CTestSupport
import Foundation
import Talloc
import TestSupport
import Tevent
import TeventRecording
import XCTest

/// The two forms of a recording, and writing them.
final class WritingTests: RecordingTestCase {
    /// A run with one of everything that becomes a trace event.
    private func sample() throws -> EventRecording {
        try recorded { events, _ in
            let queue = try RequestQueue(label: "printer", under: events)
            let inbox = try ThreadInbox(on: events, under: events)
            try ImmediateEvent(under: events).schedule(on: events) { immediate, events in
                immediate.schedule(on: events) { _, _ in }
                try? inbox.proxy.schedule { _ in }
                guard let request = try? Request("work", under: events) else { return }
                _ = try? queue.add(request, on: events) { $0.finish() }
                request.setCallback { $0.free() }
            }
            try events.addTimer(at: .zero) { _, _ in }
            while try events.loopOnce() == .handled, !events.timers.isEmpty || queue.length > 0 {}
            inbox.free()
        }
    }

    // MARK: Trace events

    private struct Trace: Decodable {
        let traceEvents: [Event]

        struct Event: Decodable {
            let ph: String
            let tid: Int
            let ts: Double
            let name: String?
            let cat: String?
            let id: Int?
            let args: [String: Scalar]?
        }
    }

    private func trace(_ recording: EventRecording) throws -> [Trace.Event] {
        try JSONDecoder().decode(Trace.self, from: Data(recording.bytes(in: .traceEvents))).traceEvents
    }

    func testSlicesNestAndEnd() throws {
        let events = try trace(sample())
        var open: [Int: [Double]] = [:]
        for event in events {
            if event.ph == "B" { open[event.tid, default: []].append(event.ts) }
            if event.ph == "E" { XCTAssertLessThanOrEqual(try XCTUnwrap(open[event.tid]?.popLast()), event.ts) }
        }
        XCTAssertTrue(open.values.allSatisfy(\.isEmpty))
        let slices = events.filter { $0.ph == "B" }
        XCTAssertEqual(Set(slices.compactMap(\.cat)), ["turn", "immediate", "timer", "inbox", "entry", "callback"])
        // An entry has no name; its queue has.
        let entry = try XCTUnwrap(slices.first { $0.cat == "entry" }?.name)
        XCTAssertTrue(entry.hasPrefix("entry of queue printer WritingTests.swift:"), entry)
    }

    func testRequestsBeginAndEndUnderTheirNumber() throws {
        let events = try trace(sample())
        let begins = events.filter { $0.ph == "b" }
        XCTAssertEqual(begins.map { $0.name?.hasPrefix("request String") }, [true])
        XCTAssertEqual(begins.map(\.id), events.filter { $0.ph == "e" }.map(\.id))
        XCTAssertEqual(events.filter { $0.ph == "n" }.map(\.name), ["done"])
    }

    func testFlowsHaveBothEnds() throws {
        let events = try trace(sample())
        let (starts, ends) = (events.filter { $0.ph == "s" }, events.filter { $0.ph == "f" })
        XCTAssertEqual(starts.map(\.id), ends.map(\.id))
        // The immediate scheduled again, the message, and the queue's first entry.
        XCTAssertEqual(starts.count, 3)
        for (start, end) in zip(starts, ends) { XCTAssertLessThan(start.ts, end.ts) }
    }

    func testTextsAreEscapedNoMoreThanAViewerUndoes() throws {
        let recording = try recorded { events, _ in ProgramRecording.note("a < b\n") }
        let json = String(decoding: recording.bytes(in: .traceEvents), as: UTF8.self)
        XCTAssertTrue(json.contains("\"a < b\""), json)
    }

    func testListsAreCounted() throws {
        let counters = try trace(sample()).filter { $0.ph == "C" }
        let waiting = Dictionary(grouping: counters, by: { $0.name ?? "" }).mapValues { $0.map { $0.args?["waiting"] } }
        XCTAssertEqual(waiting["timers of context"], [.number(1), .number(0)])
        XCTAssertEqual(waiting.first { $0.key.hasPrefix("entries of queue printer") }?.value, [.number(1), .number(0)])
    }

    func testWhatIsStillRunningEndsWithTheRecording() throws {
        try withTallocContext { memory in
            let events = try EventContext(under: memory)
            let recorder = try EventRecorder(on: events, under: memory)
            var recording: EventRecording?
            try events.addTimer(at: .zero) { _, _ in recording = recorder.recording }
            try events.loopOnce()
            let found = try trace(XCTUnwrap(recording))
            XCTAssertEqual(found.filter { $0.ph == "B" }.count, 2)
            XCTAssertEqual(found.filter { $0.ph == "E" }.count, 2)
        }
    }

    // MARK: The page

    private struct PlayerData: Decodable {
        let format: Int
        let program: String
        let strings: [String]
        let records: [[Scalar]]
    }

    private func data(of recording: EventRecording) throws -> PlayerData {
        let page = String(decoding: recording.bytes(in: .page), as: UTF8.self)
        let begin = try XCTUnwrap(page.range(of: #"<script type="application/json" id="recording">"#)).upperBound
        let end = try XCTUnwrap(page.range(of: "</script>", range: begin..<page.endIndex)).lowerBound
        return try JSONDecoder().decode(PlayerData.self, from: Data(page[begin..<end].utf8))
    }

    func testThePageHoldsTheRecords() throws {
        let recording = try sample()
        let data = try data(of: recording)
        XCTAssertEqual(data.format, 1)
        XCTAssertEqual(data.program, recording.program)
        XCTAssertEqual(data.records.map { $0[2] }, recording.steps.map { .text("\($0.what)") })
        XCTAssertTrue(data.records.allSatisfy { $0.count == 9 })
    }

    func testHostileTextStaysText() throws {
        let hostile = "</script><img onerror=alert(1)>{{script}}&\u{1}\"\\\n"
        try withTallocContext { memory in
            let recorder = try EventRecorder(on: EventContext(under: memory), under: memory)
            recorder.note(hostile)
            let recording = recorder.recording
            XCTAssertTrue(try data(of: recording).strings.contains(hostile))
            let page = String(decoding: recording.bytes(in: .page), as: UTF8.self)
            XCTAssertFalse(page.contains("<img"))
            _ = try trace(recording)
        }
    }

    func testEveryFileOfThePlayerIsInThePage() throws {
        let page = String(decoding: try sample().bytes(in: .page), as: UTF8.self)
        let folder = projectFolder.appending(path: "Player")
        let order = try String(contentsOf: folder.appending(path: "order.txt"), encoding: .utf8).split(separator: "\n")
        let scripts = try FileManager.default.contentsOfDirectory(atPath: folder.path()).filter { $0.hasSuffix(".js") }
        XCTAssertEqual(Set(scripts), Set(order.map(String.init)))
        var place = page.startIndex
        for file in order {
            let text = try String(contentsOf: folder.appending(path: String(file)), encoding: .utf8)
            place = try XCTUnwrap(page.range(of: text, range: place..<page.endIndex), String(file)).upperBound
        }
    }

    func testTheSourcesAreInThePageIfTheyAreThere() throws {
        let page = String(decoding: try sample().bytes(in: .page), as: UTF8.self)
        XCTAssertFalse(page.contains("\"sources\":{}"), "this file is found in Tests")
    }

    // MARK: Files

    func testAPathThatNamesNoFormIsRefused() throws {
        let recording = try sample()
        for path in ["run", "run.htm", "run.html.txt", ""] {
            XCTAssertThrowsError(try recording.write(to: path)) {
                XCTAssertEqual($0 as? RecordingError, .unknownForm(path: path))
            }
        }
    }

    func testAFileIsWrittenAsAWholeOrNotAtAll() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let recording = try sample()
        for name in ["run.html", "run.json"] {
            let path = folder.appending(path: name).path()
            try Data("before".utf8).write(to: URL(filePath: path))
            try recording.write(to: path)
            XCTAssertEqual(
                try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int,
                recording.bytes(in: try .init(ofPath: path)).count)
        }
        XCTAssertEqual(
            try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted(), ["run.html", "run.json"])
        XCTAssertThrowsError(try recording.write(to: folder.appending(path: "none/run.html").path())) { error in
            XCTAssertTrue("\(error)".hasSuffix("could not be written: open: No such file or directory"), "\(error)")
        }
        // A folder in the place of the file: the rename fails, and nothing is left beside it.
        try FileManager.default.createDirectory(at: folder.appending(path: "a.json"), withIntermediateDirectories: true)
        XCTAssertThrowsError(try recording.write(to: folder.appending(path: "a.json").path()))
        XCTAssertEqual(
            try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted(),
            ["a.json", "run.html", "run.json"])
    }

    func testAFileThatMayNotGrowIsReportedAndRemoved() throws {
        // The sanitizer itself has files that grow.
        try XCTSkipIf(test_is_thread_sanitized() != 0, "not under the thread sanitizer")
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Unless the program ignores it, the signal that reports this would end the program.
        for ignoring in ["trap '' XFSZ; ", ""] {
            let result = try runProgram(
                "/bin/sh",
                arguments: [
                    "-c", "\(ignoring)ulimit -f 8; exec \"$0\" --record \"$1/run.html\"",
                    programsFolder.appending(path: "first-loop").path(), folder.path(),
                ])
            XCTAssertEqual(result.exitCode, 0, "the run itself is not affected")
            XCTAssertTrue(result.stderr.hasSuffix("could not be written: write: File too large\n"), result.stderr)
            XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path()), [])
        }
    }
}

/// A number or a text of JSON.
private enum Scalar: Decodable, Equatable {
    case number(Int64)
    case text(String)

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        self = try (try? value.decode(Int64.self)).map(Scalar.number) ?? .text(value.decode(String.self))
    }
}
