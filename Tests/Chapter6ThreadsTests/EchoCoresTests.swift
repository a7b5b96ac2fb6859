import Chapter4Requests
import Chapter6Threads
import Foundation
import Talloc
import TestSupport
import Tevent
import XCTest

/// The echo server on several threads.
final class EchoCoresTests: ThreadsTestCase {
    private func start(threads: Int, at address: SocketAddress = .loopback(port: 0)) throws -> Request<EchoCores> {
        try EchoCores.send(at: address, threads: threads, backend: backend, on: events, under: memory)
    }

    private func stop(_ server: Request<EchoCores>) throws -> [EchoServer.Tally] {
        server.stop()
        XCTAssertEqual(try server.poll(on: events), .finished)
        defer { server.free() }
        return try server.receive()
    }

    func testAllClientsAreServedAndEachThreadGetsSome() throws {
        try onEachBackend {
            let server = try start(threads: 2)
            let clients = try (0..<64).map { _ in try connect(to: server.address) }
            for (number, client) in clients.enumerated() {
                XCTAssertEqual(roundTrip("client \(number)", on: client), "client \(number)")
            }
            let tallies = try stop(server)
            XCTAssertEqual(tallies.map(\.accepted).reduce(0, +), 64)
            XCTAssertEqual(tallies.count, 2)
            // The system picks a thread at random for each client; all on one thread is practically impossible.
            XCTAssert(tallies.allSatisfy { $0.accepted > 0 }, "\(tallies)")
        }
    }

    func testOneThreadIsAServerToo() throws {
        try onEachBackend {
            let server = try start(threads: 1)
            XCTAssertEqual(roundTrip("alone", on: try connect(to: server.address)), "alone")
            XCTAssertEqual(try stop(server).map(\.accepted), [1])
        }
    }

    func testAStopInTheMiddleOfTheWorkCutsAllOff() throws {
        try onEachBackend {
            let server = try start(threads: 3)
            let address = server.address
            let clients = try (0..<12).map { _ in try connect(to: address) }
            // Each client is being served, and has sent something that is still in progress.
            for client in clients { XCTAssertEqual(roundTrip("x", on: client), "x") }
            for client in clients { _ = send(client, "under way", 9, Int32(MSG_NOSIGNAL)) }
            _ = try stop(server)
            for client in clients {
                var bytes = [UInt8](repeating: 0, count: 100)
                while recv(client, &bytes, bytes.count, 0) > 0 {}
                XCTAssertNotEqual(errno, EAGAIN, "the connection was not closed")
            }
            XCTAssertThrowsError(try SystemIO.close(SystemIO.listenConnect(to: address)), "no listener any more")
        }
    }

    func testStoppingTwiceIsStoppingOnce() throws {
        try onEachBackend {
            let server = try start(threads: 2)
            server.stop()
            XCTAssertEqual(try stop(server).count, 2)
            let ended = try start(threads: 1)
            _ = try {
                ended.stop(); try ended.poll(on: events)
            }()
            ended.stop()
        }
    }

    func testFreeingTheRequestStopsTheThreads() throws {
        try onEachBackend {
            let server = try start(threads: 2)
            let client = try connect(to: server.address)
            XCTAssertEqual(roundTrip("x", on: client), "x")
            server.free()
            var byte: UInt8 = 0
            XCTAssertEqual(recv(client, &byte, 1, 0), 0)
        }
    }

    func testAPortInUseIsAnErrorAlsoIfItIsSharedByOthers() throws {
        try onEachBackend {
            let single = try EchoServer.send(at: .loopback(port: 0), on: events, under: memory)
            let shared = try start(threads: 2)
            let before = openDescriptors()
            for address in [single.address, shared.address] {
                XCTAssertThrowsError(try start(threads: 2, at: address)) {
                    XCTAssertEqual($0 as? TeventError, .systemCall(name: "bind", code: EADDRINUSE))
                }
            }
            XCTAssertEqual(openDescriptors(), before)
            let port = shared.address
            _ = try stop(shared)
            _ = try stop(try start(threads: 2, at: port))
        }
    }

    func testAServerThatCannotGoOnTakesTheOthersWithIt() throws {
        try onEachBackend {
            let server = try start(threads: 3)
            let listeners = openDescriptors().filter(isListening)
            XCTAssertEqual(listeners.count, 3)
            shutdown(try XCTUnwrap(listeners.min()), Int32(SHUT_RDWR))
            XCTAssertEqual(try server.poll(on: events), .finished)
            XCTAssertThrowsError(try server.receive()) {
                XCTAssertEqual($0 as? TeventError, .systemCall(name: "accept", code: EINVAL))
            }
            XCTAssertEqual(openDescriptors().filter(isListening), [])
        }
    }

    private func isListening(_ descriptor: Int32) -> Bool {
        var (value, size): (Int32, socklen_t) = (0, 4)
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0
    }

    func testAServerThatCannotStartLeavesNothing() throws {
        let result = try runInChild(self) {
            let events = try EventContext()
            let free = (0...60).map { _ in dup(0) }
            for descriptor in free { SystemIO.close(descriptor) }
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            for more in 0...60 {
                limit.rlim_cur = rlim_t(free[more])
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                do {
                    let server = try EchoCores.send(at: .loopback(port: 0), threads: 4, on: events, under: events)
                    server.stop()
                    try server.poll(on: events)
                    return print("served by \(try server.receive().count), \(more > 10 ? "after many failures" : "")")
                } catch let error as TeventError {
                    guard error.isExhaustion else { throw error }
                    // The context's own waker is created once, and remains.
                    guard openDescriptors().filter({ $0 >= free[0] }).count <= 1 else { throw Oops() }
                }
            }
        }
        XCTAssertEqual(result.stdout.split(separator: "\n").last, "served by 4, after many failures", result.stderr)
        XCTAssertEqual(result.exitCode, 0, result.stderr)
    }
}

extension SystemIO {
    /// Connects to an address where there may be no listener, and waits for the outcome.
    fileprivate static func listenConnect(to address: SocketAddress) throws -> Int32 {
        let (socket, isConnected) = try connect(to: address)
        if isConnected { return socket }
        var poll = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        _ = Glibc.poll(&poll, 1, 30_000)
        do {
            _ = try connect(socket, to: address)
            return socket
        } catch {
            close(socket)
            throw error
        }
    }
}
