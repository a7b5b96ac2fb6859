import Foundation
import Talloc
import TestSupport
import XCTest

/// The claims of "talloc in ten minutes".
final class TallocTests: XCTestCase {
    /// A value that reports when it is deinitialised.
    private final class Note {
        let goes: () -> Void

        init(_ goes: @escaping () -> Void) { self.goes = goes }

        deinit { goes() }
    }

    func testFreeingAParentFreesEverythingBelowAndTheValuesInIt() throws {
        var gone: [String] = []
        let root = try TallocContext(named: "root")
        let middle = try TallocContext(under: root, named: "middle")
        let elder = try TallocChunk(Note { gone.append("elder") }, under: middle)
        let younger = try TallocChunk(Note { gone.append("younger") }, under: middle)
        XCTAssertTrue(root.free())
        XCTAssertEqual(gone, ["younger", "elder"])
        XCTAssertEqual([middle.isFreed, elder.isFreed, younger.isFreed], [true, true, true])
    }

    func testAHandleDoesNotKeepAChunkAliveAndDroppingItDoesNotFreeIt() throws {
        var gone = 0
        try withTallocContext { root in
            _ = try TallocChunk(Note { gone += 1 }, under: root, named: "note")
            XCTAssertEqual(gone, 0)
            XCTAssertEqual(root.children.map(\.name), ["note"])
        }
        XCTAssertEqual(gone, 1)
    }

    func testAValueIsChangedInPlace() throws {
        try withTallocContext { root in
            let chunk = try TallocChunk([1, 2], under: root)
            chunk.value.append(3)
            let copyOfTheHandle = chunk
            XCTAssertEqual(copyOfTheHandle.value, [1, 2, 3])
        }
    }

    func testAMovedChunkIsFreedWithItsNewParent() throws {
        let (old, new) = (try TallocContext(named: "old"), try TallocContext(named: "new"))
        let chunk = try TallocChunk("bill", under: old)
        chunk.move(under: new)
        old.free()
        XCTAssertEqual(chunk.value, "bill")
        new.free()
        XCTAssertTrue(chunk.isFreed)
    }

    func testADestructorThatRefusesKeepsTheChunk() throws {
        let chunk = try TallocChunk(1)
        chunk.setDestructor { $0.value > 0 ? .refuse : .allow }
        XCTAssertFalse(chunk.free())
        XCTAssertFalse(chunk.isFreed)
        chunk.value = 0
        XCTAssertTrue(chunk.free())
        XCTAssertTrue(chunk.isFreed)
    }

    func testAChildThatRefusesSurvivesItsParent() throws {
        let root = try TallocContext(named: "root")
        let parent = try TallocContext(under: root, named: "parent")
        let child = try TallocChunk("bill", under: parent)
        child.setDestructor { _ in .refuse }
        parent.free()
        XCTAssertTrue(parent.isFreed)
        XCTAssertEqual(child.value, "bill")
        XCTAssertEqual(child.parent, root)
        child.setDestructor(nil)
        root.free()
    }

    func testAScopeFreesItsMemoryWhenItThrows() throws {
        struct Wrong: Error {}
        var seen: TallocContext?
        XCTAssertThrowsError(
            try withTallocContext { memory in
                seen = memory
                throw Wrong()
            })
        XCTAssertEqual(seen?.isFreed, true)
    }

    func testAScopeFreesItsMemoryWhenItReturns() throws {
        // snippet: scope
        let length = try withTallocContext { memory in
            let words = try TallocChunk(["soup", "bread"], under: memory)
            return words.value.joined(separator: ", ").count
        }
        // snippet-end: scope
        XCTAssertEqual(length, 11)
    }

    func testAMemoryLimitMakesAnAllocationFail() throws {
        try withTallocContext { memory in
            try memory.setMemoryLimit(bytes: 2000)
            XCTAssertThrowsError(
                try { while true { _ = try TallocChunk((0, 0, 0, 0), under: memory, named: "order") } }()
            ) { error in
                XCTAssertEqual(error as? TallocError, .outOfMemory(name: "order"))
            }
        }
    }

    func testUsingAHandleOfAFreedChunkTrapsWithTheMessageOnThePage() throws {
        let result = try runInChild(self) {
            let chunk = try TallocChunk(Note {})
            chunk.free()
            print(chunk.value)
        }
        XCTAssertNotNil(result.signal)
        let page = try String(
            contentsOf: projectFolder.appending(path: "Tutorial/talloc-in-ten-minutes.md"), encoding: .utf8)
        let message = page.split(separator: "\n").first { $0.hasPrefix("TallocChunk<Note>.value was called") }
        XCTAssert(result.stderr.contains(try XCTUnwrap(message)), result.stderr)
    }
}
