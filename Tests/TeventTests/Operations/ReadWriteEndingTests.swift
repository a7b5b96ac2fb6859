import Talloc
import TestSupport
@testable import Tevent
import XCTest

/// Requests to read and write that end early, in every possible way.
final class ReadWriteEndingTests: EngineTestCase {
    /// Creates one waiting request of each kind, and has `body` end it early; afterwards nothing may be watched.
    private func onEachWaitingRequest(
        line: UInt = #line, _ body: (_ request: AnyRequest, _ events: EventContext, _ clock: ManualClock) throws -> Void
    ) throws {
        try onBothBackends(line: line) { events, clock in
            let empty = try pipe()
            let full = try pipe()
            _ = try fill(full.writer)
            let kinds: [() throws -> AnyRequest] = [
                { AnyRequest(try Read.send(from: empty.reader, on: events, under: events)) },
                { AnyRequest(try Write.send([1], to: full.writer, on: events, under: events)) },
                { AnyRequest(try WriteAll.send([1], to: full.writer, on: events, under: events)) },
            ]
            for send in kinds {
                let request = try send()
                XCTAssertEqual(try events.loopWait(), .timedOut, line: line)
                try body(request, events, clock)
                XCTAssertTrue(events.descriptors.isEmpty, "\(request)", line: line)
                XCTAssertFalse(events.hasEvents, "\(request)", line: line)
            }
        }
    }

    func testARequestThatWaitsCanBeCancelled() throws {
        try onEachWaitingRequest { request, _, _ in
            XCTAssertTrue(request.cancel())
            XCTAssertEqual(request.error as? RequestError, .cancelled)
        }
    }

