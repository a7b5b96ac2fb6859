import Talloc
import Tevent
import XCTest

/// Waiting for a place at the front of a queue, as a request.
final class QueueWaitTests: QueueTestCase {
    func testInAnEmptyQueueItIsDoneInTheLoopsNextTurn() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let wait = try QueueWait.send(in: queue, on: events, under: memory)
            wait.setCallback { _ in self.note("waited") }
            XCTAssertTrue(wait.isInProgress)
            try assertLoop(events, notes: ["waited"])
            XCTAssertNoThrow(try wait.receive())
        }
    }

    func testItIsDoneWhenAllThatWasAddedBeforeIsFreedAndHoldsWhatWasAddedAfter() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let before = try add(["a", "b"], to: queue, on: events, under: memory)
            let wait = try QueueWait.send(in: queue, on: events, under: memory)
            wait.setCallback { _ in self.note("waited") }
            try add("c", to: queue, on: events, under: memory)
            try assertLoop(events, notes: ["a"])
            for request in before { request.finish() }
            try assertLoop(events, notes: [])
            before[1].free()
            try assertLoop(events, notes: [])
            before[0].free()
            try assertLoop(events, notes: ["waited"])
            XCTAssertEqual(queue.length, 2)
        }
    }

    func testItHoldsTheQueueUntilItIsFreedEvenAfterItWasReceived() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let wait = try QueueWait.send(in: queue, on: events, under: memory)
            try add("a", to: queue, on: events, under: memory)
            try assertLoop(events, notes: [])
            XCTAssertEqual(wait.status, .done)
            try wait.receive()
            try assertLoop(events, notes: [])
            XCTAssertEqual(queue.length, 2)
            wait.free()
            try assertLoop(events, notes: ["a"])
        }
    }

    func testFreedInItsCallbackItIsOnlyABarrier() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            try add("a", to: queue, on: events, under: memory) { $0.free() }
            try QueueWait.send(in: queue, on: events, under: memory).setCallback { wait in
                self.note("waited")
                wait.free()
            }
            try add("b", to: queue, on: events, under: memory) { $0.free() }
            try assertLoop(events, notes: ["a", "waited", "b"])
        }
    }

    func testSeveralWaitInTheOrderTheyCame() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            for name in ["a", "b", "c"] {
                try QueueWait.send(in: queue, on: events, under: memory).setCallback { wait in
                    self.note(name)
                    sure { try wait.receive() }
                    wait.free()
                }
            }
            try assertLoop(events, notes: ["a", "b", "c"])
        }
    }

    func testInAStoppedQueueItWaits() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            queue.stop()
            let wait = try QueueWait.send(in: queue, on: events, under: memory)
            try assertLoop(events, notes: [])
            XCTAssertTrue(wait.isInProgress)
            queue.start()
            try assertLoop(events, notes: [])
            XCTAssertEqual(wait.status, .done)
        }
    }

    func testItCanBeCancelledWhileItWaitsAndNotAfterwards() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let waits = try (0..<2).map { _ in try QueueWait.send(in: queue, on: events, under: memory) }
            waits[1].setCallback { _ in self.note("cancelled") }
            XCTAssertTrue(waits[1].cancel())
            assertNoted(["cancelled"])
            XCTAssertThrowsError(try waits[1].receive()) { XCTAssertEqual($0 as? RequestError, .cancelled) }
            try assertLoop(events, notes: [])
            XCTAssertEqual(waits[0].status, .done)
            XCTAssertFalse(waits[0].cancel())
            // A cancelled wait still has its place, until it is freed.
            try add("a", to: queue, on: events, under: memory)
            waits[0].free()
            try assertLoop(events, notes: [])
            waits[1].free()
            try assertLoop(events, notes: ["a"])
        }
    }

    func testItCanTimeOut() throws {
        try onBothBackends { events, clock in
            try withTallocContext { memory in
                let queue = try RequestQueue(label: "writes", under: memory)
                let first = try add("a", to: queue, on: events, under: memory)
                let wait = try QueueWait.send(in: queue, on: events, under: memory)
                try wait.setEndTime(after: .seconds(1), on: events)
                try events.loopWait()
                clock.advance(by: .seconds(1))
                try assertLoop(events, notes: ["a"])
                XCTAssertThrowsError(try wait.receive()) { XCTAssertEqual($0 as? RequestError, .timedOut) }
                first.free()
                try assertLoop(events, notes: [])
            }
        }
    }

    func testAnEndTimeDoesNotCountOnceTheTurnHasCome() throws {
        try onBothBackends { events, clock in
            try withTallocContext { memory in
                let queue = try RequestQueue(label: "writes", under: memory)
                let wait = try QueueWait.send(in: queue, on: events, under: memory)
                try wait.setEndTime(after: .seconds(1), on: events)
                try assertLoop(events, notes: [])
                clock.advance(by: .seconds(2))
                XCTAssertEqual(wait.status, .done)
                XCTAssertNil(wait.endTime)
            }
        }
    }

    func testItMayBeFreedWhileItWaits() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let wait = try QueueWait.send(in: queue, on: events, under: memory)
            wait.setCallback { _ in XCTFail("freed") }
            wait.free()
            XCTAssertEqual(queue.length, 0)
            try assertLoop(events, notes: [])
        }
    }

    func testAQueueThatIsFreedLeavesItInProgress() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let wait = try QueueWait.send(in: queue, on: events, under: memory)
            queue.free()
            try assertLoop(events, notes: [])
            XCTAssertTrue(wait.isInProgress)
        }
    }

    func testItKnowsTheLineThatMadeIt() throws {
        try onBothBackendsWithQueue { queue, events, memory in
            let wait = try QueueWait.send(in: queue, on: events, under: memory)
            XCTAssertEqual(wait.origin, "TeventTests/QueueWaitTests.swift:\(#line - 1)")
        }
    }
}
