import CTalloc
import CTevent
import Glibc
import TestSupport
import TeventRecording
import XCTest

/// When the recording of a C program is written.
final class CRecordingTests: XCTestCase {
    func testTheLastContextThatIsFreedWritesTheRecording() throws {
        let result = try runInChild(self) {
            let path = FileManager.default.temporaryDirectory.appending(path: "tevent-\(getpid()).json").path()
            try ProgramRecording.begin(writingTo: path, includesOutput: false)
            func isWritten() -> Bool {
                defer { unlink(path) }
                return access(path, F_OK) == 0
            }
            let contexts = (0..<2).map { _ in UnsafeMutableRawPointer(tevent_context_init(nil)) }
            _ = _talloc_free(contexts[0], "test")
            let isEarly = isWritten()
            _ = _talloc_free(contexts[1], "test")
            let isInTime = isWritten()
            _ = _talloc_free(UnsafeMutableRawPointer(tevent_context_init(nil)), "test")
            let isRepeated = isWritten()
            print("early \(isEarly), in time \(isInTime), again within a second \(isRepeated)")
        }
        let found = result.stdout.contains("early false, in time true, again within a second false\n")
        XCTAssertTrue(found, result.stdout + result.stderr)
    }
}
