import Talloc
import XCTest

final class MemoryLimitTests: XCTestCase {
    func testReachingTheLimitThrowsAndNamesTheChunk() throws {
        try withTallocContext { root in
            try root.setMemoryLimit(bytes: 4096)
            XCTAssertThrowsError(try TallocChunk(Big(), under: root, named: "big")) {
                XCTAssertEqual($0 as? TallocError, .outOfMemory(name: "big"))
            }
        }
    }

    func testWhatThrewLeavesNothingBehind() throws {
        try withTallocContext { root in
            try root.setMemoryLimit(bytes: 4096)
            let before = (root.totalBlocks, root.totalSize)
            for _ in 0..<10 { XCTAssertThrowsError(try TallocChunk(Big(), under: root)) }
            XCTAssertEqual(root.totalBlocks, before.0)
            XCTAssertEqual(root.totalSize, before.1)
        }
    }

    func testAValueThatFoundNoRoomIsReleased() throws {
        weak var held: Token?
        try withTallocContext { root in
            try root.setMemoryLimit(bytes: 64)
            do {
                let token = Token()
                held = token
                XCTAssertThrowsError(try TallocChunk((token, Big()), under: root))
            }
            XCTAssertNil(held)
        }
    }

    func testTheLimitCountsEverythingBelow() throws {
        try withTallocContext { root in
            try root.setMemoryLimit(bytes: 8192)
            let deep = try TallocContext(under: TallocContext(under: root))
            XCTAssertThrowsError(try (0..<1000).map { try TallocChunk($0, under: deep) })
            XCTAssertLessThanOrEqual(root.totalSize, 8192)
        }
    }

    func testFreeingMakesRoomAgain() throws {
        try withTallocContext { root in
            try root.setMemoryLimit(bytes: 4096)
            for _ in 0..<3 {
                var count = 0
                XCTAssertThrowsError(
                    try {
                        while true {
                            _ = try TallocChunk(count, under: root)
                            count += 1
                        }
                    }())
                XCTAssertGreaterThan(count, 10)
                root.freeChildren()
            }
        }
    }

    func testTheLimitCanBeRaisedAndLifted() throws {
        try withTallocContext { root in
            try root.setMemoryLimit(bytes: 1024)
            XCTAssertThrowsError(try TallocChunk(Big(), under: root))
            try root.setMemoryLimit(bytes: 65_536)
            XCTAssertNoThrow(try TallocChunk(Big(), under: root))
            try root.setMemoryLimit(bytes: nil)
            XCTAssertNoThrow(try (0..<50).forEach { _ in _ = try TallocChunk(Big(), under: root) })
        }
    }

    func testALimitBindsContextsAndPoolsToo() throws {
        try withTallocContext { root in
            try root.setMemoryLimit(bytes: 512)
            XCTAssertThrowsError(try TallocPool(objects: 100, bytes: 10_000, under: root)) {
                XCTAssertEqual($0 as? TallocError, .outOfMemory(name: "TallocPool"))
            }
            XCTAssertThrowsError(try (0..<100).map { _ in try TallocContext(under: root) })
        }
    }

    func testAFailedRenameKeepsTheOldName() throws {
        try withTallocContext { root in
            try root.setName("short")
            try root.setMemoryLimit(bytes: 1024)
            let before = root.totalBlocks
            XCTAssertThrowsError(try root.setName(String(repeating: "long", count: 1000)))
            XCTAssertEqual(root.name, "short")
            XCTAssertEqual(root.totalBlocks, before)
        }
    }

    func testATreeCanBeMovedBackAndForthUnderALimit() throws {
        try withTallocContext(named: "root") { root in
            let (one, other) = (
                try TallocContext(under: root, named: "one"), try TallocContext(under: root, named: "other")
            )
            try root.setMemoryLimit(bytes: 100_000)
            let tree = try TallocContext(under: one, named: "tree")
            for name in 1...3 {
                let child = try TallocChunk(name, under: tree, named: "child")
                _ = try TallocChunk("\(name)", under: child, named: "grandchild")
            }
            let before = tree.report().drawing(.names)
            for _ in 0..<3 {
                tree.move(under: other)
                XCTAssertEqual(other.children, [tree])
                XCTAssertEqual(tree.report().drawing(.names), before)
                _ = try TallocContext(under: tree.children[0])
                tree.children[0].children.last?.free()
                tree.move(under: one)
            }
            XCTAssertEqual(tree.children.map { $0.chunk(of: Int.self)?.value }, [1, 2, 3])
            XCTAssertThrowsError(try (0..<1000).map { try TallocChunk($0, under: tree) }, "it is still limited")
        }
    }

    func testATreeMovedOutOfALimitDoesWithoutIt() throws {
        try withTallocContext { root in
            let limited = try TallocContext(under: root)
            try limited.setMemoryLimit(bytes: 8192)
            let tree = try TallocContext(under: limited)
            let child = try TallocChunk(1, under: tree)
            tree.moveToRoot()
            defer { tree.free() }
            XCTAssertNil(tree.parent)
            limited.free()
            _ = try (0..<1000).map { try TallocChunk($0, under: child) }
            XCTAssertEqual(child.children.count, 1000)
            tree.move(under: root)
            XCTAssertEqual(root.children, [tree])
        }
    }

    func testTheErrorSaysWhatToDo() {
        XCTAssertEqual(
            TallocError.outOfMemory(name: "thing").description,
            "out of memory: talloc could not allocate 'thing'; free something, or raise the memory limit above it")
    }

    /// 8 kB without any reference in it.
    private struct Big {
        typealias Kilobyte = (SIMD64<UInt64>, SIMD64<UInt64>)
        var bytes: (Kilobyte, Kilobyte, Kilobyte, Kilobyte, Kilobyte, Kilobyte, Kilobyte, Kilobyte)
        init() {
            let kilobyte = (SIMD64<UInt64>(repeating: 1), SIMD64<UInt64>(repeating: 2))
            bytes = (kilobyte, kilobyte, kilobyte, kilobyte, kilobyte, kilobyte, kilobyte, kilobyte)
        }
    }
}
