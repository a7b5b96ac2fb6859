import CTestSupport
import Glibc
import Talloc
import TestSupport
import XCTest

@testable import Tevent

final class AcceptConnectTests: EngineTestCase {
    private func refused(_ call: String = "connect") -> TeventError {
        .systemCall(name: call, code: ECONNREFUSED)
    }

    /// Waits until a request has ended, in a loop that may have other work.
    private func end(_ request: some RequestProtocol, on events: EventContext, line: UInt = #line) throws {
        XCTAssertEqual(try request.poll(on: events), .finished, line: line)
    }

    // MARK: Connecting and being accepted

    func testAClientThatConnectsIsAccepted() throws {
        try onBothBackendsInRealTime { events in
            let (listener, address) = try listener()
            let accept = try Accept.send(from: listener, on: events, under: events)
            let connect = try Connect.send(to: address, on: events, under: events)
            try end(connect, on: events)
            try end(accept, on: events)
            let client = opened(try connect.receive())
            let server = try accept.receive()
            XCTAssertEqual(server.peer, try SystemIO.localAddress(of: client))
            write(client, "hello")
            let read = try Read.send(from: opened(server.descriptor), on: events, under: events)
            try end(read, on: events)
            XCTAssertEqual(try read.receive(), Array("hello".utf8))
        }
    }

    func testAnAcceptWaitsUntilAClientConnects() throws {
        try onBothBackends { events, _ in
            let (listener, _) = try listener()
            let accept = try Accept.send(from: listener, on: events, under: events)
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertTrue(accept.isInProgress)
        }
    }

    func testConnectingGoesOnInTheLoop() throws {
        try onBothBackendsInRealTime { events in
            let (_, address) = try listener()
            let connect = try Connect.send(to: address, on: events, under: events)
            var told = 0
            connect.setCallback { _ in told += 1 }
            XCTAssertEqual(told, 0)
            try end(connect, on: events)
            XCTAssertEqual(told, 1)
            XCTAssertTrue(events.descriptors.isEmpty, "nothing waits for the socket any more")
            XCTAssertNotEqual(fcntl(opened(try connect.receive()), F_GETFL) & O_NONBLOCK, 0)
        }
    }

    func testOneConnectionForTwoAcceptsLeavesOneOfThemWaiting() throws {
        try onBothBackendsInRealTime { events in
            let (listener, address) = try listener()
            // Two numbers of one socket, so that both are reported ready at once, and the second no longer is when its
            // turn comes.
            let accepts = try [listener, copy(listener)].map {
                try Accept.send(from: $0, on: events, under: events)
            }
            _ = try connect(address)
            try wait(for: listener, .read)
            events.maximumWait = .zero
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(accepts.filter(\.isInProgress).count, 1)
        }
    }

    func testASocketThatIsReadyBeforeItIsConnectedWaitsOn() throws {
        try onBothBackends { events, _ in
            let connect = try Connect.send(to: try silentAddress(), on: events, under: events)
            // Does what a system that reports too much would do.
            try XCTUnwrap(events.record().pointee.fds.first).run(.everything)
            XCTAssertTrue(connect.isInProgress)
            XCTAssertEqual(events.descriptors.count, 1)
            connect.free()
        }
    }

    // MARK: Several addresses

    func testTheNextAddressIsTriedWhenOneRefuses() throws {
        try onBothBackendsInRealTime { events in
            let (listener, address) = try listener()
            let addresses = [try deserted(), try deserted(), address, try deserted()]
            let before = openDescriptors()
            let connect = try Connect.send(to: addresses, on: events, under: events)
            try end(connect, on: events)
            XCTAssertEqual(openDescriptors().count, before.count + 1, "those that failed are closed")
            let client = opened(try connect.receive())
            XCTAssertEqual(try SystemIO.peerAddress(of: client), address)
            XCTAssertEqual(try accept(listener).peer, try SystemIO.localAddress(of: client))
        }
    }

    func testTheErrorOfTheLastAddressIsTheRequests() throws {
        try onBothBackendsInRealTime { events in
            // A connection to the whole network is impossible, and the system says so immediately.
            let broadcast = try SocketAddress.resolve(host: "255.255.255.255", port: 1)[0]
            let unreachable = failure { try SystemIO.connect(to: broadcast) }
            let before = openDescriptors()
            for (addresses, expected) in [
                ([broadcast, try deserted()], refused()), ([try deserted(), broadcast], try XCTUnwrap(unreachable)),
            ] {
                let connect = try Connect.send(to: addresses, on: events, under: events)
                if connect.isInProgress { try end(connect, on: events) }
                assertThrows(expected, try connect.receive())
            }
            XCTAssertEqual(openDescriptors(), before)
        }
    }

