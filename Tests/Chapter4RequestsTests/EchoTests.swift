import Chapter4Requests
import Foundation
import Talloc
import Tevent
import XCTest

/// One client: the request that serves it.
final class EchoTests: EchoTestCase {
    /// The two ends of a connection, the second of which is served.
    private func serveOne(tiny: Bool = false) throws -> (client: Int32, echo: Request<Echo>) {
        let (client, server) = try SystemIO.socketPair()
        if tiny { [client, server].forEach(makeTiny) }
        return (opened(client), try Echo.send(on: server, on: events, under: memory))
    }

    func testWhatComesGoesBackUntilTheEndOfTheFile() throws {
        try onEachBackend {
            let (client, echo) = try serveOne()
            for text in ["hello", "x", "again"] {
                XCTAssertEqual(String(decoding: try roundTrip(Array(text.utf8), on: client), as: UTF8.self), text)
            }
            XCTAssertTrue(echo.isInProgress)
            try SystemIO.shutdownWriting(client)
            try wait { !echo.isInProgress }
            XCTAssertEqual(echo.status, .done)
            XCTAssertEqual(try echo.receive(), 11)
            XCTAssertEqual(try read(from: client), [], "the connection is closed once it has been received")
        }
    }

    func testAnySizeSurvivesShortReadsAndShortWrites() throws {
        try onEachBackend {
            var generator = SeededGenerator(seed: 4)
            let (client, echo) = try serveOne(tiny: true)
            var sum = 0
            for size in [1, 2, 4095, 4096, 4097, 65_535, 65_536, 65_537]
                + (0..<20).map({ _ in Int.random(in: 1...30_000, using: &generator) })
            {
                let bytes = randomBytes(size, seed: UInt64(size))
                let part = Int.random(in: 1...5000, using: &generator) + size / 100
                assertSame(try roundTrip(bytes, on: client, upTo: part), bytes, "\(size) bytes in parts of \(part)")
                sum += size
            }
            close(client)
            try wait { !echo.isInProgress }
            XCTAssertEqual(try echo.receive(), sum)
        }
    }

    func testTenMegabytesComeBackAsTheyWere() throws {
        try onEachBackend {
            let (client, _) = try serveOne(tiny: true)
            let bytes = randomBytes(10_000_000, seed: 10)
            assertSame(try roundTrip(bytes, on: client), bytes)
        }
    }

    func testAClientThatDoesNotReadIsNotReadFromEither() throws {
        try onEachBackend {
            let (client, echo) = try serveOne()
            try fill(client)
            XCTAssertTrue(echo.isInProgress)
            XCTAssertEqual(events.descriptors.filter { $0.flags == .read }.count, 0)
            XCTAssertEqual(events.descriptors.filter { $0.flags == .write }.count, 1)
        }
    }

    func testASilentClientHoldsNoBuffer() throws {
        try onEachBackend {
            let (client, echo) = try serveOne()
            let before = echo.totalBlocks
            for _ in 1...100 { _ = try roundTrip([1, 2, 3], on: client) }
            try wait("the next read") { events.descriptors.contains { $0.flags == .read } }
            XCTAssertEqual(echo.totalBlocks, before, "nothing piles up from message to message")
        }
    }

    func testABrokenConnectionFailsTheRequest() throws {
        try onEachBackend {
            let (client, echo) = try serveOne()
            try fill(client)
            close(client)
            try wait { !echo.isInProgress }
            XCTAssertEqual(echo.status, .failed)
            XCTAssertThrowsError(try echo.receive()) { error in
                guard case TeventError.systemCall("write", let code) = error else { return XCTFail("\(error)") }
                XCTAssert([EPIPE, ECONNRESET].contains(code), "\(error)")
            }
        }
    }

    func testFreeingTheRequestClosesTheConnection() throws {
        try onEachBackend {
            let (client, echo) = try serveOne()
            _ = try roundTrip([1], on: client)
            echo.free()
            XCTAssertEqual(try read(from: client), [])
            XCTAssertEqual(events.descriptors.count, 0)
        }
    }

    func testWithoutMemoryTheSocketStaysTheCallersAndNothingIsLeft() throws {
        try onEachBackend {
            let (client, server) = try SystemIO.socketPair()
            (_, _) = (opened(client), opened(server))
            // Outside the limit, make the loop's own tables, which are made once.
            try Echo.send(on: try copy(server), on: events, under: memory).free()
            let limited = try TallocContext(under: memory, named: "limited")
            let before = events.totalBlocks
            var refused = 0
            for limit in stride(from: 200, through: 4000, by: 50) {
                try limited.setMemoryLimit(bytes: limit)
                do {
                    try Echo.send(on: try copy(server), on: events, under: limited).free()
                } catch TeventError.outOfMemory {
                    refused += 1
                    closeCopy()
                }
                XCTAssertEqual(limited.totalBlocks, 1, "nothing is left")
            }
            XCTAssertGreaterThan(refused, 5)
            XCTAssertEqual(events.totalBlocks, before)
        }
    }

    private var latestCopy: Int32 = -1

    private func copy(_ socket: Int32) throws -> Int32 {
        latestCopy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        return latestCopy
    }

    /// Closes the latest copy; fails if other code has already closed it.
    private func closeCopy() { XCTAssertEqual(Glibc.close(latestCopy), 0) }
}
