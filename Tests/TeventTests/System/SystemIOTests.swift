import CTestSupport
import Glibc
import Synchronization
import Tevent
import XCTest

final class SystemIOTests: EngineTestCase {
    func testAReadBringsWhatIsThereAtMostWhatWasAskedFor() throws {
        try onEachBackend { _ in
            let pipe = try pipe()
            write(pipe.writer, "hello, loop")
            XCTAssertEqual(try SystemIO.read(pipe.reader, upTo: 5), .bytes(Array("hello".utf8)))
            XCTAssertEqual(try SystemIO.read(pipe.reader), .bytes(Array(", loop".utf8)))
        }
    }

    func testAReadIsLimitedHoweverMuchIsAskedFor() throws {
        try onEachBackend { _ in
            let zeros = opened(open("/dev/zero", O_RDONLY))
            for count in [SystemIO.largestRead, SystemIO.largestRead + 1, 1 << 40, .max] {
                guard case .bytes(let bytes) = try SystemIO.read(zeros, upTo: count) else { return XCTFail("\(count)") }
                XCTAssertEqual(bytes.count, 1 << 20, "\(count)")
            }
        }
    }

    func testAnEmptyPipeWouldBlock() throws {
        try onEachBackend { _ in XCTAssertEqual(try SystemIO.read(try pipe().reader), .wouldBlock) }
    }

    func testAClosedWriterIsTheEndOfTheFile() throws {
        try onEachBackend { _ in
            let pipe = try pipe()
            close(pipe.writer)
            XCTAssertEqual(try SystemIO.read(pipe.reader), .endOfFile)
        }
    }

    func testAFullPipeTakesNothingAndThrowsNothing() throws {
        try onEachBackend { _ in
            let pipe = try pipe()
            let block = [UInt8](repeating: 7, count: 50_000)
            var total = 0
            while true {
                let written = try SystemIO.write(pipe.writer, block)
                total += written
                if written == 0 { break }
            }
            XCTAssertGreaterThan(total, block.count, "the last block was taken in part")
            XCTAssertEqual(try SystemIO.write(pipe.writer, block), 0)
        }
    }

    func testWritingWithoutAReaderThrowsInsteadOfEndingTheProgram() throws {
        try onEachBackend { _ in
            let pipe = try pipe()
            close(pipe.reader)
            assertThrows(.systemCall(name: "write", code: EPIPE), try SystemIO.write(pipe.writer, [1]))
            let sockets = try sockets()
            close(sockets.1)
            assertThrows(.systemCall(name: "write", code: EPIPE), try SystemIO.write(sockets.0, [1]))
            XCTAssertEqual(test_is_blocked(SIGPIPE), 0)
            XCTAssertEqual(test_disposition(SIGPIPE), 0)
        }
    }

    func testABrokenPipeSignalCaughtByTheProgramIsNotStolenLater() throws {
        try onBothBackends { events, _ in
            var told = 0
            try events.addSignal(.pipe) { _, arrival in told += arrival.count }
            let pipe = try pipe()
            close(pipe.reader)
            assertThrows(.systemCall(name: "write", code: EPIPE), try SystemIO.write(pipe.writer, [1]))
            XCTAssertEqual(try events.loopWait(), .timedOut, "the write's own is kept from the program")
            Signal.pipe.raise()
            XCTAssertEqual(try events.loopWait(), .timedOut)
            XCTAssertEqual(told, 1)
        }
    }

    func testErrorsNameTheCall() throws {
        assertThrows(.systemCall(name: "read", code: EBADF), try SystemIO.read(-1))
        assertThrows(.systemCall(name: "write", code: EBADF), try SystemIO.write(-1, [1]))
        XCTAssertEqual(
            TeventError.systemCall(name: "read", code: EBADF).description, "read failed: Bad file descriptor")
    }

