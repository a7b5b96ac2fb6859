import Foundation
@testable import Talloc
import XCTest

final class HandleTests: XCTestCase {
    func testAHandleIsStaleAfterFree() throws {
        let chunk = try TallocChunk(1)
        let copy = chunk
        XCTAssertFalse(copy.isFreed)
        chunk.free()
        XCTAssertTrue(chunk.isFreed && copy.isFreed)
    }

    func testAHandleIsStaleAfterItsParentsFree() throws {
        let root = try TallocContext()
        let below = try TallocChunk(1, under: try TallocContext(under: root))
        let found = try XCTUnwrap(root.children.first)
        root.free()
        XCTAssertTrue(below.isFreed && found.isFreed)
    }

    func testAHandleStaysStaleWhenItsSlotServesAnotherObject() throws {
        let first = try TallocChunk(1)
        first.free()
        let second = try TallocChunk(2)
        defer { second.free() }
        XCTAssertEqual(first.tallocHandle.slot, second.tallocHandle.slot, "the slot is used again")
        XCTAssertTrue(first.isFreed)
        XCTAssertFalse(second.isFreed)
        XCTAssertNotEqual(first, second)
    }

    func testHandlesOfOneObjectAreEqual() throws {
        try withTallocContext { root in
            let chunk = try TallocChunk(1, under: root)
            XCTAssertEqual(root.children, [chunk.tallocContext])
            XCTAssertEqual(chunk.parent, root)
            XCTAssertNotEqual(chunk, try TallocChunk(1, under: root))
        }
    }

    func testAHandleIsTwoWords() {
        XCTAssertEqual(MemoryLayout<TallocChunk<[String: Int]>>.size, 16)
        XCTAssertEqual(MemoryLayout<TallocContext>.size, 16)
    }

    func testSlotsOfThreadsThatHaveEndedAreUsedAgain() throws {
        let slots = try slotsTaken {
            for _ in 0..<50 {
                inThread {
                    let root = try TallocContext()
                    for number in 0..<400 { _ = try TallocChunk(number, under: root) }
                    root.free()
                }
            }
        }
        XCTAssertLessThanOrEqual(slots, 1, "each thread took slabs of its own")
    }

    func testSlotsFreedByThreadsThatMakeNothingAreUsedAgain() throws {
        struct Gift: @unchecked Sendable { let root: TallocContext }
        let slots = try slotsTaken {
            for _ in 0..<50 {
                let gift = Gift(root: try TallocContext())
                for number in 0..<400 { _ = try TallocChunk(number, under: gift.root) }
                inThread { gift.root.free() }
            }
        }
        XCTAssertLessThanOrEqual(slots, 1, "slots freed by threads were lost")
    }

    /// How many slabs the body allocated, after one run to warm up.
    private func slotsTaken(_ body: () throws -> Void) throws -> Int {
        try body()
        let before = SlotDepot.slabCount
        try body()
        return SlotDepot.slabCount - before
    }

    /// Runs a body on a new thread, and waits until the thread has really ended.
    private func inThread(_ body: @escaping @Sendable () throws -> Void) {
        let boxed = Unmanaged.passRetained(Body(run: body))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                let body = Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
                do { try body.run() } catch { XCTFail("\(error)") }
                return nil
            }, boxed.toOpaque())
        pthread_join(thread, nil)
    }

    private final class Body {
        let run: () throws -> Void
        init(run: @escaping () throws -> Void) { self.run = run }
    }
}