    func testNoAddressAtAllIsRefused() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            _ = try Connect.send(to: [], on: events, under: events)
        }
        XCTAssertNotNil(result.signal)
        XCTAssertTrue(result.stderr.contains("Connect was given no address"), result.stderr)
    }

    // MARK: What can go wrong

    func testARefusedConnectionFailsTheRequestAndClosesItsSocketAtOnce() throws {
        try onBothBackendsInRealTime { events in
            let address = try deserted()
            let before = openDescriptors()
            let connect = try Connect.send(to: address, on: events, under: events)
            if connect.isInProgress { try end(connect, on: events) }
            XCTAssertEqual(openDescriptors(), before)
            XCTAssertTrue(events.descriptors.isEmpty)
            // The number now belongs to another file, and must not be closed again.
            let reused = opened(dup(try pipe().reader))
            assertThrows(refused(), try connect.receive())
            connect.free()
            XCTAssertTrue(isOpen(reused))
        }
    }

    func testAFailureAtOnceIsReportedFromTheLoop() throws {
        try onBothBackends { events, _ in
            let limit = test_limit_descriptors(3)
            let connect = try Connect.send(to: .loopback(port: 1), on: events, under: events)
            test_limit_descriptors(limit)
            var told = 0
            connect.setCallback { _ in told += 1 }
            XCTAssertEqual(try events.loopWait(), .noEvents)
            XCTAssertEqual(told, 1)
            assertThrows(.systemCall(name: "socket", code: EMFILE), try connect.receive())
        }
    }

    func testADescriptorLimitFailsTheAcceptAndLeavesTheConnectionForTheNext() throws {
        try onBothBackendsInRealTime { events in
            let (listener, address) = try listener()
            let accept = try Accept.send(from: listener, on: events, under: events)
            let client = try connect(address)
            let limit = test_limit_descriptors(3)
            let result = failure { try accept.poll(on: events) }
            test_limit_descriptors(limit)
            XCTAssertNil(result)
            assertThrows(.systemCall(name: "accept", code: EMFILE), try accept.receive())
            XCTAssertFalse(events.hasEvents, "a listening socket that stays readable keeps no loop busy")
            let next = try Accept.send(from: listener, on: events, under: events)
            try end(next, on: events)
            let (descriptor, peer) = try next.receive()
            XCTAssertEqual(peer, try SystemIO.localAddress(of: client))
            close(descriptor)
        }
    }

    func testAConnectionResetBeforeItIsAcceptedDoesNoHarm() throws {
        try onBothBackendsInRealTime { events in
            let (listener, address) = try listener()
            let gone = try connect(address)
            try wait(for: listener, .read)
            reset(gone)
            let accept = try Accept.send(from: listener, on: events, under: events)
            _ = try connect(address)
            try end(accept, on: events)
            close(try accept.receive().descriptor)
        }
    }

    func testWhatDoesNotListenFailsTheAccept() throws {
        try onBothBackends { events, _ in
            let accept = try Accept.send(from: try readyDescriptor(), on: events, under: events)
            try end(accept, on: events)
            assertThrows(.systemCall(name: "accept", code: ENOTSOCK), try accept.receive())
            assertThrows(.badDescriptor(-1), try Accept.send(from: -1, on: events, under: events).receive())
        }
    }

    // MARK: Whose the descriptor is

    /// Runs a test with a successfully ended request of each kind, and the descriptor that it owns.
    private func onEachEndedRequest(
        _ body: (_ request: AnyRequest, _ descriptor: Int32, _ receive: () throws -> Int32) throws -> Void
    ) throws {
        try onBothBackendsInRealTime { events in
            let (listener, address) = try listener()
            let before = openDescriptors()
            let connect = try Connect.send(to: address, on: events, under: events)
            if connect.isInProgress { try end(connect, on: events) }
            let client = try XCTUnwrap(openDescriptors().keys.first { before[$0] == nil })
            let accept = try Accept.send(from: listener, on: events, under: events)
            try end(accept, on: events)
            let server = try XCTUnwrap(openDescriptors().keys.first { before[$0] == nil && $0 != client })
            try body(AnyRequest(connect), client) { try connect.receive() }
            try body(AnyRequest(accept), server) { try accept.receive().descriptor }
        }
    }

    func testADescriptorThatWasReceivedIsTheCallers() throws {
        try onEachEndedRequest { request, descriptor, receive in
            XCTAssertEqual(try receive(), descriptor)
            XCTAssertTrue(isOpen(descriptor))
            request.free()
            XCTAssertTrue(isOpen(descriptor))
            close(descriptor)
        }
    }

    func testADescriptorThatWasNotReceivedIsClosedWithTheRequest() throws {
        try onEachEndedRequest { request, descriptor, _ in
            XCTAssertTrue(isOpen(descriptor))
            request.free()
            XCTAssertFalse(isOpen(descriptor))
        }
    }

    func testADescriptorThatNoCallerWantedIsClosedOnce() throws {
        try onEachEndedRequest { request, descriptor, _ in
            request.discard()
            XCTAssertFalse(isOpen(descriptor))
            let reused = opened(fcntl(try pipe().reader, F_DUPFD_CLOEXEC, descriptor))
            XCTAssertEqual(reused, descriptor)
            request.free()
            XCTAssertTrue(isOpen(reused))
        }
    }

    // MARK: Ending early

    /// Runs a test with a waiting accept and a waiting connect, and with what is open apart from what they own.
    private func onEachWaitingRequest(
        line: UInt = #line, _ body: (_ request: AnyRequest, _ events: EventContext, _ clock: ManualClock) throws -> Void
    ) throws {
        try onBothBackends(line: line) { events, clock in
            let (listener, _) = try listener()
            let silent = try silentAddress()
            let kinds: [() throws -> AnyRequest] = [
                { AnyRequest(try Accept.send(from: listener, on: events, under: events)) },
                { AnyRequest(try Connect.send(to: silent, on: events, under: events)) },
            ]
            for send in kinds {
                let before = openDescriptors()
                let request = try send()
                XCTAssertEqual(try events.loopWait(), .timedOut, line: line)
                XCTAssertTrue(request.isInProgress, line: line)
                try body(request, events, clock)
                XCTAssertTrue(events.descriptors.isEmpty, "\(request)", line: line)
                XCTAssertFalse(events.hasEvents, "\(request)", line: line)
                XCTAssertEqual(openDescriptors(), before, "\(request)", line: line)
                let reused = opened(dup(listener))
                if !request.isFreed { request.free() }
                XCTAssertTrue(isOpen(reused), line: line)
                close(reused)
            }
            XCTAssertTrue(isOpen(listener), line: line)
        }
    }

    func testARequestThatWaitsCanBeCancelled() throws {
        try onEachWaitingRequest { request, _, _ in
            XCTAssertTrue(request.cancel())
            XCTAssertEqual(request.error as? RequestError, .cancelled)
        }
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

    func testAConnectWhoseEventWasFreedByOthersIsStillClosed() throws {
        try onEachWaitingRequest { request, events, _ in
            events.descriptors[0].free()
            request.free()
        }
    }

    func testAConnectThatOutlivesItsContextIsClosed() throws {
        try onEachBackend { backend in
            let silent = try silentAddress()
            try withTallocContext { memory in
                let events = try EventContext(backend: backend)
                let before = openDescriptors()
                let connect = try Connect.send(to: silent, on: events, under: memory)
                XCTAssertGreaterThan(openDescriptors().count, before.count)
                events.free()
                connect.free()
                XCTAssertLessThanOrEqual(openDescriptors().count, before.count)
            }
        }
    }

    func testACancelledAcceptLosesNoConnection() throws {
        try onBothBackendsInRealTime { events in
            let (listener, address) = try listener()
            let accept = try Accept.send(from: listener, on: events, under: events)
            _ = try connect(address)
            XCTAssertTrue(accept.cancel())
            XCTAssertNoThrow(try self.accept(listener))
        }
    }

    func testACallbackMayFreeEverything() throws {
        try onEachBackend { backend in
            let (listener, address) = try listener()
            let events = try EventContext(backend: backend)
            events.maximumWait = .seconds(30)
            let before = openDescriptors()
            let connect = try Connect.send(to: address, on: events, under: events)
            let accept = try Accept.send(from: listener, on: events, under: events)
            connect.setCallback { _ in }
            accept.setCallback { _ in events.free() }
            XCTAssertEqual(try events.loopWait(), .contextFreed)
            XCTAssertTrue(connect.isFreed)
            XCTAssertTrue(accept.isFreed)
            for descriptor in openDescriptors().keys { XCTAssertNotNil(before[descriptor]) }
        }
    }

    func testAHundredInFlightGoWithTheirParent() throws {
        try onBothBackendsInRealTime { events in
            let silent = try silentAddress()
            let (listener, address) = try listener()
            let before = openDescriptors()
            let parent = try TallocContext(under: events)
            for number in 0..<100 {
                switch number % 4 {
                case 0: _ = try Connect.send(to: silent, on: events, under: parent)
                case 1: _ = try Accept.send(from: listener, on: events, under: parent)
                default: _ = try Connect.send(to: address, on: events, under: parent)
                }
            }
            // Some have ended by then and were never received.
            for _ in 0..<60 { XCTAssertEqual(try events.loopOnce(), .handled) }
            XCTAssertGreaterThanOrEqual(openDescriptors().count, before.count + 75)
            let tree = parent.children
            XCTAssertEqual(tree.count, 100)
            parent.free()
            XCTAssertEqual(openDescriptors(), before)
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    // MARK: No memory

    func testNoMemoryAtAnyAllocation() throws {
        try onEachBackend { backend in
            let (listener, address) = try listener()
            try failingEachAllocation { memory, token in
                // Connections that the last round had no memory to accept would fill the queue.
                while case .connection(let left, _) = try SystemIO.accept(listener) { SystemIO.close(left) }
                let events = try EventContext(under: memory, backend: backend)
                events.maximumWait = .seconds(30)
                let connect = try Connect.send(to: address, on: events, under: memory)
                connect.setCallback { _ in withExtendedLifetime(token) {} }
                try connect.poll(on: events)
                let client = try connect.receive()
                defer { SystemIO.close(client) }
                let accept = try Accept.send(from: listener, on: events, under: memory)
                accept.setCallback { _ in withExtendedLifetime(token) {} }
                try accept.poll(on: events)
                SystemIO.close(try accept.receive().descriptor)
            }
        }
    }
}
