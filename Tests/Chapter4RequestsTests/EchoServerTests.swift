import Chapter4Requests
import Foundation
import Talloc
import Tevent
import XCTest

/// The server and its clients, in one loop.
final class EchoServerTests: EchoTestCase {
    func testEachOfManyClientsGetsBackWhatIsItsOwn() throws {
        try onEachBackend {
            let server = try startServer()
            let clients = try (0..<50).map { _ in try join(server) }
            for (number, client) in clients.enumerated().reversed() {
                let bytes = randomBytes(1 + number * 997, seed: UInt64(number))
                assertSame(try roundTrip(bytes, on: client), bytes, "client \(number)")
            }
            XCTAssertEqual(server.tally.present, 50)
        }
    }

    func testAClientThatSendsWithoutReadingDelaysNoOther() throws {
        try onEachBackend {
            let server = try startServer()
            try fill(try join(server))
            let other = try join(server)
            XCTAssertEqual(try roundTrip([1, 2, 3], on: other), [1, 2, 3])
        }
    }

    func testTenMegabytesComeBackToOneThatBeginsToReadWhenTheServerIsStuck() throws {
        try onEachBackend {
            let server = try startServer()
            let client = try join(server)
            let bytes = randomBytes(10_000_000, seed: 1)
            let write = try WriteAll.send(bytes, to: client, on: events, under: memory)
            try wait("the server to find no room") {
                events.descriptors.contains { $0.flags == .write && $0.descriptor != client }
            }
            assertSame(try read(bytes.count, from: client), bytes)
            try write.receive()
        }
    }

    func testHalfClosedClientsGetAllThatWasSentAndThenTheEnd() throws {
        try onEachBackend {
            let server = try startServer()
            let client = try connect(to: server.address)
            let bytes = randomBytes(1_000_000, seed: 2)
            let write = try WriteAll.send(bytes, to: client, on: events, under: memory)
            write.setCallback { _ in try? SystemIO.shutdownWriting(client) }
            assertSame(try read(from: client), bytes)
            XCTAssertEqual(server.tally.gone, 1)
            XCTAssertEqual(server.tally.lost, 0)
            XCTAssertEqual(server.tally.echoed, 1_000_000)
        }
    }

    // MARK: What is left

    func testNothingOfAClientRemainsWhenItHasLeft() throws {
        try onEachBackend {
            let server = try startServer()
            close(try join(server))
            try wait("the first one's end") { server.tally.gone == 1 }
            let (blocks, descriptors) = (server.totalBlocks, openDescriptors())
            let report = server.report().drawing(.names)
            for _ in 1...20 {
                let client = try join(server)
                XCTAssertGreaterThan(server.totalBlocks, blocks)
                _ = try roundTrip([1, 2, 3], on: client)
                close(client)
            }
            try wait("everybody's end") { server.tally.gone == 21 }
            XCTAssertEqual(server.totalBlocks, blocks)
            XCTAssertEqual(server.report().drawing(.names), report)
            XCTAssertEqual(openDescriptors(), descriptors)
        }
    }

    func testStoppingFreesClientsInEveryStateAndTheListeningSocket() throws {
        try onEachBackend {
            let before = (events.descriptors.count, openDescriptors())
            let server = try startServer()
            let (silent, served, full) = (try join(server), try join(server), try join(server))
            _ = try roundTrip([1], on: served)
            try fill(full)
            let address = server.address
            server.stop()
            XCTAssertEqual(server.status, .done)
            XCTAssertEqual(server.children.count, 0)
            XCTAssertEqual(events.descriptors.count, before.0)
            XCTAssertEqual(openDescriptors().subtracting([silent, served, full]), before.1)
            XCTAssertEqual(try read(from: silent), [])
            XCTAssertEqual(try read(from: served), [])
            XCTAssertThrowsError(try connect(to: address), "there is no listener any more")
            let tally = try server.receive()
            XCTAssertEqual(tally.accepted, 3)
            XCTAssertEqual(tally.gone, 0)
            server.free()
        }
    }

    func testFreeingTheServerStopsItAsWell() throws {
        try onEachBackend {
            let before = openDescriptors()
            let server = try startServer()
            let client = try join(server)
            server.free()
            XCTAssertEqual(openDescriptors().subtracting([client]), before)
            XCTAssertEqual(events.descriptors.count, 0)
        }
    }

