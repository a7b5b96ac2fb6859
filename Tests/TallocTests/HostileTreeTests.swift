import CLinux
import CTalloc
import Foundation
import TestSupport
import XCTest

@testable import Talloc

/// Destructors and conformances that do the worst they can to a tree that is being freed, and very deep trees.
final class HostileTreeTests: XCTestCase {
    // MARK: Conformances

    /// A conformance that returns a different answer each time.
    private struct Fickle: TallocObject {
        let answer: () -> TallocHandle
        var tallocHandle: TallocHandle { answer() }
    }

    private final class Secret { var number = 7 }

    func testAConformanceThatChangesItsMindReachesOneObjectOrTheOtherAndNeverAMixture() throws {
        try withTallocContext { root in
            let number = try TallocChunk(0, under: root)
            let object = try TallocChunk(Secret(), under: root)
            for first in 0..<8 {
                var asked = 0
                let fickle = Fickle {
                    asked += 1
                    return asked <= first ? number.tallocHandle : object.tallocHandle
                }
                let chunk = fickle.chunk(of: Int.self)
                chunk?.value = 0x4141_4141
                XCTAssertEqual(chunk == nil, first == 0)
                XCTAssertEqual(chunk.map { $0 == number } ?? true, true)
                XCTAssertEqual(object.value.number, 7)
                _ = (fickle.name, fickle.isFreed, fickle.parent, fickle.children, fickle.totalBlocks)
                _ = fickle.report().drawing(.names)
            }
        }
    }

    // MARK: Refusing

    func testAChildThatFreesItsGrandparentAndRefusesStaysAsARoot() throws {
        let root = try TallocContext()
        let middle = try TallocContext(under: root)
        let leaf = try TallocContext(under: middle)
        let last = try TallocContext(under: middle)
        last.setDestructor { _ in .refuse }
        leaf.setDestructor { _ in
            if !root.isFreed { root.free() }
            return .refuse
        }
        XCTAssertTrue(middle.free())
        XCTAssertTrue(root.isFreed && middle.isFreed)
        for stubborn in [leaf, last] {
            XCTAssertFalse(stubborn.isFreed)
            stubborn.setDestructor(nil)
            stubborn.free()
        }
    }

    func testADestructorThatFreesItsOwnParentIsFreedOnce() throws {
        for decision in [FreeDecision.allow, .refuse] {
            let root = try TallocContext()
            let parent = try TallocContext(under: root)
            let child = try TallocContext(under: parent)
            var calls = 0
            child.setDestructor { child in
                calls += 1
                parent.free()
                XCTAssertFalse(child.free(), "it is being freed already")
                return decision
            }
            XCTAssertEqual(child.free(), decision == .allow)
            XCTAssertEqual(calls, 1)
            XCTAssertTrue(parent.isFreed)
            XCTAssertEqual(child.isFreed, decision == .allow)
            if !child.isFreed { child.setDestructor(nil) }
            root.free()
            XCTAssertTrue(child.isFreed, "it has moved under the parent of what was freed")
        }
    }

    func testARefusingChildLeavesALimitWithItsParent() throws {
        let root = try TallocContext()
        try root.setMemoryLimit(bytes: 10_000)
        let child = try TallocContext(under: root)
        let grandchild = try TallocChunk(1, under: child)
        child.setDestructor { _ in .refuse }
        root.free()
        child.setDestructor(nil)
        XCTAssertEqual(grandchild.value, 1)
        for number in 0..<1_000 { _ = try TallocChunk(number, under: grandchild) }
        child.free()
    }