    func testACleanupFunctionOfTheCallersLeavesNoEventBehind() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            let request = try Read.send(from: pipe.reader, on: events, under: events)
            var watched: [Int] = []
            request.setCleanup { _, status in
                if status == .failed { watched.append(events.descriptors.count) }
            }
            XCTAssertTrue(request.cancel())
            XCTAssertEqual(watched, [0])
        }
    }

    func testAnEventThatIsMovedAwayFromItsRequestServesItStill() throws {
        try onBothBackends { events, _ in
            for parent in [events.tallocContext, try Request("of another type", under: events).tallocContext] {
                let pipe = try pipe()
                let request = try Read.send(from: pipe.reader, on: events, under: events)
                let event = events.descriptors[0]
                event.move(under: parent)
                write(pipe.writer, "x")
                try events.loopOnce()
                XCTAssertEqual(try request.receive(), Array("x".utf8))
                XCTAssertTrue(event.isFreed)
                request.free()
            }
        }
    }

    func testARequestThatIsFreedTakesAnEventThatWasMovedAwayAlong() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            let request = try Read.send(from: pipe.reader, on: events, under: events)
            events.descriptors[0].move(under: events)
            request.free()
            XCTAssertEqual(events.descriptors, [])
        }
    }

    func testARequestWhoseDescriptorIsClosedFailsInsteadOfWaitingForever() throws {
        for isHeld in [false, true] {
            try onBothBackendsInRealTime { events in
                events.record().pointee.auditDelay = 1_000_000
                let pipe = try pipe()
                if isHeld { _ = try events.hold(pipe.reader, under: events) }
                let request = try Read.send(from: pipe.reader, on: events, under: events)
                events.maximumWait = .zero
                XCTAssertEqual(try events.loopOnce(), .timedOut)
                close(pipe.reader)
                events.maximumWait = nil
                XCTAssertEqual(try request.poll(on: events), .finished)
                assertThrows(.systemCall(name: "read", code: EBADF), try request.receive())
            }
        }
    }

    func testTheFlagsOfAnEventThatServesARequestCannotBeSet() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            _ = try Read.send(from: try self.pipe().reader, on: events, under: events)
            events.descriptors[0].flags = [.read, .error]
        }
        assertTrapped(result, saying: "were set, but it serves requests, which set them")
    }

    func testARequestThatWaitsTimesOut() throws {
        try onEachWaitingRequest { request, events, clock in
            try request.setEndTime(after: .seconds(1), on: events)
            clock.advance(by: .seconds(1))
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(request.status, .timedOut)
        }
    }

    func testARequestThatWaitsCanBeFreed() throws {
        try onEachWaitingRequest { request, _, _ in request.free() }
    }

    func testACancelledReadLosesNoByte() throws {
        try onBothBackends { events, _ in
            let pipe = try pipe()
            let request = try Read.send(from: pipe.reader, on: events, under: events)
            write(pipe.writer, "kept")
            XCTAssertTrue(request.cancel())
            XCTAssertEqual(try read(pipe.reader), "kept")
        }
    }

    func testTheDescriptorStaysTheCallers() throws {
        try onEachWaitingRequest { request, events, _ in
            let descriptor = events.descriptors[0].descriptor
            request.free()
            XCTAssertTrue(isOpen(descriptor))
        }
    }

    func testACallbackMayFreeEverything() throws {
        try onEachBackend { backend in
            let events = try EventContext(backend: backend, clock: ManualClock())
            let requests = try (0..<3).map { _ in
                try Read.send(from: try readyDescriptor(), on: events, under: events)
            }
            for request in requests { request.setCallback { _ in events.free() } }
            XCTAssertEqual(try events.loopWait(), .contextFreed)
            XCTAssertTrue(requests.allSatisfy(\.isFreed))
        }
    }

    func testACallbackMayFreeAnotherThatIsReadyToo() throws {
        try onBothBackends { events, _ in
            let requests = try (0..<2).map { _ in
                try Read.send(from: try readyDescriptor(), on: events, under: events)
            }
            var told = 0
            for (request, other) in zip(requests, requests.reversed()) {
                request.setCallback { _ in
                    told += 1
                    other.free()
                }
            }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(told, 1)
        }
    }

    func testAHundredInFlightGoWithTheirParent() throws {
        try onBothBackends { events, _ in
            let parent = try TallocContext(under: events)
            let blocks = events.totalBlocks
            for _ in 0..<50 {
                let pair = try sockets()
                _ = try fill(pair.0)
                _ = try WriteAll.send([1], to: pair.0, on: events, under: parent)
                _ = try Read.send(from: pair.0, on: events, under: parent)
            }
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(events.descriptors.count, 100)
            parent.free()
            XCTAssertTrue(events.descriptors.isEmpty)
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertLessThanOrEqual(events.totalBlocks, blocks, "apart from the table of descriptors")
        }
    }

    func testARequestThatOutlivesItsContextIsHarmless() throws {
        try onEachBackend { backend in
            try withTallocContext { memory in
                let events = try EventContext(backend: backend)
                let request = try Read.send(from: try pipe().reader, on: events, under: memory)
                events.free()
                XCTAssertTrue(request.isInProgress)
                XCTAssertTrue(request.cancel())
            }
        }
    }

    // MARK: No memory

    func testNoMemoryAtAnyAllocation() throws {
        try onEachBackend { backend in
            let pipe = try pipe()
            let full = try self.pipe()
            _ = try fill(full.writer)
            try failingEachAllocation { memory, token in
                let events = try EventContext(under: memory, backend: backend, clock: ManualClock())
                try WriteAll.send([1], to: pipe.writer, on: events, under: memory).receive()
                let read = try Read.send(from: pipe.reader, upTo: 1, on: events, under: memory)
                read.setCallback { _ in withExtendedLifetime(token) {} }
                try read.poll(on: events)
                let bytes = try read.receive()
                XCTAssertEqual(bytes, [1])
                let write = try WriteAll.send([1], to: full.writer, on: events, under: memory)
                write.setCallback { _ in withExtendedLifetime(token) {} }
                if let error = write.error { throw error }
                XCTAssertTrue(write.isInProgress)
            }
        }
    }
}