    func testStoppingCountsWhatTheRemainingClientsHaveGotBack() throws {
        try onEachBackend {
            let server = try startServer()
            let (silent, served, stuck) = (try join(server), try join(server), try join(server))
            _ = try roundTrip([1, 2, 3], on: served)
            // The server reads all of it at once, so no unread bytes make the system drop what was written.
            let bytes = randomBytes(Echo.readSize, seed: 3)
            for socket in events.descriptors.map(\.descriptor) { limitBuffer(SO_SNDBUF, of: socket) }
            limitBuffer(SO_RCVBUF, of: stuck)
            XCTAssertEqual(try SystemIO.write(stuck, bytes), bytes.count)
            try wait("the server to find no room") { events.descriptors.contains { $0.flags == .write } }
            XCTAssertEqual(server.tally.echoed, 0, "none has left")
            server.stop()

            let echoed = try server.receive().echoed
            let (one, part) = (try read(from: served), try read(from: stuck))
            XCTAssertEqual(one, [])
            XCTAssertEqual(try read(from: silent), [])
            XCTAssertGreaterThan(part.count, 0)
            XCTAssertLessThan(part.count, bytes.count)
            XCTAssertEqual(echoed, 3 + part.count)
        }
    }

    func testAWriteThatHasEndedButNotCalledBackIsCountedToo() throws {
        try onEachBackend {
            let server = try startServer()
            let client = try join(server)
            _ = try SystemIO.write(client, [1, 2, 3, 4])
            // The handler that reads also writes; its request reports that in the following turn.
            XCTAssertEqual(try events.loopOnce(), .handled)
            XCTAssertEqual(try SystemIO.read(client), .bytes([1, 2, 3, 4]))
            server.stop()
            XCTAssertEqual(try server.receive().echoed, 4)
        }
    }

    func testAClientWhoseEndStopsTheServerIsCountedOnce() throws {
        try onEachBackend {
            var server: Request<EchoServer>?
            server = try startServer { _, news in if case .left = news { server?.stop() } }
            let (gone, other) = (try join(server!), try join(server!))
            _ = try roundTrip([1, 2, 3], on: gone)
            _ = try roundTrip([4, 5], on: other)
            close(gone)
            try wait { !server!.isInProgress }
            XCTAssertEqual(try server!.receive().echoed, 5)
            XCTAssertEqual(try events.loopWait(), .noEvents)
        }
    }

    func testStoppingTwiceIsHarmless() throws {
        try onEachBackend {
            let server = try startServer()
            server.stop()
            server.stop()
            XCTAssertEqual(server.status, .done)
        }
    }

    // MARK: News

    func testTheListenerIsNotifiedOfEachClient() throws {
        try onEachBackend {
            var news: [String] = []
            let server = try startServer { news.append("\($1)") }
            let peaceful = try join(server)
            _ = try roundTrip([1, 2, 3], on: peaceful)
            let peer = try SystemIO.localAddress(of: peaceful)
            close(peaceful)
            try wait { server.tally.gone == 1 }
            let rude = try join(server)
            let other = try SystemIO.localAddress(of: rude)
            reset(rude)
            try wait { server.tally.gone == 2 }
            XCTAssertEqual(
                news,
                [
                    "\(peer) has come", "\(peer) has gone, 3 bytes echoed", "\(other) has come",
                    "\(other) is lost, 0 bytes echoed: read failed: Connection reset by peer",
                ])
        }
    }

    func testTheListenerMayStopTheServerOrFreeIt() throws {
        for end in [{ $0.stop() }, { _ = $0.free() }] as [(Request<EchoServer>) -> Void] {
            for count in 1...2 {
                try onEachBackend {
                    var heard = 0
                    let server = try startServer { server, _ in
                        heard += 1
                        if heard == count { end(server) }
                    }
                    try SystemIO.shutdownWriting(connect(to: server.address))
                    try wait { heard == count }
                    XCTAssert(server.isFreed || !server.isInProgress)
                    XCTAssertEqual(try events.loopWait(), .noEvents)
                }
            }
        }
    }

