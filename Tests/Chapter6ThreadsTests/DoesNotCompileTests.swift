import Foundation
import TestSupport
import XCTest

/// The mistakes that the page shows and the compiler finds: each file names its errors.
final class DoesNotCompileTests: XCTestCase {
    private func check(_ name: String) throws {
        try assertDoesNotCompile("Chapters/6-Threads/does-not-compile/\(name).swift")
    }

    func testAContextOnAnotherThread() throws { try check("use-a-context-elsewhere") }

    func testAnInboxMadeOnAnotherThread() throws { try check("make-an-inbox-elsewhere") }

    func testAnInboxSentInsteadOfItsProxy() throws { try check("send-an-inbox") }

    func testMemoryUsedAfterItWasSent() throws { try check("use-after-sending") }

    func testMemorySentThatIsPartOfATree() throws { try check("send-what-others-hold") }

    func testAMessageThatCapturesWhatIsTheSenders() throws { try check("capture-what-is-mine") }

    func testARequestFinishedOnAnotherThread() throws { try check("finish-a-request-elsewhere") }

    func testThePageShowsAllOfThem() throws {
        let folder = projectFolder.appending(path: "Chapters/6-Threads/does-not-compile")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path())
        XCTAssertEqual(files.count, 7)
        let page = try String(contentsOf: projectFolder.appending(path: "Tutorial/6-threads.md"), encoding: .utf8)
        for file in files { XCTAssert(page.contains("does-not-compile/\(file)#"), file) }
    }
}
