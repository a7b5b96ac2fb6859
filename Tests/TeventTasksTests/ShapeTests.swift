import TestSupport
import XCTest

/// What compiles with tasks, and what does not.
final class ShapeTests: XCTestCase {
    private let folder = "Tests/TeventTasksTests/does-not-compile"

    func testTasksMayUseHandles() throws { try assertCompiles("\(folder)/Allowed.swift", nonsending: true) }

    func testNothingTakesHandlesToAnotherThread() throws {
        try assertDoesNotCompile("\(folder)/Elsewhere.swift", nonsending: true)
    }

    func testWorkAsideUsesNoHandles() throws { try assertDoesNotCompile("\(folder)/Aside.swift", nonsending: true) }
}
