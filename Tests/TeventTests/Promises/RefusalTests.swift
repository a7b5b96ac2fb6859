import TestSupport
import Tevent
import XCTest

/// What the compiler refuses, so that no program can use on one thread what belongs to another.
///
/// The compiler checks types and captures before sending, and an error there hides one here, so each kind has files of
/// its own.
final class RefusalTests: XCTestCase {
    private let folder = "Tests/TeventTests/Promises/does-not-compile"

    // MARK: Types and captures

    func testNothingOfALoopCanBeCapturedByWhatRunsOnAnother() throws {
        try assertDoesNotCompile("\(folder)/NotSendable.swift")
    }

    func testNoTypeThatReachesIntoMemoryIsSendable() throws { try assertDoesNotCompile("\(folder)/Types.swift") }

    func testNoTypeOfAChapterThatReachesIntoMemoryIsSendable() throws {
        try assertDoesNotCompile("\(folder)/ChapterTypes.swift")
    }

    func testNothingThatAnyThreadReachesCanKeepAHandle() throws { try assertDoesNotCompile("\(folder)/Stored.swift") }

    func testNoProgramCanMakeHandlesOrLookInside() throws { try assertDoesNotCompile("\(folder)/NotPublic.swift") }

    func testStrictSettingsRefuseWhatTheCompilerOtherwiseOnlyWarnsAbout() throws {
        try assertDoesNotCompile("\(folder)/Warned.swift", strictly: true)
    }

    // MARK: What is sent

    func testWhatWasGivenAwayCannotBeUsedAnyMore() throws {
        try assertDoesNotCompile("\(folder)/GivenAway.swift")
    }

    func testNoTaskOrThreadTakesAlongWhatItsCallerKeeps() throws { try assertDoesNotCompile("\(folder)/Tasks.swift") }

    func testNoActorTakesWhatItsCallerKeepsOrGivesOutWhatItKeeps() throws {
        try assertDoesNotCompile("\(folder)/Actors.swift")
    }

    func testNoBoxTakesWhatItsCallerKeepsOrGivesOutWhatItKeeps() throws {
        try assertDoesNotCompile("\(folder)/Boxes.swift")
    }

    func testWhatHasArrivedCannotBeUsedHereAndSentOn() throws { try assertDoesNotCompile("\(folder)/Arrived.swift") }

    // MARK: What compiles

    func testWhatNoOtherCodeUsesCanBeGivenAwayAndWhatIsMadeToBeSharedCanBeShared() throws {
        try assertCompiles("\(folder)/Allowed.swift")
    }

    func testTheHolesThatSwiftHasAreThoseThatThePagesName() throws {
        try assertCompiles("\(folder)/SwiftAllows.swift")
    }
}
