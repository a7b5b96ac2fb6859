import Foundation
import TestSupport
import Tevent
import XCTest

/// The programs echo-server and echo-load, and the server with clients that do not use the engine.
final class EchoProgramTests: XCTestCase {
    /// A server that has printed where it listens.
    private func startServer(
        _ arguments: [String] = [], limit: Int? = nil
    ) throws -> (program: RunningProgram, port: String) {
        let arguments = ["--port", "0"] + arguments
        let program =
            try limit.map {
                try startProgram(
                    "/bin/sh",
                    arguments: ["-c", "ulimit -Sn \($0); exec \"$@\"", "sh", programsFolder.path() + "echo-server"]
                        + arguments)
            } ?? startProgram("echo-server", arguments: arguments)
        let line = try XCTUnwrap(program.readLine(), "the first line comes at once, also into a pipe")
        XCTAssert(line.hasPrefix("listening on 127.0.0.1:"), line)
        return (program, String(line.split(separator: ":").last ?? ""))
    }

    /// A server whose first line does not arrive, on a port that was free a moment ago.
    private func startServer(redirected: String) throws -> (program: RunningProgram, port: String) {
        // Not from the range that the system gives to clients: a client that connects to itself could take the port
        // first.
        let ports = (20_000..<30_000).shuffled()
        let free = try XCTUnwrap(
            ports.first { (try? SystemIO.close(SystemIO.listen(boundTo: .loopback(port: UInt16($0))))) != nil })
        let program = try startProgram(
            "echo-server", arguments: ["--port", "\(free)", "--verbose"], redirected: redirected)
        let deadline = ContinuousClock.now + .seconds(60)
        while (try? PlainClient(port: "\(free)")) == nil, .now < deadline { sched_yield() }
        return (program, "\(free)")
    }

    private func load(_ arguments: [String], port: String) throws -> ProgramResult {
        try runProgram("echo-load", arguments: ["--port", port] + arguments)
    }

    func testTheDemonstrationsServeTheirReader() throws {
        for program in ["echo-server", "echo-load"] {
            try assertExample(program, chapterFolder: "4-Requests", arguments: ["--demo"])
            try assertRefuses(["--backend", "kqueue"], by: program, saying: "Error: there is no backend 'kqueue'")
        }
    }

    // MARK: The server

    func testInterruptAndTerminationEndTheServerCleanly() throws {
        for signal in [SIGINT, SIGTERM] {
            for backend in ["epoll", "poll"] {
                let (server, port) = try startServer(["--report", "--verbose", "--backend", backend])
                let client = try PlainClient(port: port)
                XCTAssertEqual(try client.roundTrip("hello"), "hello")
                server.signal(signal)
                XCTAssertEqual(client.readToEnd(), "")
                let result = try server.wait()
                XCTAssertEqual(result.exitCode, 0)
                XCTAssertEqual(result.stderr, "")
                let lines = result.stdout.split(separator: "\n").map(String.init)
                XCTAssertEqual(lines[1], "127.0.0.1:\(client.port) has come")
                XCTAssertEqual(lines[2...4], ["what is left:", "program", "└─ struct tevent_context"])
                XCTAssertEqual(lines.last, "served 1 client, 0 lost, 5 bytes echoed")
                XCTAssertFalse(result.stdout.contains("tevent_req"), result.stdout)
            }
        }
    }

    func testAServerForOneClientEndsWithIt() throws {
        let (server, port) = try startServer(["--clients", "1", "--report"])
        let client = try PlainClient(port: port)
        XCTAssertEqual(try client.roundTrip("one\ntwo\n"), "one\ntwo\n")
        client.shutdownWriting()
        XCTAssertEqual(client.readToEnd(), "")
        let result = try server.wait()
        XCTAssert(result.stdout.hasSuffix("served 1 client, 0 lost, 8 bytes echoed\n"), result.stdout)
        XCTAssertFalse(result.stdout.contains("Echo\n"), "nothing of the client remained when it had left")
        XCTAssertEqual(result.exitCode, 0)
    }

    func testOnlyAVerboseServerReportsEachClient() throws {
        let (server, port) = try startServer(["--clients", "1"])
        _ = try PlainClient(port: port)
        XCTAssertEqual(try server.wait().stdout.split(separator: "\n").count, 2)
    }