    func testALimitStaysWithAnObjectThatIsMovedAndDoesNotBindWhatHasLeft() throws {
        try withTallocContext { root in
            let (outer, other) = (try TallocContext(under: root), try TallocContext(under: root))
            try outer.setMemoryLimit(bytes: 100_000)
            let inner = try TallocContext(under: outer)
            try inner.setMemoryLimit(bytes: 1_000)
            for parent in [other, outer, other] {
                inner.move(under: parent)
                XCTAssertThrowsError(try (0..<100).forEach { _ = try TallocChunk($0, under: inner) })
                let leaving = try XCTUnwrap(inner.children.last)
                leaving.move(under: parent)
                XCTAssertNoThrow(try (0..<10).forEach { _ = try TallocChunk($0, under: leaving) })
                inner.freeChildren()
            }
        }
    }

    func testAMoveBelowALimitCountsFromThenOn() throws {
        try withTallocContext { root in
            let limited = try TallocContext(under: root)
            try limited.setMemoryLimit(bytes: 2_000)
            _ = try TallocContext(under: limited)
            let heavy = try TallocContext(under: root)
            for number in 0..<20 { _ = try TallocChunk(number, under: heavy) }
            heavy.move(under: limited)
            XCTAssertThrowsError(try TallocContext(under: limited))
            heavy.moveToRoot()
            XCTAssertNoThrow(try TallocContext(under: limited))
            heavy.free()
        }
    }

    func testMemoryThatLeavesALimitedPoolIsSound() throws {
        let pool = try TallocPool(objects: 4, bytes: 1_000)
        try pool.setMemoryLimit(bytes: 3_000)
        let chunk = try TallocChunk([1, 2, 3], under: pool)
        chunk.moveToRoot()
        pool.free()
        XCTAssertEqual(chunk.value, [1, 2, 3])
        for number in 0..<100 { _ = try TallocChunk(number, under: chunk) }
        chunk.free()
    }

    // MARK: Children that come and go meanwhile

    func testFreeChildrenKeepsWhatADestructorMovesAwayAndFreesWhatItAdds() throws {
        try withTallocContext { root in
            let (parent, heir) = (try TallocContext(under: root), try TallocContext(under: root))
            let kept = try TallocContext(under: parent)
            let mover = try TallocContext(under: parent)
            var added: [TallocContext] = []
            mover.setDestructor { _ in
                kept.move(under: heir)
                for _ in 0..<3 { added.append(try! TallocContext(under: parent)) }
                return .allow
            }
            parent.freeChildren()
            XCTAssertEqual(heir.children, [kept])
            XCTAssertTrue(added.count == 3 && added.allSatisfy(\.isFreed))
            XCTAssertEqual(parent.children, [])
        }
    }

    func testAStubbornChildIsAskedOnceByFreeChildren() throws {
        try withTallocContext { root in
            let parent = try TallocContext(under: root)
            var asked = 0
            let stubborn = try TallocContext(under: parent)
            stubborn.setDestructor { _ in
                asked += 1
                return .refuse
            }
            for _ in 0..<3 { _ = try TallocContext(under: parent) }
            parent.freeChildren()
            XCTAssertEqual(asked, 1)
            XCTAssertEqual(parent.children, [stubborn])
            stubborn.setDestructor(nil)
        }
    }

    func testFreeChildrenEndsWhenADestructorFreesTheParent() throws {
        let root = try TallocContext()
        let parent = try TallocContext(under: root)
        let children = try (0..<3).map { _ in try TallocContext(under: parent) }
        children[2].setDestructor { _ in
            parent.free()
            return .allow
        }
        parent.freeChildren()
        XCTAssertTrue(parent.isFreed && children.allSatisfy(\.isFreed))
        root.free()
    }

    func testADestructorMayReplaceItselfAndItsDeinitMaySetAnother() throws {
        final class Chain {
            let context: TallocContext
            init(_ context: TallocContext) { self.context = context }
            deinit { if !context.isFreed { context.setDestructor(nil) } }
        }
        let context = try TallocContext()
        let chain = Chain(context)
        context.setDestructor { [chain] context in
            context.setDestructor { _ in .allow }
            return withExtendedLifetime(chain) { .refuse }
        }
        XCTAssertFalse(context.free())
        XCTAssertTrue(context.free())
    }