    func testAServerForSoManyClientsIsDoneWhenTheyHaveLeft() throws {
        try onEachBackend {
            let server = try startServer(clients: 2)
            let (one, two) = (try join(server), try join(server))
            let tooLate = try connect(to: server.address)
            close(two)
            try wait { server.tally.gone == 1 }
            _ = try roundTrip([9], on: one)
            XCTAssertTrue(server.isInProgress)
            close(one)
            try wait { !server.isInProgress }
            XCTAssertEqual(try server.receive().accepted, 2)
            XCTAssertThrowsError(try read(from: tooLate), "it must not be served")
        }
    }

    // MARK: What cannot begin

    func testAPortInUseIsRefusedAndNothingIsLeft() throws {
        try onEachBackend {
            let server = try startServer()
            let (blocks, descriptors) = (memory.totalBlocks, openDescriptors())
            XCTAssertThrowsError(
                try EchoServer.send(at: server.address, on: events, under: memory)
            ) { error in
                guard case TeventError.systemCall(_, EADDRINUSE) = error else { return XCTFail("\(error)") }
            }
            XCTAssertEqual(memory.totalBlocks, blocks)
            XCTAssertEqual(openDescriptors(), descriptors)
        }
    }

    func testWithoutMemoryNothingBeginsAndNothingIsLeft() throws {
        try onEachBackend {
            try startServer().free()
            let limited = try TallocContext(under: memory, named: "limited")
            let descriptors = openDescriptors()
            var refused = 0
            for limit in stride(from: 200, through: 4000, by: 50) {
                try limited.setMemoryLimit(bytes: limit)
                do {
                    try EchoServer.send(at: .loopback(port: 0), on: events, under: limited).free()
                } catch TeventError.outOfMemory {
                    refused += 1
                }
                XCTAssertEqual(limited.totalBlocks, 1, "nothing is left")
                XCTAssertEqual(openDescriptors(), descriptors)
            }
            XCTAssertGreaterThan(refused, 5)
        }
    }

    // MARK: Clients that disconnect

    func testResetBeforeItIsAccepted() throws {
        try onEachBackend {
            let server = try startServer()
            reset(try connect(to: server.address))
            try assertGoesOn(server)
        }
    }

    func testResetWhenItHasJustBeenAccepted() throws {
        try onEachBackend {
            let server = try startServer()
            reset(try join(server))
            try wait { server.tally.lost == 1 }
            try assertGoesOn(server)
        }
    }

    func testResetInTheMiddleOfAMessage() throws {
        try onEachBackend {
            let server = try startServer()
            let client = try join(server)
            XCTAssertEqual(try SystemIO.write(client, [1, 2, 3]), 3)
            reset(client)
            try wait { server.tally.lost == 1 }
            try assertGoesOn(server)
        }
    }

    func testResetWhileTheServerWaitsForRoomToWrite() throws {
        try onEachBackend {
            let server = try startServer()
            let client = try join(server)
            try fill(client)
            XCTAssertTrue(events.descriptors.contains { $0.flags == .write })
            reset(client)
            try wait { server.tally.lost == 1 }
            try assertGoesOn(server)
        }
    }

    func testResetAfterHalfOfTheConnectionWasClosed() throws {
        try onEachBackend {
            let server = try startServer()
            let client = try join(server)
            try fill(client)
            try SystemIO.shutdownWriting(client)
            reset(client)
            try wait { server.tally.lost == 1 }
            try assertGoesOn(server)
        }
    }

    func testClosedWithAnswersUnreadBreaksThatConnectionAlone() throws {
        try onEachBackend {
            let server = try startServer()
            let client = try join(server)
            try fill(client)
            close(client)
            try wait { server.tally.lost == 1 }
            try assertGoesOn(server)
        }
    }

    /// Checks that nothing remains of earlier clients, and that the next one is served.
    private func assertGoesOn(_ server: Request<EchoServer>, line: UInt = #line) throws {
        let client = try join(server)
        XCTAssertEqual(try roundTrip([4, 5, 6], on: client), [4, 5, 6], line: line)
        close(client)
        try wait("the end of all clients", line: line) { server.tally.present == 0 }
        XCTAssertEqual(events.descriptors.map(\.flags), [.read], "the listening socket, waited for", line: line)
    }
}