    func testAPlainClientThatClosesItsHalfGetsAllBack() throws {
        let (server, port) = try startServer()
        let client = try PlainClient(port: port)
        client.sendAndShutDown(String(repeating: "0123456789", count: 20_000))
        XCTAssertEqual(client.readToEnd().count, 200_000)
        server.signal(SIGINT)
        XCTAssertEqual(try server.wait().exitCode, 0)
    }

    // MARK: The server's output

    func testClientsGetOnlyWhatTheySentWhicheverStandardStreamsAreClosed() throws {
        let complaint = "echo-server: standard output: Bad file descriptor\n"
        for (redirected, errors, code) in [
            ("<&-", "", 0), ("2>&-", "", 0), ("<&- 2>&-", "", 0), (">&-", complaint, 1), ("<&- >&-", complaint, 1),
            (">&- 2>&-", "", 1), ("<&- >&- 2>&-", "", 1),
        ] as [(String, String, Int32)] {
            let (server, port) = try startServer(redirected: redirected)
            let clients = [try PlainClient(port: port), try PlainClient(port: port)]
            for client in clients + clients { XCTAssertEqual(try client.roundTrip("hello"), "hello", redirected) }
            server.signal(SIGTERM)
            for client in clients { XCTAssertEqual(client.readToEnd(), "", redirected) }
            let result = try server.wait()
            XCTAssertEqual(result.stderr, errors, redirected)
            XCTAssertEqual(result.exitCode, code, redirected)
        }
    }

    func testAServerWhoseDiskIsFullServesOnAndSaysSoInTheEnd() throws {
        let (server, port) = try startServer(redirected: ">/dev/full")
        for _ in 1...2 { XCTAssertEqual(try PlainClient(port: port).roundTrip("hello"), "hello") }
        server.signal(SIGTERM)
        let result = try server.wait()
        XCTAssertEqual(result.stderr, "echo-server: standard output: No space left on device\n")
        XCTAssertEqual(result.exitCode, 1)
    }

    func testAServerWhoseLogIsNotReadAnyMoreServesOnAndEndsQuietly() throws {
        for backend in ["epoll", "poll"] {
            let (server, port) = try startServer(["--verbose", "--backend", backend])
            let client = try PlainClient(port: port)
            server.closeOutput()
            // More lines than a buffer holds.
            let result = try load(["--connections", "200", "--messages", "1"], port: port)
            XCTAssert(result.stdout.hasPrefix("200 connections, 200 messages, "), result.stdout + result.stderr)
            XCTAssertEqual(try client.roundTrip("hello"), "hello")
            server.signal(SIGTERM)
            XCTAssertEqual(client.readToEnd(), "")
            let end = try server.wait()
            XCTAssertEqual(end.signal, SIGPIPE)
            XCTAssertEqual(end.stderr, "")
        }
    }

    // MARK: Other clients

    func testNetcat() throws {
        let netcat = "/usr/bin/nc"
        XCTAssert(FileManager.default.isExecutableFile(atPath: netcat), "there is no \(netcat): make setup installs it")
        let (server, port) = try startServer(["--clients", "1"])
        let result = try runProgram(netcat, arguments: ["-N", "127.0.0.1", port], input: "hello\n")
        XCTAssertEqual(result.stdout, "hello\n")
        XCTAssertEqual(try server.wait().exitCode, 0)
    }

    func testWhereItCannotListenItSaysWhyAndWhatToDo() throws {
        let (server, port) = try startServer()
        for (arguments, message) in [
            (
                ["--port", port],
                "cannot listen on 127.0.0.1:\(port): bind failed: Address already in use; choose another port, "
                    + "or port 0 to let the system choose"
            ),
            (
                ["--host", "192.0.2.1", "--port", "0"],
                "cannot listen on 192.0.2.1:0: bind failed: Cannot assign requested address; "
                    + "choose an address of this machine, such as 127.0.0.1"
            ),
        ] {
            let result = try runProgram("echo-server", arguments: arguments)
            XCTAssertEqual(result.stderr, "Error: \(message)\n")
            XCTAssertEqual(result.stdout, "")
            XCTAssertEqual(result.exitCode, 1)
        }
        let unknown = try runProgram("echo-server", arguments: ["--host", String(repeating: "x", count: 64)])
        XCTAssert(unknown.stderr.contains("was not found"), unknown.stderr)
        XCTAssertEqual(unknown.exitCode, 1)
        server.signal(SIGTERM)
        _ = try server.wait()
    }

