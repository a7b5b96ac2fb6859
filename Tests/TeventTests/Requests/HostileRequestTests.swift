import Glibc
import Talloc
import TestSupport
import XCTest

@testable import Tevent

/// The engine's own requests, with traces, functions and states that do their worst.
final class HostileRequestTests: EngineTestCase {
    // MARK: Traces of the event that a request waits with

    func testATraceMayRunTheLoopWhileARequestBeginsToWait() throws {
        try onBothBackends { events, _ in
            let pipe = try self.pipe()
            _ = try SystemIO.write(pipe.writer, [1])
            events.setFDTrace { _, point in if point == .attach { _ = try? events.loopOnce() } }
            let read = try Read.send(from: pipe.reader, on: events, under: events)
            XCTAssertEqual(read.status, .done)
            XCTAssertEqual(try read.receive(), [1])
            XCTAssertEqual(try events.loopOnce(), .noEvents)
        }
    }

    func testATraceMayCancelAConnectThatBeginsToWait() throws {
        try onBothBackends { events, _ in
            // A listener with a full queue makes connecting clients wait.
            let listener = try SystemIO.listen(boundTo: .loopback(port: 0), backlog: 0)
            let address = try SystemIO.localAddress(of: listener)
            let waiting = try (0..<2).map { _ in try SystemIO.connect(to: address).descriptor }
            for descriptor in waiting + [listener] { _ = opened(descriptor) }
            let before = openDescriptors()
            events.setFDTrace { event, point in
                if point == .attach { event.parent.flatMap(AnyRequest.init)?.cancel() }
            }
            let connect = try Connect.send(to: address, on: events, under: events)
            XCTAssertEqual(connect.status, .failed)
            XCTAssertEqual(events.descriptors.count, 0)
            XCTAssertEqual(openDescriptors(), before)
            var callbacks = 0
            connect.setCallback { request in
                callbacks += 1
                request.discard()
            }
            try events.loopWait()
            XCTAssertEqual(callbacks, 1)
        }
    }

    func testATraceMayFreeOrEndAWakeupThatIsBeingMade() throws {
        try onBothBackends { events, _ in
            events.setTimerTrace { timer, point in if point == .attach { timer.parent?.free() } }
            XCTAssertTrue(try Wakeup.send(after: .zero, on: events, under: events).isFreed)

            events.setTimerTrace { timer, point in
                if point == .attach { timer.parent.flatMap(AnyRequest.init)?.finish() }
            }
            let wakeup = try Wakeup.send(after: .zero, on: events, under: events)
            var callbacks = 0
            wakeup.setCallback { _ in callbacks += 1 }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(callbacks, 1)
            XCTAssertEqual(events.timers.count, 0)
        }
    }

    func testATraceMayReceiveARequestWhoseEventEnds() throws {
        try onBothBackends { events, _ in
            let pipe = try self.pipe()
            let read = try Read.send(from: pipe.reader, on: events, under: events)
            var statuses: [RequestStatus] = []
            read.setCleanup { read, status in
                statuses.append(status)
                _ = read.state
            }
            events.setFDTrace { event, point in
                if point == .detach { event.parent.flatMap(AnyRequest.init)?.discard() }
            }
            _ = try SystemIO.write(pipe.writer, [1])
            try events.loopOnce()
            XCTAssertEqual(statuses, [.received])
            XCTAssertEqual(read.status, .received)
        }
    }

    // MARK: Functions

    func testACleanupFunctionMayRunTheLoop() throws {
        try onBothBackends { events, _ in
            let pipe = try self.pipe()
            let read = try Read.send(from: pipe.reader, on: events, under: events)
            var statuses: [RequestStatus] = []
            read.setCleanup { _, status in
                statuses.append(status)
                _ = try? SystemIO.write(pipe.writer, [1])
                XCTAssertEqual(try? events.loopOnce(), .noEvents)
            }
            read.free()
            XCTAssertEqual(statuses, [.received])
        }
    }

