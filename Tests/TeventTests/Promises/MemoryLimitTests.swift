import CTestSupport
import Talloc
import XCTest

@testable import Tevent

/// Runs out of memory at every allocation of the engine in turn: the call throws, and nothing is half done.
final class MemoryLimitTests: EngineTestCase {
    func testMakingAContext() throws {
        try onEachBackend { backend in
            try failingEachAllocation { memory, _ in _ = try EventContext(under: memory, backend: backend) }
        }
    }

    func testAddingATimer() throws {
        try onEachBackend { backend in
            try failingEachAllocation { memory, token in
                let events = try EventContext(under: memory, backend: backend)
                try events.addTimer(at: .zero) { _, _ in withExtendedLifetime(token) {} }
            }
        }
    }

    func testMakingAnImmediate() throws {
        try failingEachAllocation { memory, token in
            let events = try EventContext(under: memory)
            try ImmediateEvent(under: events).schedule(on: events) { _, _ in withExtendedLifetime(token) {} }
        }
    }

    func testAddingADescriptor() throws {
        try onEachBackend { backend in
            let reader = try pipe().reader
            try failingEachAllocation { memory, token in
                let events = try EventContext(under: memory, backend: backend)
                try events.addFD(reader, .read) { _, _ in withExtendedLifetime(token) {} }.setCloseFunction { _ in
                    withExtendedLifetime(token) {}
                }
            }
        }
    }

    func testAddingASignal() throws {
        try onEachBackend { backend in
            try failingEachAllocation { memory, token in
                let events = try EventContext(under: memory, backend: backend)
                for wantsInfo in [false, true] {
                    try events.addSignal(.user2, wantsInfo: wantsInfo) { _, _ in withExtendedLifetime(token) {} }
                }
            }
            XCTAssertEqual(test_disposition(SIGUSR2), 0)
        }
    }

    func testAFailureLeavesTheContextsOtherEventsAtWork() throws {
        try onEachBackend { backend in
            try withTallocContext { memory in
                let events = try EventContext(under: memory, backend: backend, clock: ManualClock())
                var runs = 0
                try memory.setMemoryLimit(bytes: memory.totalSize + 4_000)
                var added = 0
                var refusal: TeventError?
                while refusal == nil {
                    refusal = failure { try events.addTimer(at: .zero) { _, _ in runs += 1 } }
                    if refusal == nil { added += 1 }
                }
                XCTAssertGreaterThan(added, 5)
                XCTAssertTrue(events.record().pointee.timers.isConsistent)
                XCTAssertEqual(try events.loopWait(), .noEvents)
                XCTAssertEqual(runs, added)
                XCTAssertNil(failure { try events.addTimer(at: .zero) { _, _ in } }, "there is room again")
            }
        }
    }

    func testATableThatCannotGrowKeepsWhatItHas() throws {
        try onEachBackend { backend in
            try withTallocContext { memory in
                let reader = try readyDescriptor()
                let high = opened(fcntl(reader, F_DUPFD, 900))
                let events = try EventContext(under: memory, backend: backend, clock: ManualClock())
                var runs = 0
                try events.addFD(reader, .read) { _, _ in runs += 1 }
                let blocks = memory.totalBlocks
                try memory.setMemoryLimit(bytes: memory.totalSize + 4_000)
                assertThrows(
                    .outOfMemory(name: "struct tevent_fd table"), try events.addFD(high, .read) { _, _ in runs += 100 })
                XCTAssertEqual(memory.totalBlocks, blocks)
                XCTAssertEqual(try events.loopOnce(), .handled)
                try memory.setMemoryLimit(bytes: nil)
                try events.addFD(high, .read) { _, _ in runs += 100 }
                XCTAssertEqual(try events.loopOnce(), .handled)
                XCTAssertEqual(try events.loopOnce(), .handled)
                XCTAssertEqual(runs, 102)
            }
        }
    }

    func testUpdatingATimerInItsHandlerNeedsNoMemory() throws {
        try onEachBackend { backend in
            try withTallocContext { memory in
                let clock = ManualClock()
                let events = try EventContext(under: memory, backend: backend, clock: clock)
                var runs = 0
                for _ in 0..<16 {
                    try events.addTimer(at: .zero) { timer, _ in
                        runs += 1
                        // Other timers take every place that seems free.
                        while failure(of: { try events.addTimer(after: .seconds(9)) { _, _ in } }) == nil {}
                        if runs <= 16 { timer.update(after: .zero) }
                        XCTAssertTrue(events.record().pointee.timers.isConsistent)
                    }
                }
                try memory.setMemoryLimit(bytes: memory.totalSize + 3_000)
                XCTAssertEqual(try events.loopWait(), .timedOut)
                XCTAssertEqual(runs, 32)
            }
        }
    }
}
