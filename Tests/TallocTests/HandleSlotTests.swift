import Foundation
import TestSupport
import XCTest

@testable import Talloc

/// Slots of handles when one thread creates memory and another frees it: the slots come back, and old handles stay
/// stale.
final class HandleSlotTests: XCTestCase {
    /// A thread that runs one body after another while the caller waits.
    private final class Worker: @unchecked Sendable {
        private let start = DispatchSemaphore(value: 0)
        private let done = DispatchSemaphore(value: 0)
        private var body: (() -> Void)?

        init() {
            let thread = Thread { [self] in
                while true {
                    start.wait()
                    guard let body else { break }
                    body()
                    done.signal()
                }
                done.signal()
            }
            thread.start()
        }

        func run(_ body: @escaping () -> Void) {
            self.body = body
            start.signal()
            done.wait()
            self.body = nil
        }

        func end() {
            body = nil
            start.signal()
            done.wait()
        }
    }

    private static func make(_ count: Int) -> [TallocChunk<Int>] {
        (0..<count).map { number in
            do { return try TallocChunk(number) } catch { fatalError("\(error)") }
        }
    }

    /// As many slabs as the slots of one round need, plus those that two threads may keep for themselves.
    private func bound(_ count: Int) -> Int { (count + 8 * SlotDepot.longestList) / 512 + 4 }

    func testSlotsComeBackWhenAnotherThreadFrees() throws {
        let (worker, count, before) = (Worker(), 3_000, SlotDepot.slabCount)
        for _ in 0..<60 {
            let chunks = Self.make(count)
            worker.run { for chunk in chunks { chunk.free() } }
        }
        worker.end()
        XCTAssertLessThan(SlotDepot.slabCount - before, bound(count))
    }

    func testSlotsComeBackWhenThisThreadFreesWhatAnotherMade() throws {
        let (worker, count, before) = (Worker(), 3_000, SlotDepot.slabCount)
        for _ in 0..<60 {
            var chunks: [TallocChunk<Int>] = []
            worker.run { chunks = Self.make(count) }
            for chunk in chunks { chunk.free() }
        }
        worker.end()
        XCTAssertLessThan(SlotDepot.slabCount - before, bound(count))
    }

    func testSlotsComeBackWhenFewAtATimeGoBothWays() throws {
        let (worker, before) = (Worker(), SlotDepot.slabCount)
        for _ in 0..<2_000 {
            let mine = Self.make(20)
            var theirs: [TallocChunk<Int>] = []
            worker.run {
                for chunk in mine { chunk.free() }
                theirs = Self.make(30)
            }
            for chunk in theirs { chunk.free() }
        }
        worker.end()
        XCTAssertLessThan(SlotDepot.slabCount - before, bound(50))
    }

    func testSlotsOfThreadsThatOnlyFreeComeBackWhenTheyEnd() throws {
        let before = SlotDepot.slabCount
        // Enough for each thread to have one list set aside and another one in use.
        for _ in 0..<100 {
            let (worker, chunks) = (Worker(), Self.make(1_500))
            worker.run { for chunk in chunks { chunk.free() } }
            worker.end()
        }
        // A thread that is about to end may still have its slots.
        XCTAssertLessThan(SlotDepot.slabCount - before, bound(10 * 1_500))
    }

    func testOldHandlesStayOldWhenTheirSlotsAreAnothersByNow() throws {
        let worker = Worker()
        var old: [TallocChunk<Int>] = []
        var reused = 0
        for _ in 0..<20 {
            let chunks = Self.make(300)
            var theirs: [TallocChunk<Int>] = []
            worker.run {
                for chunk in chunks { chunk.free() }
                theirs = Self.make(300)
            }
            old += chunks
            XCTAssertEqual(old.filter { !$0.isFreed }, [])
            XCTAssertEqual(theirs.map(\.value), Array(0..<300))
            let slots = Set(chunks.map { UInt(bitPattern: $0.tallocHandle.slot) })
            reused += theirs.filter { slots.contains(UInt(bitPattern: $0.tallocHandle.slot)) }.count
            for chunk in theirs { chunk.free() }
        }
        worker.end()
        XCTAssertEqual(reused, 20 * 300, "the slots were not used again, so this shows nothing")
    }

    func testThreadsThatMakeAndFreeAtOnceDoNotDisturbEachOther() throws {
        final class Exchange: @unchecked Sendable {
            private let lock = NSLock()
            private var waiting: [TallocChunk<Int>] = []
            func put(_ chunks: [TallocChunk<Int>]) { lock.withLock { waiting += chunks } }
            func take() -> [TallocChunk<Int>] {
                lock.withLock {
                    defer { waiting = [] }
                    return waiting
                }
            }
        }
        let (exchange, before) = (Exchange(), SlotDepot.slabCount)
        let workers = (0..<3).map { _ in Worker() }
        // Each thread frees what another has left there.
        DispatchQueue.concurrentPerform(iterations: workers.count) { index in
            workers[index].run {
                for _ in 0..<200 {
                    exchange.put(Self.make(100))
                    for chunk in exchange.take() {
                        XCTAssertLessThan(chunk.value, 100)
                        chunk.free()
                        XCTAssertTrue(chunk.isFreed)
                    }
                }
            }
        }
        for worker in workers { worker.end() }
        for chunk in exchange.take() { chunk.free() }
        XCTAssertLessThan(SlotDepot.slabCount - before, bound(3 * 100 * 200 / 4))
    }
}