    func testWrongNumbersAreUsageErrors() throws {
        for (program, arguments, message) in [
            ("echo-server", ["--port", "65536"], "The value '65536' is invalid for '--port <port>'"),
            ("echo-server", ["--port", "-1"], "The value '-1' is invalid for '--port <port>'"),
            ("echo-server", ["--clients", "0"], "--clients must be at least 1, not 0."),
            ("echo-load", ["--connections", "0"], "--connections must be from 1 to 100000, not 0."),
            ("echo-load", ["--messages", "0"], "--messages must be at least 1, not 0."),
            ("echo-load", ["--seconds", "0"], "--seconds must be more than 0 s, not 0 s."),
            ("echo-load", ["--timeout", "-1"], "--timeout must be more than 0 s, not -1 s."),
            ("echo-load", ["--size", "0"], "The value '0' is invalid for '--size <size>'"),
            ("echo-load", ["--size", "9-1"], "The value '9-1' is invalid for '--size <size>'"),
            ("echo-load", ["--size", "1-2-3"], "The value '1-2-3' is invalid for '--size <size>'"),
        ] {
            try assertRefuses(arguments, by: program, saying: "Error: \(message)")
        }
    }

    // MARK: The load client

    func testTheLoadClientReportsRatesAndTimes() throws {
        for backend in ["epoll", "poll"] {
            let (server, port) = try startServer(["--backend", backend])
            let result = try load(
                ["--connections", "5", "--messages", "20", "--size", "1-2000", "--backend", backend], port: port)
            XCTAssertEqual(result.stderr, "", "no progress without a terminal")
            XCTAssertEqual(result.exitCode, 0)
            let lines = result.stdout.split(separator: "\n").map(String.init)
            XCTAssertEqual(lines.count, 4)
            XCTAssert(lines[0].hasPrefix("5 connections, 100 messages, "), lines[0])
            XCTAssertNotNil(lines[1].wholeMatch(of: /in [\d.]+ s: \d+ messages\/s, [\d.]+ MB\/s/), lines[1])
            XCTAssertNotNil(
                lines[2].wholeMatch(
                    of: /latency: 50 % \S+ (µs|ms), 90 % .*, 99 % .*, 99.9 % .*, longest \S+ (µs|ms)/),
                lines[2])
            XCTAssertEqual(lines[3], "no errors")
            server.signal(SIGINT)
            let end = try server.wait()
            XCTAssert(end.stdout.contains("served 5 clients, 0 lost"), end.stdout)
        }
    }

    func testAThousandClientsAtOnceWithTheUsualLimitOfDescriptors() throws {
        let (server, port) = try startServer(["--clients", "1000"], limit: 1024)
        let result = try runProgram(
            "/bin/sh",
            arguments: [
                "-c", "ulimit -Sn 1024; exec \"$@\"", "sh", programsFolder.path() + "echo-load", "--port", port,
                "--connections", "1000", "--messages", "2", "--size", "1-1000", "--timeout", "60",
            ])
        XCTAssert(result.stdout.hasPrefix("1000 connections, 2000 messages, "), result.stdout + result.stderr)
        XCTAssertEqual(result.exitCode, 0)
        let end = try server.wait()
        XCTAssert(end.stdout.contains("served 1000 clients, 0 lost"), end.stdout)
        XCTAssertEqual(end.exitCode, 0)
    }

    func testMoreClientsThanTheServerHasDescriptorsAreAllServedInTheEnd() throws {
        let (server, port) = try startServer(["--clients", "60"], limit: 30)
        let result = try load(["--connections", "60", "--messages", "5", "--timeout", "30"], port: port)
        XCTAssert(result.stdout.hasPrefix("60 connections, 300 messages, "), result.stdout + result.stderr)
        XCTAssertEqual(result.exitCode, 0)
        XCTAssert(try server.wait().stdout.contains("served 60 clients, 0 lost"))
    }

    func testWithoutAListenerTheLoadClientSaysSo() throws {
        let (server, port) = try startServer()
        server.signal(SIGINT)
        _ = try server.wait()
        let result = try load([], port: port)
        XCTAssertEqual(
            result.stderr,
            "Error: no connection to 127.0.0.1:\(port): connect failed: Connection refused; no server listens there, "
                + "start it or check host and port\n")
        XCTAssertEqual(result.stdout, "")
        XCTAssertEqual(result.exitCode, 1)
    }

