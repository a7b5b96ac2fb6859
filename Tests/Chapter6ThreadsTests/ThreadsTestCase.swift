import Chapter6Threads
import Foundation
import Talloc
import TestSupport
import Tevent
import TeventExtras
import XCTest

/// What the chapter's tests share: a loop of the test's own thread that waits only for a limited time, and a check of
/// what remains when the other threads have ended.
class ThreadsTestCase: XCTestCase {
    private(set) var backend = ""
    private(set) var memory: TallocContext!
    private(set) var events: EventContext!
    private var sockets: Set<Int32> = []

    override class func setUp() { prepareDispatch() }

    /// Runs a test with each backend; it fails if the test or its threads leave anything open.
    func onEachBackend(line: UInt = #line, _ test: () throws -> Void) throws {
        for backend in EventContext.backends {
            let before = openDescriptors()
            self.backend = backend
            memory = try TallocContext(named: "test")
            events = try EventContext(under: memory, backend: backend)
            events.maximumWait = .seconds(30)
            do { try test() } catch { XCTFail("with \(backend): \(error)", line: line) }
            for socket in sockets { SystemIO.close(socket) }
            sockets = []
            memory.free()
            // A thread that is not joined takes a moment to end.
            let left = inTime {
                openDescriptors().subtracting(before)
            } isFulfilled: {
                $0.isEmpty
            }
            XCTAssertEqual(left.map(target), [], "with \(backend), descriptors were left open", line: line)
        }
    }

    /// Reads repeatedly what another thread changes, until it is as expected or time is up.
    func inTime<Value>(_ look: () throws -> Value, isFulfilled: (Value) -> Bool) rethrows -> Value {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let value = try look()
            if isFulfilled(value) || ContinuousClock.now > deadline { return value }
            sched_yield()
        }
    }

    func openDescriptors() -> Set<Int32> { Set(TestSupport.openDescriptors().keys) }

    /// Waits for a request, and takes its result.
    func answer<Value>(of request: Request<Answer<Value>>) throws -> Value {
        defer { request.free() }
        guard try request.poll(on: events) == .finished else { throw NoAnswerInTime() }
        return try request.receive()
    }

    /// A connected socket that blocks, and is closed when the test ends.
    func connect(to address: SocketAddress) throws -> Int32 {
        let socket = try SystemIO.connect(to: address).descriptor
        sockets.insert(socket)
        // The connection is established when the socket is writable.
        var poll = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        XCTAssertEqual(Glibc.poll(&poll, 1, 30_000), 1)
        _ = fcntl(socket, F_SETFL, 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return socket
    }

    /// Sends a text, and reads as many bytes.
    func roundTrip(_ text: String, on socket: Int32) -> String {
        XCTAssertEqual(send(socket, text, text.utf8.count, Int32(MSG_NOSIGNAL)), text.utf8.count)
        var bytes = [UInt8](repeating: 0, count: text.utf8.count)
        let count = recv(socket, &bytes, bytes.count, Int32(MSG_WAITALL))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

struct Oops: Error, Equatable {}

struct NoAnswerInTime: Error {}
