import Talloc
import XCTest

final class ChunkTests: XCTestCase {
    func testAChunkHoldsAValueThatCanBeReadAndReplaced() throws {
        let chunk = try TallocChunk([1, 2, 3])
        defer { chunk.free() }
        XCTAssertEqual(chunk.value, [1, 2, 3])
        chunk.value = [4]
        XCTAssertEqual(chunk.value, [4])
    }

    func testAValuesPartIsChangedInPlace() throws {
        let chunk = try TallocChunk(Array(0..<1000))
        defer { chunk.free() }
        let address = { chunk.value.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } }
        let before = address()
        for index in 0..<1000 { chunk.value[index] += 1 }
        XCTAssertEqual(address(), before, "a copy would have moved the elements")
        XCTAssertEqual(chunk.value, Array(1...1000))
    }

    func testFreeingAChunkDeinitialisesItsValue() throws {
        weak var held: Token?
        let chunk = try TallocChunk(Token())
        held = chunk.value
        XCTAssertNotNil(held)
        chunk.free()
        XCTAssertNil(held)
    }

    func testFreeingAParentDeinitialisesTheValuesBelow() throws {
        weak var held: Token?
        let root = try TallocContext()
        held = try TallocChunk([Token()], under: root).value[0]
        XCTAssertNotNil(held)
        root.free()
        XCTAssertNil(held)
    }

    func testReplacingTheValueReleasesTheOldOne() throws {
        weak var held: Token?
        let chunk = try TallocChunk<Token?>(Token())
        defer { chunk.free() }
        held = chunk.value
        chunk.value = nil
        XCTAssertNil(held)
    }

    func testAValuesDeinitFindsTheChunkFreed() throws {
        let chunk = try TallocChunk<Token?>(nil)
        var wasFreed: Bool?
        do {
            let token = Token()
            token.onEnd = { wasFreed = chunk.isFreed }
            chunk.value = token
        }
        XCTAssertNil(wasFreed)
        chunk.free()
        XCTAssertEqual(wasFreed, true)
    }

    func testTheDeinitOfAReplacedValueMayFreeTheChunk() throws {
        let root = try TallocContext()
        let chunk = try TallocChunk((Token(), Token()), under: root)
        var ends: [String] = []
        func token(_ name: String, _ onEnd: @escaping () -> Void = {}) -> Token {
            let token = Token()
            token.onEnd = {
                ends.append(name)
                onEnd()
            }
            return token
        }
        chunk.value = (token("first") { root.free() }, token("second"))
        chunk.value = (token("third"), token("fourth"))
        XCTAssertTrue(chunk.isFreed)
        XCTAssertEqual(ends.sorted(), ["first", "fourth", "second", "third"])
    }

    func testAValuesDeinitMayFreeASiblingAndTheParent() throws {
        let root = try TallocContext()
        let sibling = try TallocChunk(1, under: root)
        let chunk = try TallocChunk<Token?>(nil, under: root)
        do {
            let token = Token()
            token.onEnd = {
                if !sibling.isFreed { sibling.free() }
                if !root.isFreed { root.free() }
            }
            chunk.value = token
        }
        chunk.free()
        XCTAssertTrue(sibling.isFreed && root.isFreed)
    }

    func testValuesThatWantMoreAlignmentThanTallocGivesGetIt() throws {
        try withTallocContext { root in
            // Many chunks, since one might be aligned by chance.
            for index in 0..<50 {
                let chunk = try TallocChunk(SIMD16<Float>(repeating: Float(index)), under: root)
                _ = try TallocChunk(UInt8(1), under: root)
                let misaligned = withUnsafePointer(to: &chunk.value) {
                    UInt(bitPattern: $0) % UInt(MemoryLayout<SIMD16<Float>>.alignment)
                }
                XCTAssertEqual(misaligned, 0)
                XCTAssertEqual(chunk.value[15], Float(index))
            }
        }
    }

    func testValuesOfNoSizeCanBeHeld() throws {
        let chunk = try TallocChunk(())
        XCTAssertTrue(chunk.value == ())
        chunk.free()
    }

    func testLargeValuesKeepEveryByte() throws {
        typealias Large = (SIMD64<UInt8>, SIMD64<UInt8>, SIMD64<UInt8>)
        let chunk = try TallocChunk<Large>((.init(repeating: 1), .init(repeating: 2), .init(repeating: 3)))
        defer { chunk.free() }
        XCTAssertEqual(chunk.value.0[63], 1)
        XCTAssertEqual(chunk.value.1[0], 2)
        XCTAssertEqual(chunk.value.2[63], 3)
    }

    func testAChunkIsNamedAfterItsTypeUnlessNamedOtherwise() throws {
        try withTallocContext { root in
            XCTAssertEqual(try TallocChunk([1: "one"], under: root).name, "Dictionary<Int, String>")
            let chunk = try TallocChunk(1, under: root, named: "answer")
            XCTAssertEqual(chunk.name, "answer")
            try chunk.setName("question")
            XCTAssertEqual(chunk.name, "question")
        }
    }

    func testATypedChunkIsFoundAgainByItsType() throws {
        try withTallocContext { root in
            let chunk = try TallocChunk("text", under: root)
            let plain = chunk.tallocContext
            XCTAssertEqual(plain.chunk(of: String.self), chunk)
            XCTAssertEqual(plain.chunk(of: String.self)?.value, "text")
            XCTAssertNil(plain.chunk(of: Substring.self))
            XCTAssertNil(plain.chunk(of: String?.self))
            XCTAssertNil(root.chunk(of: String.self), "a context holds nothing")
        }
    }
}