    func testFunctionsMayCallThoseOfOthersAsDeepAsTheRequestsAre() throws {
        let depth = levels(50_000)
        let root = try TallocContext()
        defer { root.free() }
        let top = try Request(0, under: root)
        var innermost = top
        for _ in 0..<depth {
            let outer = innermost
            innermost = try Request(0, under: outer)
            innermost.setCleanup { _, status in if status == .failed { outer.fail(code: 1) } }
            innermost.setPrint { _ in outer.description }
            innermost.setCancel { request in
                request.fail(RequestError.cancelled)
                return true
            }
        }
        XCTAssertTrue(innermost.description.hasSuffix("in progress"), innermost.description)
        innermost.fail(code: 1)
        XCTAssertEqual(top.status, .failed)

        var next = try Request(0, under: root)
        let first = next
        for _ in 0..<depth {
            let (outer, inner) = (next, try Request(0, under: root))
            outer.setCancel { _ in inner.cancel() }
            next = inner
        }
        next.setCancel { request in
            request.finish()
            return true
        }
        XCTAssertTrue(first.cancel())
        XCTAssertEqual(next.status, .done)
    }

    func testAProfileMayBeAsDeepAsTheRequestsAre() throws {
        let events = try EventContext(clock: ManualClock())
        defer { events.free() }
        let root = try TallocContext()
        let top = try Request(0, under: root)
        var profile: RequestProfile? = top.startProfile(on: events)
        var innermost = top
        let depth = levels(10_000)
        for _ in 0..<depth { innermost = try Request(0, under: innermost) }
        let lines = try XCTUnwrap(profile).description.split(separator: "\n")
        XCTAssertEqual(lines.count, depth + 1)
        XCTAssertTrue(lines[3].hasPrefix("      Int: 0.000"), String(lines[3]))
        XCTAssertTrue(lines[depth].hasPrefix("\(depth) deep: Int: 0.000"), String(lines[depth]))
        for _ in 0..<levels(100_000) - depth { innermost = try Request(0, under: innermost) }
        root.free()
        weak let released = profile
        profile = nil
        XCTAssertNil(released)
    }

    // MARK: States and ends that are not the request's own

    private func assertTrapsForLackOfWork(
        function: String = #function, line: UInt = #line, _ body: (_ events: EventContext) throws -> Void
    ) throws {
        let result = try runInChild(self, function: function) { try body(try EventContext()) }
        assertTrapped(result, saying: "is missing the result of its own work", line: line)
    }

    func testReceivingAnAcceptThatOtherCodeFinished() throws {
        try assertTrapsForLackOfWork { events in
            let accept = try Accept.send(from: listener().0, on: events, under: events)
            accept.finish()
            _ = try accept.receive()
        }
    }

    func testReceivingAReadThatOtherCodeFinished() throws {
        try assertTrapsForLackOfWork { events in
            let read = try Read.send(from: pipe().reader, on: events, under: events)
            read.finish()
            _ = try read.receive()
        }
    }

    func testAConnectionIsGivenAwayOnceHoweverManyStatesNameIt() throws {
        try assertTrapsForLackOfWork { events in
            let address = try listener().1
            let connects = try (0..<2).map { _ in try Connect.send(to: address, on: events, under: events) }
            try events.loop { connects.allSatisfy { !$0.isInProgress } }
            connects[1].state = connects[0].state
            _ = opened(try connects[0].receive())
            _ = try connects[1].receive()
        }
    }

    func testADescriptorIsClosedWithTheLastStateThatNamesIt() throws {
        try onBothBackendsInRealTime { events in
            let address = try listener().1
            let before = openDescriptors()
            let connects = try (0..<2).map { _ in try Connect.send(to: address, on: events, under: events) }
            try events.loop { connects.allSatisfy { !$0.isInProgress } }
            connects[1].state = connects[0].state
            XCTAssertEqual(openDescriptors().count, before.count + 1)
            connects[0].free()
            XCTAssertEqual(openDescriptors().count, before.count + 1)
            connects[1].free()
            XCTAssertEqual(openDescriptors(), before)
        }
    }

    func testTheStateOfAnotherWriteAllEndsTheWaitingOne() throws {
        try onBothBackends { events, _ in
            let (pair, full) = (try sockets(), try sockets())
            while try SystemIO.write(full.0, [UInt8](repeating: 1, count: 4096)) > 0 {}
            // Everything is written at once, so its state has no bytes, but a count.
            let done = try WriteAll.send([1, 2, 3], to: pair.0, on: events, under: events)
            let waiting = try WriteAll.send([1, 2, 3], to: full.0, on: events, under: events)
            waiting.state = done.state
            while case .bytes = try SystemIO.read(full.1, upTo: 65536) {}
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(waiting.status, .done)
        }
    }
}