    func testPipesAndSocketsDoNotBlockAndAreNotInherited() throws {
        try onEachBackend { _ in
            let pipe = try SystemIO.pipe()
            let sockets = try SystemIO.socketPair()
            for end in [pipe.reader, pipe.writer, sockets.0, sockets.1].map(opened) {
                XCTAssertNotEqual(fcntl(end, F_GETFL) & O_NONBLOCK, 0)
                XCTAssertNotEqual(fcntl(end, F_GETFD) & FD_CLOEXEC, 0)
            }
        }
    }

    func testInterruptedCallsAreMadeAgain() throws {
        try onEachBackend { _ in
            let empty = try pipe()
            let full = try pipe()
            while try SystemIO.write(full.writer, [UInt8](repeating: 7, count: 4096)) > 0 {}
            let listener = opened(try SystemIO.listen(boundTo: .loopback(port: 0)))
            let address = try SystemIO.localAddress(of: listener)
            let client = opened(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
            for blocking in [empty.reader, full.writer, listener] { _ = fcntl(blocking, F_SETFL, 0) }
            XCTAssertEqual(
                try interrupting(
                    { try SystemIO.read(empty.reader) }, thenUnblock: { _ = Glibc.write(empty.writer, "x", 1) }),
                .bytes([120]))
            XCTAssertEqual(
                try interrupting(
                    { try SystemIO.write(full.writer, [1]) },
                    thenUnblock: { while case .bytes? = try? SystemIO.read(full.reader) {} }), 1)
            let accepted = try interrupting(
                { try SystemIO.accept(listener) }, thenUnblock: { _ = try? SystemIO.connect(client, to: address) })
            guard case .connection(let server, _) = accepted else { return XCTFail("\(accepted)") }
            SystemIO.close(server)
        }
    }

    /// Makes a blocking call, sends signals meanwhile, and then lets it end.
    private func interrupting<Value>(
        _ call: () throws -> Value, thenUnblock unblock: @escaping @Sendable () -> Void
    ) rethrows -> Value {
        let before = interruptions.load(ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in interruptions.add(1, ordering: .relaxed) }
        sigaction(SIGUSR1, &action, nil)
        defer { test_set_disposition(SIGUSR1, 0) }
        let caller = UInt(pthread_self())
        let thread = Thread {
            for count in 0..<5 {
                while !isMainThreadAsleep() { sched_yield() }
                pthread_kill(pthread_t(caller), SIGUSR1)
                while interruptions.load(ordering: .relaxed) <= before + count { sched_yield() }
            }
            unblock()
        }
        thread.start()
        defer { while !thread.isFinished { sched_yield() } }
        return try call()
    }

    func testAnyCollectionOfBytesCanBeWritten() throws {
        try onEachBackend { _ in
            for end in [try pipe(), try sockets()] {
                let bytes = Array("0123456789".utf8)
                XCTAssertEqual(try SystemIO.write(end.1, bytes[2..<5]), 3)
                XCTAssertEqual(try read(end.0), "234", "a part of an array")
                XCTAssertEqual(try SystemIO.write(end.1, bytes.lazy.reversed()), 10)
                XCTAssertEqual(try read(end.0), "9876543210", "bytes that are not beside each other")
            }
        }
    }

    func testWritingNothingWritesNothing() throws {
        try onEachBackend { _ in XCTAssertEqual(try SystemIO.write(try pipe().writer, []), 0) }
    }
}

/// How many signals have interrupted calls.
private let interruptions = Atomic<Int>(0)

/// Whether the thread that runs the tests is blocked in a call.
private func isMainThreadAsleep() -> Bool {
    guard let file = fopen("/proc/self/task/\(getpid())/stat", "r") else { return false }
    defer { fclose(file) }
    var line = [UInt8](repeating: 0, count: 256)
    let length = fread(&line, 1, line.count, file)
    // The state follows the program's name, which is in brackets.
    return String(decoding: line.prefix(length), as: UTF8.self).contains(") S ")
}
