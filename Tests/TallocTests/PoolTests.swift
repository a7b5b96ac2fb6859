import Talloc
import XCTest

final class PoolTests: XCTestCase {
    func testObjectsBelowAPoolAreServedFromItsStock() throws {
        let pool = try TallocPool(objects: 20, bytes: 20 * 64)
        defer { pool.free() }
        let chunks = try (0..<20).map { try TallocChunk($0, under: pool) }
        XCTAssertEqual(chunks.map(\.value), Array(0..<20))
        // The addresses of chunks from one stock are close together.
        let addresses = chunks.map { chunk in withUnsafePointer(to: &chunk.value) { UInt(bitPattern: $0) } }
        XCTAssertLessThan(addresses.max()! - addresses.min()!, 20 * 64 + 20 * 128)
    }

    func testAPoolThatIsUsedUpGoesOnWithOrdinaryMemory() throws {
        let pool = try TallocPool(objects: 1, bytes: 16)
        let chunks = try (0..<200).map { try TallocChunk([$0], under: pool) }
        XCTAssertEqual(chunks.map(\.value), (0..<200).map { [$0] })
        pool.free()
        XCTAssertTrue(chunks.allSatisfy(\.isFreed))
    }

    func testFreeingAPoolDeinitialisesWhatIsBelow() throws {
        weak var held: Token?
        let pool = try TallocPool(objects: 4, bytes: 256)
        held = try TallocChunk(Token(), under: pool).value
        pool.free()
        XCTAssertNil(held)
        XCTAssertTrue(pool.isFreed)
    }

    func testWhatIsMovedOutOfAPoolOutlivesIt() throws {
        try withTallocContext { root in
            let pool = try TallocPool(objects: 4, bytes: 256, under: root)
            let chunk = try TallocChunk("still here", under: pool)
            chunk.move(under: root)
            pool.free()
            XCTAssertTrue(pool.isFreed)
            XCTAssertEqual(chunk.value, "still here")
        }
    }

    func testAPoolIsAnObjectInTheTree() throws {
        try withTallocContext { root in
            let pool = try TallocPool(objects: 4, bytes: 256, under: root, named: "session pool")
            XCTAssertEqual(root.children, [pool.tallocContext])
            XCTAssertEqual(pool.name, "session pool")
            XCTAssertEqual(pool.parent, root)
        }
    }

    func testAnEmptyPoolIsAllowed() throws {
        let pool = try TallocPool(objects: 0, bytes: 0)
        XCTAssertEqual(try TallocChunk(1, under: pool).value, 1)
        pool.free()
    }
}
