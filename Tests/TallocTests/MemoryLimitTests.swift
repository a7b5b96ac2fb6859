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

    func testAValueThatFoundNoRoomIsLetGo() throws {
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

    func testTheErrorSaysWhatToDo() {
        XCTAssertEqual(
            TallocError.outOfMemory(name: "thing").description,
            "out of memory: talloc could not allocate 'thing'; free something, or raise the memory limit above it")
    }

    /// 8 kB without anything behind a reference.
    private struct Big {
        typealias Kilobyte = (SIMD64<UInt64>, SIMD64<UInt64>)
        var bytes: (Kilobyte, Kilobyte, Kilobyte, Kilobyte, Kilobyte, Kilobyte, Kilobyte, Kilobyte)
        init() {
            let kilobyte = (SIMD64<UInt64>(repeating: 1), SIMD64<UInt64>(repeating: 2))
            bytes = (kilobyte, kilobyte, kilobyte, kilobyte, kilobyte, kilobyte, kilobyte, kilobyte)
        }
    }
}
