import Glibc
import TestSupport
import Tevent
import XCTest

/// The program async-echo as a server, with clients that do not use the engine.
final class AsyncEchoTests: XCTestCase {
    /// A server that has printed where it listens.
    private func startServer(_ arguments: [String] = []) throws -> (program: RunningProgram, port: UInt16) {
        let program = try startProgram("async-echo", arguments: ["--port", "0"] + arguments)
        let line = try XCTUnwrap(program.readLine(), "the first line comes at once, also into a pipe")
        XCTAssert(line.hasPrefix("listening on 127.0.0.1:"), line)
        return (program, try XCTUnwrap(UInt16(line.split(separator: ":").last ?? "")))
    }

    private func onEachBackend(_ test: (_ arguments: [String]) throws -> Void) rethrows {
        for backend in ["epoll", "poll"] { try test(["--backend", backend]) }
    }

    func testEachOfManyClientsGetsBackWhatItSent() throws {
        try onEachBackend { backend in
            let (server, port) = try startServer(backend)
            let clients = try (1...20).map { _ in try Client(port: port) }
            for (number, client) in clients.enumerated() { client.send("client \(number)") }
            for (number, client) in clients.enumerated() {
                let text = "client \(number)"
                XCTAssertEqual(client.receive(text.utf8.count), text)
            }
            for client in clients { client.close() }
            server.signal(SIGINT)
            XCTAssertEqual(try server.wait().exitCode, 0)
        }
    }

    func testAClientThatHasNoMoreToSayGetsTheRestAndIsCounted() throws {
        try onEachBackend { backend in
            let (server, port) = try startServer(backend)
            let client = try Client(port: port)
            client.send("hello")
            client.shutdownWriting()
            XCTAssertEqual(client.receive(100), "hello")
            // The server has freed the client's memory before it closed the connection.
            server.signal(SIGINT)
            let result = try server.wait()
            XCTAssert(result.stdout.hasSuffix("\nserved 1 client; 1 had left, with 5 bytes echoed\n"), result.stdout)
        }
    }

    func testInterruptAndTerminationEndTheServerCleanlyAndCutClientsOff() throws {
        for signal in [SIGINT, SIGTERM] {
            try onEachBackend { backend in
                let (server, port) = try startServer(backend)
                let client = try Client(port: port)
                client.send("hello")
                XCTAssertEqual(client.receive(5), "hello")
                server.signal(signal)
                XCTAssertEqual(client.receive(1), "")
                let result = try server.wait()
                XCTAssert(
                    result.stdout.hasSuffix("\nserved 1 client; 0 had left, with 0 bytes echoed\n"), result.stdout)
                XCTAssertEqual(result.stderr, "")
                XCTAssertEqual(result.exitCode, 0)
            }
        }
    }

    func testAClientWhoseConnectionBreaksTakesNoOtherWithIt() throws {
        try onEachBackend { backend in
            let (server, port) = try startServer(backend)
            let (broken, other) = (try Client(port: port), try Client(port: port))
            for client in [broken, other] {
                client.send("hello")
                XCTAssertEqual(client.receive(5), "hello")
            }
            broken.reset()
            other.send("again")
            XCTAssertEqual(other.receive(5), "again")
            other.shutdownWriting()
            XCTAssertEqual(other.receive(1), "")
            server.signal(SIGINT)
            let result = try server.wait()
            XCTAssert(result.stdout.hasSuffix("\nserved 2 clients; 2 had left, with 10 bytes echoed\n"), result.stdout)
            XCTAssertEqual(result.exitCode, 0)
        }
    }

    func testAServerThatHasNoDescriptorsLeftEnds() throws {
        let server = try startProgram(
            "/bin/sh",
            arguments: ["-c", "ulimit -Sn 12; exec \"$@\"", "sh", programsFolder.path() + "async-echo", "--port", "0"])
        let port = try XCTUnwrap(UInt16(server.readLine()?.split(separator: ":").last ?? ""))
        let clients = try (1...12).map { _ in try Client(port: port) }
        let result = try server.wait()
        for client in clients { client.close() }
        XCTAssert(result.stderr.contains("Too many open files"), result.stderr)
        XCTAssertEqual(result.exitCode, 1)
    }

    func testWhereItCannotListenItSaysWhyAndWhatToDo() throws {
        let (server, port) = try startServer()
        for (arguments, message) in [
            (
                ["--port", "\(port)"],
                "cannot listen on 127.0.0.1:\(port): bind failed: Address already in use; choose another port, "
                    + "or port 0 to let the system choose"
            ),
            (
                ["--host", "192.0.2.1", "--port", "0"],
                "cannot listen on 192.0.2.1:0: bind failed: Cannot assign requested address; "
                    + "choose an address of this machine, such as 127.0.0.1"
            ),
        ] {
            let result = try runProgram("async-echo", arguments: arguments)
            XCTAssertEqual(result.stderr, "Error: \(message)\n")
            XCTAssertEqual(result.stdout, "")
            XCTAssertEqual(result.exitCode, 1)
        }
        server.signal(SIGTERM)
        _ = try server.wait()
    }

    func testWrongNumbersAreUsageErrors() throws {
        for number in ["65536", "-1", "seven"] {
            try assertRefuses(
                ["--port", number], by: "async-echo",
                saying: "Error: The value '\(number)' is invalid for '--port <port>'")
        }
    }
}

/// A client with a socket that blocks, for at most thirty seconds, like any ordinary program.
private final class Client {
    private let socket: Int32

    init(port: UInt16) throws {
        socket = try SystemIO.connect(to: .loopback(port: port)).descriptor
        var poll = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        XCTAssertEqual(Glibc.poll(&poll, 1, 30_000), 1)
        _ = fcntl(socket, F_SETFL, 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    private var isOpen = true

    deinit { close() }

    func send(_ text: String) {
        XCTAssertEqual(Glibc.send(socket, text, text.utf8.count, Int32(MSG_NOSIGNAL)), text.utf8.count)
    }

    /// Reads so many bytes, fewer at the end.
    func receive(_ count: Int) -> String {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = recv(socket, &bytes, count, Int32(MSG_WAITALL))
        return String(decoding: bytes.prefix(max(0, received)), as: UTF8.self)
    }

    func shutdownWriting() { shutdown(socket, Int32(SHUT_WR)) }

    /// Ends the connection so that the server gets an error.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        if isOpen { Glibc.close(socket) }
        isOpen = false
    }
}
