import TestSupport
import Tevent
import XCTest

/// What the compiler refuses, so that no program can touch with one thread what belongs to another.
final class DoesNotCompileTests: XCTestCase {
    private let folder = "Tests/TeventTests/DoesNotCompile"

    func testNothingOfALoopCanBeCapturedByWhatRunsOnAnother() throws {
        try assertDoesNotCompile("\(folder)/NotSendable.swift")
    }

    func testWhatWasGivenAwayCannotBeUsedAnyMore() throws {
        try assertDoesNotCompile("\(folder)/GivenAway.swift")
    }

    func testWhatNobodyElseUsesCanBeGivenAway() throws {
        try assertCompiles("\(folder)/Allowed.swift")
    }
}