    func testAnAbortHookMayBeSetInTheDeinitOfTheOneBefore() throws {
        final class Setter: Sendable {
            deinit { TallocLibrary.setAbortHook(nil) }
        }
        do {
            let setter = Setter()
            TallocLibrary.setAbortHook { _ in withExtendedLifetime(setter) {} }
        }
        TallocLibrary.setAbortHook(nil)
    }

    // MARK: Depth

    func testATreeOfTwoHundredThousandLevelsIsMadeMovedReportedAndFreedOnASmallStack() throws {
        try onSmallStack {
            let depth = levels(200_000)
            let top = try TallocContext()
            let root = try TallocContext(under: top)
            var leaf = root
            for _ in 0..<depth { leaf = try TallocContext(under: leaf, named: "level") }
            let report = root.report()
            XCTAssertEqual(report.entries.count, depth + 1)
            XCTAssertEqual(report.entries[0].blocks, depth + 1)
            XCTAssertEqual(report.entries[depth].depth, depth)
            XCTAssertTrue(report.drawing(.names).hasSuffix("\n\(depth) deep: level"))
            XCTAssertEqual(top.totalBlocks, depth + 2)
            XCTAssertGreaterThan(top.totalSize, depth * 16)
            let other = try TallocContext()
            root.move(under: other)
            leaf.move(under: top)
            XCTAssertEqual(other.totalBlocks, depth + 1)
            other.free()
            top.free()
            XCTAssertTrue(root.isFreed && leaf.isFreed)
        }
    }

    func testAMoveBelowItselfIsNoticedHoweverDeep() throws {
        let result = try runInChild(self) {
            let root = try TallocContext(named: "root")
            var leaf = root
            for _ in 0..<levels(20_000) { leaf = try TallocContext(under: leaf, named: "leaf") }
            root.move(under: leaf)
        }
        XCTAssertTrue(result.stderr.contains("'root' cannot move under 'leaf', which belongs to it"), result.stderr)
    }

    /// Runs a body on a thread with half a megabyte of stack.
    private func onSmallStack(_ body: @escaping () throws -> Void) throws {
        nonisolated(unsafe) let body = body
        nonisolated(unsafe) var outcome: Result<Void, any Error>?
        let ended = DispatchSemaphore(value: 0)
        let thread = Thread {
            outcome = Result { try body() }
            ended.signal()
        }
        thread.stackSize = 512 * 1024
        thread.start()
        XCTAssertEqual(ended.wait(timeout: .now() + 300), .success)
        try outcome?.get()
    }

    // MARK: What is known of libtalloc

    func testWhetherAChunkHasChildrenIsKnown() throws {
        try withTallocContext { root in
            func mayHaveChildren() -> Bool { clinux_may_have_children(root.chunk()) }
            XCTAssertFalse(mayHaveChildren())
            let child = try TallocContext(under: root)
            XCTAssertTrue(mayHaveChildren())
            child.moveToRoot()
            XCTAssertFalse(mayHaveChildren())
            child.move(under: root)
            XCTAssertTrue(mayHaveChildren())
            child.free()
            XCTAssertFalse(mayHaveChildren())
        }
    }

    func testTheHeaderOfAChunkHasTheSizeThatLimitsCount() throws {
        // libtalloc's own limit shows how much a chunk of zero bytes takes.
        let root = try XCTUnwrap(talloc_named_const(nil, 0, "root"))
        defer { _ = _talloc_free(root, nil) }
        XCTAssertEqual(talloc_set_memlimit(root, 2 * MemoryLimits.headerSize), 0)
        XCTAssertNotNil(talloc_named_const(root, 0, "one"))
        XCTAssertNil(talloc_named_const(root, 0, "two"))
        XCTAssertEqual(talloc_set_memlimit(root, 3 * MemoryLimits.headerSize - 1), 0)
        XCTAssertNil(talloc_named_const(root, 0, "two"))
    }
}