    func testAServerThatIsKilledMidwayIsAFailureWithASummary() throws {
        let (server, port) = try startServer(["--verbose"])
        let client = try startProgram(
            "echo-load", arguments: ["--port", port, "--connections", "2", "--messages", "100000000"])
        XCTAssertNotNil(server.readLine())
        XCTAssertNotNil(server.readLine())
        server.signal(SIGKILL)
        let result = try client.wait()
        XCTAssert(result.stdout.hasPrefix("2 connections, "), result.stdout)
        XCTAssert(result.stdout.contains(" failed: "), result.stdout)
        XCTAssertEqual(result.exitCode, 1)
    }

    func testInterruptEndsTheLoadWithTheSummarySoFar() throws {
        // The test's own server never answers; once a message has arrived, the load is running.
        let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
        defer { SystemIO.close(listener) }
        _ = fcntl(listener, F_SETFL, 0)
        let port = "\(try SystemIO.localAddress(of: listener).port)"
        for signal in [SIGINT, SIGTERM] {
            let client = try startProgram("echo-load", arguments: ["--port", port, "--connections", "1"])
            let server = accept(listener, nil, nil)
            defer { close(server) }
            var bytes = [UInt8](repeating: 0, count: 64)
            XCTAssertEqual(recv(server, &bytes, bytes.count, 0), 64)
            client.signal(signal)
            let result = try client.wait()
            XCTAssert(result.stdout.hasPrefix("1 connection, 0 messages, 0 bytes came back as sent\n"), result.stdout)
            XCTAssert(result.stdout.hasSuffix("no errors\n"), result.stdout)
            XCTAssertEqual(result.exitCode, 0)
        }
    }

    func testProgressIsOneLineOnATerminal() throws {
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        defer { close(terminal) }
        // The equivalent of unlockpt() and ptsname(), which Swift does not see.
        var (locked, number): (Int32, Int32) = (0, 0)
        XCTAssertEqual(ioctl(terminal, 0x4004_5431, &locked), 0)
        XCTAssertEqual(ioctl(terminal, 0x8004_5430, &number), 0)
        let result = try runProgram(
            "/bin/sh", arguments: ["-c", "exec \(programsFolder.path())echo-load --demo 2>/dev/pts/\(number)"])
        // The terminal may pass on the output piece by piece; after the last one it reports that nothing writes any
        // more.
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while case let count = read(terminal, &piece, piece.count), count > 0 { bytes += piece.prefix(count) }
        let written = String(decoding: bytes, as: UTF8.self)
        XCTAssert(written.hasPrefix("\r0 messages, 0 a second\u{1B}[K\r"), written.debugDescription)
        XCTAssert(written.hasSuffix("\r\u{1B}[K"), written.debugDescription)
        XCTAssertFalse(written.contains("\n"))
        XCTAssertEqual(result.exitCode, 0)
    }
}

/// A client with blocking sockets, like any ordinary program.
private final class PlainClient {
    private let descriptor: Int32
    let port: Int

    /// Connects, or throws.
    init(port: String) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = try XCTUnwrap(UInt16(port)).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isConnected = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isConnected else {
            let code = errno
            close(descriptor)
            throw TeventError.systemCall(name: "connect", code: code)
        }
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }

    func sendAndShutDown(_ text: String) {
        // On a separate thread: the server stops reading while the client does not read.
        let (bytes, descriptor) = (Array(text.utf8), descriptor)
        Thread.detachNewThread {
            _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            shutdown(descriptor, Int32(SHUT_WR))
        }
    }

    func shutdownWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    func roundTrip(_ text: String) throws -> String {
        let bytes = Array(text.utf8)
        XCTAssertEqual(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)), bytes.count)
        var answer: [UInt8] = []
        while answer.count < bytes.count {
            let more = receive()
            if more.isEmpty { break }
            answer += more
        }
        return String(decoding: answer, as: UTF8.self)
    }

    func readToEnd() -> String {
        var all: [UInt8] = []
        while true {
            let more = receive()
            if more.isEmpty { return String(decoding: all, as: UTF8.self) }
            all += more
        }
    }

    private func receive() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(0, count)))
    }
}
