import CTestSupport
import Glibc
import TestSupport
import Tevent
import XCTest

/// What is opened in a program whose standard descriptors are closed; each test runs in its own process.
final class StandardDescriptorTests: EngineTestCase {
    // MARK: With room

    func testNothingGetsTheirNumbersWhicheverAreClosed() throws {
        try whicheverAreClosed {
            let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
            let address = try SystemIO.localAddress(of: listener)
            let (client, _) = try SystemIO.connect(to: address)
            let server = try acceptOne(listener)
            let (pipe, sockets) = (try SystemIO.pipe(), try SystemIO.socketPair())
            let made = [listener, client, server, pipe.reader, pipe.writer, sockets.0, sockets.1]
            for descriptor in made {
                check(descriptor > 2, "\(descriptor) in \(made)")
                check(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0, "\(descriptor) in \(made) blocks")
                check(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0, "\(descriptor) in \(made) is inherited")
            }
            for (from, to) in [(pipe.writer, pipe.reader), sockets, (client, server), (server, client)] {
                check(try passes("x", from: from, to: to), "\(from) to \(to) in \(made)")
            }
            made.forEach(SystemIO.close)
        }
    }

    func testTheEnginesOwnDoNotGetTheirNumbersEither() throws {
        try whicheverAreClosed {
            for backend in EventContext.backends {
                let events = try EventContext(backend: backend)
                try events.addSignal(.user1) { _, _ in }
                events.free()
            }
        }
    }

    func testWhatIsPrintedReachesNoSocket() throws {
        try whicheverAreClosed {
            let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
            let (client, _) = try SystemIO.connect(to: try SystemIO.localAddress(of: listener))
            let server = try acceptOne(listener)
            for standard in closed { check(Glibc.write(standard, "log\n", 4) < 0, "\(standard) can be written to") }
            check(try passes("answer", from: server, to: client), "the client was sent something else")
            [listener, client, server].forEach(SystemIO.close)
        }
    }

    // MARK: Without room

    func testDescriptorsThatCannotBeMovedLeaveNothingBehind() throws {
        try whicheverAreClosed {
            let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
            let address = try SystemIO.localAddress(of: listener)
            let makers: [(name: String, count: Int, make: () throws -> [Int32])] = [
                (
                    "pipe", 2,
                    {
                        let (reader, writer) = try SystemIO.pipe(); return [reader, writer]
                    }
                ),
                (
                    "socketpair", 2,
                    {
                        let (one, other) = try SystemIO.socketPair(); return [one, other]
                    }
                ),
                ("socket", 1, { [try SystemIO.listen(boundTo: .loopback(port: 0))] }),
                ("socket", 1, { [try SystemIO.connect(to: address).descriptor] }),
            ]
            try withFreeDescriptors(upTo: 2) { free in
                for (name, count, make) in makers {
                    let before = openDescriptors()
                    do {
                        let made = try make()
                        check(free >= count && made.allSatisfy { $0 > 2 }, "\(name) made \(made) with \(free) free")
                        made.forEach(SystemIO.close)
                    } catch {
                        check(free < count && error as? TeventError == full(name), "\(error), \(free) free")
                    }
                    check(openDescriptors() == before, "\(name) with \(free) free left something open, or closed it")
                }
            }
            SystemIO.close(listener)
        }
    }

    func testAConnectionThatCannotBeMovedWaitsOn() throws {
        try whicheverAreClosed {
            let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
            let (client, _) = try SystemIO.connect(to: try SystemIO.localAddress(of: listener))
            try withFreeDescriptors(upTo: 1) { free in
                let before = openDescriptors()
                guard free > 0 else {
                    for _ in 1...2 { check(failure { try SystemIO.accept(listener) } == full("accept"), "accepted") }
                    return check(openDescriptors() == before, "something was left open, or closed")
                }
                let server = try acceptOne(listener)
                check(server > 2, "\(server)")
                check(try passes("hello", from: client, to: server), "the connection was lost")
                SystemIO.close(server)
                check(try SystemIO.accept(listener) == .wouldBlock, "another connection")
                check(openDescriptors() == before, "something was left open, or closed")
            }
            [listener, client].forEach(SystemIO.close)
        }
    }

    func testAConnectionWaitsOnAlsoWhenOneOfThemIsClosedLater() throws {
        let result = try runInChild(self) {
            let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
            let address = try SystemIO.localAddress(of: listener)
            // All three are open, and one accept has noticed that.
            let clients = [try SystemIO.connect(to: address).descriptor, try SystemIO.connect(to: address).descriptor]
            SystemIO.close(try acceptOne(listener))
            try withFreeDescriptors(upTo: 1) { free in
                guard free == 0 else {
                    let server = try acceptOne(listener)
                    check(server > 2, "\(server)")
                    return SystemIO.close(server)
                }
                SystemIO.close(0)
                check(failure { try SystemIO.accept(listener) } == full("accept"), "accepted")
            }
            clients.forEach(SystemIO.close)
            endChild()
        }
        XCTAssertEqual(result.exitCode, 0, result.stderr)
    }

