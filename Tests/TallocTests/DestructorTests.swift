import Talloc
import XCTest

final class DestructorTests: XCTestCase {
    func testADestructorIsAskedBeforeTheFreeWhileEverythingIsStillThere() throws {
        let root = try TallocContext()
        let chunk = try TallocChunk("content", under: root)
        let child = try TallocContext(under: chunk)
        var seen: [String] = []
        chunk.setDestructor { chunk in
            seen.append(chunk.value)
            XCTAssertFalse(chunk.isFreed || child.isFreed)
            XCTAssertEqual(chunk.parent, root)
            return .allow
        }
        XCTAssertTrue(chunk.free())
        XCTAssertEqual(seen, ["content"])
        XCTAssertTrue(chunk.isFreed && child.isFreed)
        root.free()
        XCTAssertEqual(seen.count, 1)
    }

    func testADestructorThatRefusesKeepsEverything() throws {
        try withTallocContext { root in
            let parent = try TallocChunk(1, under: root)
            let child = try TallocChunk(2, under: parent)
            var asked = 0
            parent.setDestructor { _ in
                asked += 1
                return .refuse
            }
            XCTAssertFalse(parent.free())
            XCTAssertFalse(parent.free())
            XCTAssertEqual(asked, 2, "it is asked at each attempt")
            XCTAssertEqual(parent.value + child.value, 3)
            parent.setDestructor(nil)
            XCTAssertTrue(parent.free())
            XCTAssertTrue(child.isFreed)
        }
    }

    func testParentsAreAskedBeforeChildrenAndTheYoungestChildFirst() throws {
        let root = try TallocContext()
        var order: [String] = []
        func named(_ name: String, under parent: some TallocObject) throws -> TallocChunk<String> {
            let chunk = try TallocChunk(name, under: parent)
            chunk.setDestructor {
                order.append($0.value)
                return .allow
            }
            return chunk
        }
        let first = try named("first", under: root)
        _ = try named("first's child", under: first)
        _ = try named("second", under: root)
        root.setDestructor { _ in
            order.append("root")
            return .allow
        }
        root.free()
        XCTAssertEqual(order, ["root", "second", "first", "first's child"])
    }

    func testARefusingChildOfAFreedParentSurvivesWithTheGrandparent() throws {
        try withTallocContext { grandparent in
            let parent = try TallocContext(under: grandparent)
            let stubborn = try TallocChunk(7, under: parent)
            let below = try TallocChunk(8, under: stubborn)
            stubborn.setDestructor { _ in .refuse }
            XCTAssertTrue(parent.free())
            XCTAssertTrue(parent.isFreed)
            XCTAssertEqual(stubborn.value + below.value, 15)
            XCTAssertEqual(stubborn.parent, grandparent)
            stubborn.setDestructor(nil)
        }
    }

    func testARefusingChildOfAFreedRootBecomesARoot() throws {
        let root = try TallocContext()
        let stubborn = try TallocChunk(7, under: root)
        stubborn.setDestructor { _ in .refuse }
        XCTAssertTrue(root.free())
        XCTAssertNil(stubborn.parent)
        XCTAssertEqual(stubborn.value, 7)
        stubborn.setDestructor(nil)
        XCTAssertTrue(stubborn.free())
    }

    func testFreeingItselfInItsDestructorIsWithoutEffect() throws {
        let chunk = try TallocChunk(1)
        var inner: Bool?
        chunk.setDestructor {
            inner = $0.free()
            return .allow
        }
        XCTAssertTrue(chunk.free())
        XCTAssertEqual(inner, false)
        XCTAssertTrue(chunk.isFreed)
    }

    func testADestructorMayFreeAndMakeOtherObjects() throws {
        let elsewhere = try TallocContext()
        defer { elsewhere.free() }
        let root = try TallocContext()
        let siblings = try (0..<3).map { try TallocChunk($0, under: root) }
        siblings[2].setDestructor { _ in
            siblings[0].free()
            siblings[1].free()
            XCTAssertNotNil(try? TallocChunk("made on the way out", under: elsewhere))
            return .allow
        }
        XCTAssertTrue(root.free())
        XCTAssertEqual(elsewhere.totalBlocks, 2)
        XCTAssertTrue(siblings.allSatisfy(\.isFreed))
    }

    func testADestructorMayMoveItsChildToSafety() throws {
        try withTallocContext { root in
            let parent = try TallocContext(under: root)
            let child = try TallocChunk(5, under: parent)
            parent.setDestructor { _ in
                child.move(under: root)
                return .allow
            }
            parent.free()
            XCTAssertEqual(child.value, 5)
            XCTAssertEqual(child.parent, root)
        }
    }

    func testADestructorMayReplaceItself() throws {
        let chunk = try TallocChunk(1)
        var log: [String] = []
        chunk.setDestructor { chunk in
            log.append("first")
            chunk.setDestructor { _ in
                log.append("second")
                return .allow
            }
            return .refuse
        }
        XCTAssertFalse(chunk.free())
        XCTAssertTrue(chunk.free())
        XCTAssertEqual(log, ["first", "second"])
    }

    func testTheDestructorIsReleasedWithTheChunk() throws {
        weak var held: Token?
        let chunk = try TallocChunk(1)
        do {
            let token = Token()
            held = token
            chunk.setDestructor { _ in withExtendedLifetime(token) { .allow } }
        }
        XCTAssertNotNil(held)
        chunk.free()
        XCTAssertNil(held)
    }

    func testPoolsAndContextsCanHaveDestructorsToo() throws {
        var asked: [String] = []
        let pool = try TallocPool(objects: 4, bytes: 256)
        pool.tallocContext.setDestructor {
            asked.append($0.name)
            return .allow
        }
        pool.free()
        XCTAssertEqual(asked, ["TallocPool"])
    }
}

/// An object that a chunk can hold, to see that it is released.
final class Token {
    var onEnd: () -> Void = {}
    deinit { onEnd() }
}
