import Talloc
import XCTest

final class TreeTests: XCTestCase {
    func testARootHasNoParent() throws {
        let root = try TallocContext()
        defer { root.free() }
        XCTAssertNil(root.parent)
        XCTAssertEqual(root.children, [])
    }

    func testAChildKnowsItsParentAndTheParentItsChildrenInOrder() throws {
        try withTallocContext { root in
            let children = try (0..<3).map { _ in try TallocContext(under: root) }
            XCTAssertEqual(root.children, children)
            for child in children { XCTAssertEqual(child.parent, root) }
        }
    }

    func testFreeingAParentFreesAllBelow() throws {
        let root = try TallocContext()
        let child = try TallocContext(under: root)
        let grandchild = try TallocChunk(1, under: child)
        XCTAssertTrue(root.free())
        XCTAssertTrue(root.isFreed && child.isFreed && grandchild.isFreed)
    }

    func testFreeingAChildLeavesItsParentAndSiblings() throws {
        try withTallocContext { root in
            let children = try (0..<3).map { _ in try TallocContext(under: root) }
            children[1].free()
            XCTAssertEqual(root.children, [children[0], children[2]])
        }
    }

    func testFreeChildrenLeavesTheParent() throws {
        try withTallocContext { root in
            let child = try TallocContext(under: root)
            let grandchild = try TallocContext(under: child)
            root.freeChildren()
            XCTAssertFalse(root.isFreed)
            XCTAssertTrue(child.isFreed && grandchild.isFreed)
            XCTAssertEqual(root.totalBlocks, 1)
        }
    }

    func testAChildThatRefusesFreeChildrenStaysWhereItIs() throws {
        try withTallocContext { top in
            let parent = try TallocContext(under: top)
            let stubborn = try TallocContext(under: parent)
            let other = try TallocContext(under: parent)
            stubborn.setDestructor { _ in .refuse }
            parent.freeChildren()
            XCTAssertTrue(other.isFreed)
            XCTAssertEqual(stubborn.parent, parent)
            stubborn.setDestructor(nil)
        }
    }

    func testMovingTakesEverythingBelowAlong() throws {
        try withTallocContext { root in
            let first = try TallocContext(under: root)
            let second = try TallocContext(under: root)
            let moved = try TallocContext(under: first)
            let below = try TallocContext(under: moved)
            moved.move(under: second)
            XCTAssertEqual(moved.parent, second)
            XCTAssertEqual(below.parent, moved)
            first.free()
            XCTAssertFalse(moved.isFreed || below.isFreed)
            second.free()
            XCTAssertTrue(moved.isFreed && below.isFreed)
        }
    }

    func testWhatIsMovedToTheRootOutlivesItsParent() throws {
        let root = try TallocContext()
        let child = try TallocContext(under: root)
        child.moveToRoot()
        XCTAssertNil(child.parent)
        root.free()
        XCTAssertFalse(child.isFreed)
        child.free()
    }

    func testTheScopedFormFreesAtTheEnd() throws {
        var kept: TallocContext?
        let result = try withTallocContext { context in
            kept = context
            return try TallocChunk(41, under: context).value + 1
        }
        XCTAssertEqual(result, 42)
        XCTAssertEqual(kept?.isFreed, true)
    }

    func testTheScopedFormFreesWhenItsBodyThrows() throws {
        struct Stop: Error {}
        var kept: TallocContext?
        XCTAssertThrowsError(
            try withTallocContext { context in
                kept = context
                throw Stop()
            })
        XCTAssertEqual(kept?.isFreed, true)
    }

    func testTheScopedFormsBodyMayFreeTheContextItself() throws {
        XCTAssertTrue(try withTallocContext { $0.free() })
    }

    func testContextsAreNamedAfterTheirFileUntilTheyAreRenamed() throws {
        try withTallocContext { root in
            XCTAssertEqual(root.name, "TallocTests/TreeTests.swift")
            XCTAssertEqual(try TallocContext(under: root, named: "session").name, "session")
            try root.setName("top of the tree")
            XCTAssertEqual(root.name, "top of the tree")
        }
    }

    func testRenamingAgainAndAgainKeepsOneCopyOfTheName() throws {
        try withTallocContext { root in
            try root.setName("a name")
            let blocks = root.totalBlocks
            for number in 0..<100 { try root.setName("name \(number)") }
            XCTAssertEqual(root.name, "name 99")
            XCTAssertEqual(root.totalBlocks, blocks)
            XCTAssertEqual(root.children, [], "the name is no child of the user's")
        }
    }

    func testAGivenNameSurvivesFreeChildren() throws {
        try withTallocContext { root in
            try root.setName("kept")
            _ = try TallocContext(under: root)
            root.freeChildren()
            XCTAssertEqual(root.name, "kept")
        }
    }

    func testSizesAndBlocksCountTheObjectAndAllBelow() throws {
        try withTallocContext { root in
            let alone = (size: root.totalSize, blocks: root.totalBlocks)
            XCTAssertEqual(alone.blocks, 1)
            let child = try TallocChunk(1, under: root)
            _ = try TallocChunk(2, under: child)
            XCTAssertEqual(root.totalBlocks, 3)
            XCTAssertEqual(child.totalBlocks, 2)
            XCTAssertEqual(root.totalSize, alone.size + child.totalSize)
            child.free()
            XCTAssertEqual(root.totalSize, alone.size)
        }
    }

    func testTheLibrarysVersionIsThatOfTalloc2() {
        XCTAssertTrue(TallocLibrary.version.hasPrefix("2."), TallocLibrary.version)
    }
}
