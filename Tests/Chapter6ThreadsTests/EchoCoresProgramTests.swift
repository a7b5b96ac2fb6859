import Foundation
import TestSupport
import Tevent
import XCTest

/// The program echo-cores, with clients that are separate programs.
final class EchoCoresProgramTests: ThreadsTestCase {
    /// A server that has printed where it listens.
    private func startServer(
        _ arguments: [String] = [], program name: String = "echo-cores"
    ) throws -> (program: RunningProgram, port: String, line: String) {
        let program = try startProgram(name, arguments: ["--port", "0"] + arguments)
        let line = try XCTUnwrap(program.readLine(), "the first line comes at once, also into a pipe")
        let port = try XCTUnwrap(line.firstMatch(of: /listening on 127\.0\.0\.1:(\d+)/)).1
        return (program, String(port), line)
    }

    func testInterruptAndTerminationStopAllThreadsUnderLoad() throws {
        for signal in [SIGINT, SIGTERM] {
            try onEachBackend {
                let (server, port, line) = try startServer(["--threads", "3", "--backend", backend])
                XCTAssert(line.hasSuffix(" with 3 threads"), line)
                let load = try startProgram("echo-load", arguments: ["--port", port, "--messages", "100000000"])
                let clients = try (1...20).map { _ in
                    try connect(to: .loopback(port: try XCTUnwrap(UInt16(port))))
                }
                for client in clients { XCTAssertEqual(roundTrip("hello", on: client), "hello") }
                server.signal(signal)
                let result = try server.wait()
                XCTAssertEqual(result.exitCode, 0)
                XCTAssertEqual(result.stderr, "")
                let lines = result.stdout.split(separator: "\n")
                XCTAssertEqual(
                    lines.dropFirst().dropLast().map { $0.prefix(15) }, (1...3).map { "thread \($0) served" })
                let served = try XCTUnwrap(lines.last?.firstMatch(of: #/^served (\d+) clients, /#)).1
                XCTAssertGreaterThanOrEqual(Int(served) ?? 0, 20)
                _ = try load.wait()
            }
        }
    }

    func testEveryByteComesBackWithAnyNumberOfThreads() throws {
        for threads in ["1", "2", "5"] {
            let (server, port, _) = try startServer(["--threads", threads])
            let result = try runProgram(
                "echo-load",
                arguments: ["--port", port, "--connections", "40", "--messages", "20", "--size", "1-5000"])
            XCTAssert(result.stdout.hasPrefix("40 connections, 800 messages, "), result.stdout + result.stderr)
            XCTAssertEqual(result.exitCode, 0)
            server.signal(SIGINT)
            let end = try server.wait()
            XCTAssert(
                end.stdout.split(separator: "\n").last?.hasPrefix("served 40 clients, 0 lost") == true, end.stdout)
        }
    }

    func testAServerWhoseLogIsNotReadAnyMoreServesOnAndEndsQuietly() throws {
        try onEachBackend {
            let (server, port, _) = try startServer(["--threads", "2", "--backend", backend])
            server.closeOutput()
            let client = try connect(to: .loopback(port: try XCTUnwrap(UInt16(port))))
            XCTAssertEqual(roundTrip("hello", on: client), "hello")
            server.signal(SIGTERM)
            let result = try server.wait()
            XCTAssertEqual(result.signal, SIGPIPE)
            XCTAssertEqual(result.stderr, "")
        }
    }

    func testWithoutANumberThereIsAThreadForEachProcessor() throws {
        let (server, _, line) = try startServer()
        let count = Processors.available
        XCTAssert(line.hasSuffix(" with \(count) thread\(count == 1 ? "" : "s")"), line)
        server.signal(SIGTERM)
        XCTAssertEqual(try server.wait().exitCode, 0)
    }

    func testWhereItCannotListenItSaysWhyAndWhatToDo() throws {
        for name in ["echo-server", "echo-cores"] {
            let (other, port, _) = try startServer(program: name)
            let result = try runProgram("echo-cores", arguments: ["--port", port, "--threads", "2"])
            XCTAssertEqual(
                result.stderr,
                "Error: cannot listen on 127.0.0.1:\(port): bind failed: Address already in use; choose another port, "
                    + "or port 0 to let the system choose\n")
            XCTAssertEqual(result.stdout, "")
            XCTAssertEqual(result.exitCode, 1)
            other.signal(SIGTERM)
            _ = try other.wait()
        }
        let unknown = try runProgram("echo-cores", arguments: ["--host", String(repeating: "x", count: 64)])
        XCTAssert(unknown.stderr.contains("was not found"), unknown.stderr)
        XCTAssertEqual(unknown.exitCode, 1)
    }
}
