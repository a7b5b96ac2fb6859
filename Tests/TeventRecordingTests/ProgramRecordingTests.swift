import CTestSupport
import Foundation
import TestSupport
import Tevent
import XCTest

@testable import Talloc
@testable import TeventRecording

/// Recordings of whole programs: where they are written, when, and what happens when that fails.
final class ProgramRecordingTests: XCTestCase {
    /// A new empty folder, which the test removes at its end.
    private func makeFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        return folder.path()
    }

    private func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    /// Ends the child of a test without its recording.
    private func endChild(removing folder: String) -> Never {
        try? FileManager.default.removeItem(atPath: folder)
        fflush(nil)
        _exit(0)
    }

    // MARK: The path

    func testARelativePathKeepsItsFolder() throws {
        let result = try runInChild(self) {
            let folder = try makeFolder()
            chdir(folder)
            try ProgramRecording.begin(writingTo: "run.json", includesOutput: false)
            chdir("/")
            try ProgramRecording.write()
            print(try names(in: folder))
            endChild(removing: folder)
        }
        XCTAssertTrue(result.stdout.hasSuffix("[\"run.json\"]\n"), result.stdout + result.stderr)
    }

    func testAPathThatCanBecomeNoFileIsRefusedAtTheBeginning() throws {
        let folder = try makeFolder()
        mkdir("\(folder)/folder.html", 0o755)
        let long = "\(folder)/\(String(repeating: "n", count: 249)).json"
        for (path, code) in [("\(folder)/folder.html", EISDIR), (long, ENAMETOOLONG)] {
            XCTAssertThrowsError(try WholeFile.check(path)) {
                XCTAssertEqual($0 as? RecordingError, .systemCall(name: "open", path: path, code: code))
            }
        }
        XCTAssertEqual(try names(in: folder), ["folder.html"])
    }

    // MARK: The capacity

    func testARecordingOfNoRecordsIsATrap() throws {
        let result = try runInChild(self) {
            try ProgramRecording.begin(writingTo: "/tmp/none.json", capacity: 0, includesOutput: false)
        }
        XCTAssertTrue(
            result.stderr.contains("a recording of 0 records cannot be made; give it at least one"), result.stderr)
    }

    func testMoreRecordsThanCanBeCountedAreATrapWithAReason() throws {
        let result = try runInChild(self) {
            try withTallocContext { memory in
                _ = try EventRecorder(on: EventContext(under: memory), under: memory, capacity: .max)
            }
        }
        XCTAssertTrue(result.stderr.contains("give it fewer records"), result.stderr)
    }

    // MARK: On request

    func testARequestIsAnsweredOnce() throws {
        let result = try runInChild(self) {
            let folder = try makeFolder()
            try ProgramRecording.begin(writingTo: "\(folder)/run.json", includesOutput: false)
            try Data().write(to: URL(filePath: "\(folder)/run.json.now"))
            ProgramRecording.writeIfAsked()
            print(try names(in: folder))
            endChild(removing: folder)
        }
        XCTAssertTrue(result.stdout.hasSuffix("[\"run.json\"]\n"), result.stdout + result.stderr)
    }

    func testARequestThatCannotBeRemovedIsRefused() throws {
        let result = try runInChild(self) {
            let folder = try makeFolder()
            try ProgramRecording.begin(writingTo: "\(folder)/run.json", includesOutput: false)
            mkdir("\(folder)/run.json.now", 0o755)
            for _ in 0..<3 { ProgramRecording.writeIfAsked() }
            print(try names(in: folder))
            endChild(removing: folder)
        }
        XCTAssertTrue(result.stdout.hasSuffix("[\"run.json.now\"]\n"), result.stdout + result.stderr)
        XCTAssertEqual(
            result.stderr.split(separator: "\n").count(where: {
                $0.hasSuffix("/run.json.now' cannot be removed: Is a directory")
            }), 1, result.stderr)
    }

    // MARK: Several threads

    func testThreadsThatWriteAtOnceDoNotDisturbEachOther() throws {
        let result = try runInChild(self) {
            let folder = try makeFolder()
            let path = "\(folder)/run.json"
            try ProgramRecording.begin(writingTo: path, includesOutput: false)
            for number in 0..<1000 { ProgramRecording.note("note \(number)") }
            let threads = try (0..<4).map { _ in
                try SystemThread(named: "writer") {
                    for _ in 0..<25 {
                        do {
                            try ProgramRecording.write()
                            _ = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path)))
                        } catch { print("failed: \(error)") }
                    }
                }
            }
            for thread in threads { try thread.join() }
            print(try names(in: folder))
            endChild(removing: folder)
        }
        XCTAssertFalse(result.stdout.contains("failed"), result.stdout)
        XCTAssertTrue(result.stdout.hasSuffix("[\"run.json\"]\n"), result.stdout + result.stderr)
    }

    /// Only the thread sanitizer sees whether the ring's lock guards everything.
    func testARingIsCopiedWhileItsThreadFrees() throws {
        let result = try runInChild(self) {
            let folder = try makeFolder()
            try ProgramRecording.begin(writingTo: "\(folder)/run.json", capacity: 100, includesOutput: false)
            let thread = try SystemThread(named: "worker") {
                for _ in 0..<1000 { _ = try? TallocContext().free() }
            }
            for _ in 0..<50 { try ProgramRecording.write() }
            try thread.join()
            print(try names(in: folder))
            endChild(removing: folder)
        }
        XCTAssertTrue(result.stdout.hasSuffix("[\"run.json\"]\n"), result.stdout + result.stderr)
    }

    func testARecorderThatAnotherThreadLeftEndsNoOtherRecording() throws {
        nonisolated(unsafe) var left: EventRecorder?
        nonisolated(unsafe) var numbers: [pthread_t] = []
        nonisolated(unsafe) var notes: [String] = []
        try SystemThread(named: "first") {
            numbers.append(pthread_self())
            guard let memory = try? TallocContext(), let events = try? EventContext(under: memory) else { return }
            left = try? EventRecorder(on: events, under: memory)
        }.join()
        try SystemThread(named: "second") {
            numbers.append(pthread_self())
            try? withTallocContext { memory in
                let recorder = try EventRecorder(on: EventContext(under: memory), under: memory)
                left?.free()
                try TallocContext(under: memory, named: "made afterwards").free()
                notes = recorder.recording.strings
            }
        }.join()
        try XCTSkipIf(numbers.first != numbers.last, "the second thread got another number")
        XCTAssertTrue(notes.contains("made afterwards"), "\(notes)")
    }

    // MARK: Forks

    /// The thread sanitizer ends such a child.
    private func skipWhereAChildMayStartNoThread() throws {
        try XCTSkipIf(test_is_thread_sanitized() != 0, "the child of a fork starts a thread")
    }

    func testAChildLosesNothingThatItsParentLost() throws {
        try skipWhereAChildMayStartNoThread()
        let result = try runInChild(self) {
            let folder = try makeFolder()
            try ProgramRecording.begin(writingTo: "\(folder)/%p.json", includesOutput: false)
            for _ in 0...RecordRings.enough {
                try SystemThread(named: "one of many") { _ = try? TallocContext().free() }.join()
            }
            let child = test_fork()
            if child == 0 {
                try SystemThread(named: "the child's") { _ = try? TallocContext().free() }.join()
                try ProgramRecording.write()
                _exit(0)
            }
            waitpid(child, nil, 0)
            print("lost \(RecordRings.lost)", try String(contentsOfFile: "\(folder)/\(child).json", encoding: .utf8))
            endChild(removing: folder)
        }
        XCTAssertTrue(result.stdout.contains("lost 2 "), result.stdout + result.stderr)
        XCTAssertTrue(result.stdout.contains("\"lost\":0"), result.stdout)
    }

    func testAChildWaitsForNoThreadThatCopiedARing() throws {
        try skipWhereAChildMayStartNoThread()
        let result = try runInChild(self) {
            try ProgramRecording.begin(writingTo: "/tmp/%p.json", includesOutput: false)
            for _ in 0..<RecordRings.enough {
                try SystemThread(named: "one of many") { _ = try? TallocContext().free() }.join()
            }
            let child = RecordRings.all[0].withLock { _ in test_fork() }
            if child == 0 {
                alarm(10)
                try SystemThread(named: "the child's") { _ = try? TallocContext().free() }.join()
                _exit(0)
            }
            var status: Int32 = 0
            waitpid(child, &status, 0)
            print("status \(status)")
            fflush(nil)
            _exit(0)
        }
        XCTAssertTrue(result.stdout.hasSuffix("status 0\n"), result.stdout + result.stderr)
    }

    // MARK: Texts and sources

    func testASignThatJoinsABracketLeavesItEscaped() throws {
        try withTallocContext { memory in
            let recorder = try EventRecorder(on: EventContext(under: memory), under: memory)
            recorder.note("\u{600}<img>\u{600}&lt;<\u{301}b>")
            let page = String(decoding: recorder.recording.bytes(in: .page), as: UTF8.self)
            XCTAssertTrue(page.utf8.contains("\u{600}&lt;img&gt;\u{600}&amp;lt;&lt;\u{301}b&gt;".utf8))
            XCTAssertFalse(page.utf8.contains("\u{600}<img>".utf8))
        }
    }

    func testASourceWithTheLineEndsOfWindowsHasItsLines() throws {
        let path = try makeFolder() + "/source.c"
        try Data("first\r\nsecond // snippet: x\r\nthird".utf8).write(to: URL(filePath: path))
        XCTAssertEqual(SourceLines.find(path), ["first", "", "third"])
    }
}

extension String.UTF8View {
    fileprivate func contains(_ part: String.UTF8View) -> Bool { Array(self).firstRange(of: Array(part)) != nil }
}
