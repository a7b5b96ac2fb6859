import TestSupport
import XCTest

/// What the page says that the compiler refuses; each file names its errors.
final class DoesNotCompileTests: XCTestCase {
    private func check(_ name: String, nonsending: Bool = true) throws {
        try assertDoesNotCompile("Chapters/7-AsyncAwait/does-not-compile/\(name).swift", nonsending: nonsending)
    }

    func testATargetWithoutTheSetting() throws { try check("forgotten-setting", nonsending: false) }

    func testATaskWithAHandleInAHandler() throws { try check("task-in-a-handler") }

    func testAsyncLetWithAHandle() throws { try check("async-let") }

    func testWithoutActuallyEscaping() throws { try check("without-actually-escaping") }
}