    func testAnAcceptThatFailsGivesBackTheNumberItHasReserved() throws {
        try whicheverAreClosed {
            let pipe = try SystemIO.pipe()
            let before = openDescriptors()
            check(
                failure { try SystemIO.accept(pipe.reader) } == .systemCall(name: "accept", code: ENOTSOCK), "accepted")
            check(failure { try SystemIO.accept(-1) } == .systemCall(name: "accept", code: EBADF), "accepted")
            check(openDescriptors() == before, "something was left open")
            [pipe.reader, pipe.writer].forEach(SystemIO.close)
        }
    }

    // MARK: When the system cannot move a descriptor

    func testAConnectionGetsTheReservedNumberAlsoIfThatIsBusyAtFirst() throws {
        try skipUnlessCallsCanFail()
        try whicheverAreClosed {
            let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
            let (client, _) = try SystemIO.connect(to: try SystemIO.localAddress(of: listener))
            let server = try failing("dup3", times: 2, EBUSY) { try acceptOne(listener) }.get()
            check(try passes("hello", from: client, to: server), "the connection was lost")
            [listener, client, server].forEach(SystemIO.close)
        }
    }

    func testAConnectionThatCannotBeMovedAtAllLeavesNothingBehind() throws {
        try skipUnlessCallsCanFail()
        try whicheverAreClosed {
            let listener = try SystemIO.listen(boundTo: .loopback(port: 0))
            let (client, _) = try SystemIO.connect(to: try SystemIO.localAddress(of: listener))
            let before = openDescriptors()
            let result = try failing("dup3", times: 1, EIO) { try acceptOne(listener) }
            if closed.isEmpty {
                SystemIO.close(try result.get())
            } else {
                check(failure { try result.get() } == .systemCall(name: "accept", code: EIO), "\(result)")
            }
            check(openDescriptors() == before, "something was left open, or closed")
            [listener, client].forEach(SystemIO.close)
        }
    }

    // MARK: In the child

    /// Which of the three are closed just now.
    private var closed: [Int32] = []
    private var failures: [String] = []

    /// Runs a test in a child process, once for each set of the three that can be closed.
    private func whicheverAreClosed(function: String = #function, _ body: () throws -> Void) throws {
        let result = try runInChild(self, function: function) {
            for set in 0..<8 {
                closed = (0...2).filter { set & 1 << $0 != 0 }
                let copies = closed.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
                for descriptor in closed { Glibc.close(descriptor) }
                let before = openDescriptors()
                do { try body() } catch { check(false, "\(error)") }
                check(openDescriptors() == before, "something was left open, or closed")
                for (descriptor, copy) in zip(closed, copies) {
                    dup2(copy, descriptor)
                    Glibc.close(copy)
                }
            }
            endChild()
        }
        XCTAssertEqual(result.exitCode, 0, result.stderr)
    }

    private func check(_ condition: @autoclosure () throws -> Bool, _ message: String, line: Int = #line) {
        do { if try condition() { return } } catch { failures.append("line \(line): \(error)") }
        failures.append("line \(line), without \(closed): \(message)")
    }

    private func endChild() -> Never {
        _ = try? SystemIO.write(SystemIO.standardError, failures.joined(separator: "\n").utf8)
        exit(failures.isEmpty ? 0 : 2)
    }

    private func full(_ call: String) -> TeventError { .systemCall(name: call, code: EMFILE) }

    /// Runs a body with no free descriptor above the three, then with one, up to this many.
    private func withFreeDescriptors(upTo most: Int, _ body: (_ free: Int) throws -> Void) throws {
        let limit = test_limit_descriptors(128)
        let placeholder = try XCTUnwrap(openDescriptors().keys.first)
        var taken: [Int32] = []
        repeat { taken.append(fcntl(placeholder, F_DUPFD_CLOEXEC, 3)) } while taken.last! >= 0
        taken.removeLast()
        for free in 0...most {
            do { try body(free) } catch { check(false, "with \(free) free: \(error)") }
            SystemIO.close(taken.removeLast())
        }
        taken.forEach(SystemIO.close)
        test_limit_descriptors(limit)
    }

    private func acceptOne(_ listener: Int32) throws -> Int32 {
        var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, 10_000)
        guard case .connection(let descriptor, _) = try SystemIO.accept(listener) else { return -1 }
        return descriptor
    }

    private func passes(_ text: String, from writer: Int32, to reader: Int32) throws -> Bool {
        _ = try SystemIO.write(writer, text.utf8)
        var entry = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, 10_000)
        return try SystemIO.read(reader) == .bytes(Array(text.utf8))
    }
}
