import Chapter4Requests
import Foundation
import Talloc
import TestSupport
import Tevent
import XCTest

/// What the tests of the echo server share: a server in the test's own loop, and clients that are descriptors.
class EchoTestCase: XCTestCase {
    private(set) var backend = ""
    private(set) var memory: TallocContext!
    private(set) var events: EventContext!
    private var sockets: Set<Int32> = []

    override class func setUp() { prepareDispatch() }

    /// Runs a test with each backend, in real time but with a limit; it fails if the test leaves anything open.
    func onEachBackend(clock: ManualClock? = nil, line: UInt = #line, _ test: () throws -> Void) throws {
        for backend in EventContext.backends {
            let before = openDescriptors()
            self.backend = backend
            memory = try TallocContext(named: "test")
            events = try EventContext(under: memory, backend: backend, clock: clock)
            events.maximumWait = .seconds(30)
            do { try test() } catch { XCTFail("with \(backend): \(error)", line: line) }
            for socket in sockets { SystemIO.close(socket) }
            sockets = []
            memory.free()
            let left = openDescriptors().subtracting(before)
            XCTAssertEqual(left.map(target), [], "with \(backend), descriptors were left open", line: line)
        }
    }

    func openDescriptors() -> Set<Int32> { Set(TestSupport.openDescriptors().keys) }

    /// Runs the loop until a condition holds, even with a clock that stands still.
    func wait(
        _ what: String = "what was awaited", line: UInt = #line, until isFulfilled: () throws -> Bool
    ) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try !isFulfilled() {
            let result = try events.loopOnce()
            guard result == .handled || (result == .timedOut && ContinuousClock.now < deadline) else {
                return XCTFail("with \(backend), \(what) has not come: \(result)", line: line)
            }
        }
    }

    // MARK: Servers

    /// A server on a port that the system chooses.
    func startServer(
        clients: Int? = nil, retryDelay: Duration = .seconds(1), _ listener: EchoServer.Listener? = nil
    ) throws -> Request<EchoServer> {
        try EchoServer.send(
            at: .loopback(port: 0), clients: clients, retryDelay: retryDelay, on: events, under: memory, listener)
    }

    /// A server that is not an echo server: `answer` gets each connection and what arrives on it, and may reply.
    func startBadServer(_ answer: @escaping (_ socket: Int32, _ bytes: [UInt8]) -> Void) throws -> SocketAddress {
        let listener = opened(try SystemIO.listen(boundTo: .loopback(port: 0)))
        try events.addFD(listener, .read, under: memory) { [events, memory] _, _ in
            guard case .connection(let socket, _)? = try? SystemIO.accept(listener) else { return }
            let event = try? events!.addFD(socket, .read, under: memory!) { event, _ in
                guard case .bytes(let bytes)? = try? SystemIO.read(socket) else { return _ = event.free() }
                answer(socket, bytes)
            }
            event?.setAutoClose()
        }
        return try SystemIO.localAddress(of: listener)
    }

    // MARK: Clients

    /// A connected socket that is closed when the test ends.
    func connect(to address: SocketAddress) throws -> Int32 {
        let (socket, isConnected) = try SystemIO.connect(to: address)
        _ = opened(socket)
        if !isConnected { try wait("a connection") { try SystemIO.connect(socket, to: address) } }
        return socket
    }

    /// A connected socket that the server already serves.
    func join(_ server: Request<EchoServer>) throws -> Int32 {
        let accepted = server.tally.accepted
        let socket = try connect(to: server.address)
        try wait("to be accepted") { server.tally.accepted > accepted }
        return socket
    }

    func opened(_ socket: Int32) -> Int32 {
        sockets.insert(socket)
        return socket
    }

    func close(_ socket: Int32) {
        sockets.remove(socket)
        SystemIO.close(socket)
    }

    /// Closes a socket so that the other side gets an error, not the end of the file.
    func reset(_ socket: Int32) {
        var atOnce = linger(l_onoff: 1, l_linger: 0)
        XCTAssertEqual(
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size)), 0)
        close(socket)
    }

    /// Makes a socket's buffers so small that reads and writes come in small parts.
    func makeTiny(_ socket: Int32) {
        for option in [SO_SNDBUF, SO_RCVBUF] { limitBuffer(option, of: socket) }
    }

    /// Makes one of a socket's buffers as small as the system allows.
    func limitBuffer(_ option: Int32, of socket: Int32) {
        var size: Int32 = 1
        XCTAssertEqual(setsockopt(socket, SOL_SOCKET, option, &size, socklen_t(MemoryLayout<Int32>.size)), 0)
    }

    /// Sends all bytes; returns what has come back once it is as many, or the connection has ended.
    func roundTrip(_ bytes: [UInt8], on socket: Int32, upTo part: Int = 65_536) throws -> [UInt8] {
        let write = try WriteAll.send(bytes, to: socket, on: events, under: memory)
        let answer = try read(bytes.count, from: socket, upTo: part)
        try wait("room to write") { !write.isInProgress }
        try write.receive()
        write.free()
        return answer
    }

    /// Reads this many bytes, or all until the end of the file.
    func read(_ count: Int = .max, from socket: Int32, upTo part: Int = 65_536) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let read = try Read.send(from: socket, upTo: part, on: events, under: memory)
            try wait("an answer") { !read.isInProgress }
            defer { read.free() }
            guard let more = try read.receive() else { break }
            bytes += more
        }
        return bytes
    }

    /// Writes as much as there is room for, repeatedly, until the server no longer reads from this client.
    func fill(_ socket: Int32) throws {
        let bytes = [UInt8](repeating: 7, count: 65_536)
        var silentTurns = 0
        while silentTurns < 100 {
            let count = try SystemIO.write(socket, bytes)
            silentTurns = count == 0 ? silentTurns + 1 : 0
            // A due timer makes the loop check the descriptors without waiting for them.
            events.maximumWait = .zero
            try events.loopOnce()
            events.maximumWait = .seconds(30)
        }
    }
}

/// Random bytes from a fixed seed.
func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
        withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
}

/// Checks that two long arrays are equal, and reports where they differ.
func assertSame(_ one: [UInt8], _ other: [UInt8], _ what: String = "", line: UInt = #line) {
    guard one.count == other.count else { return XCTFail("\(what): \(one.count) and \(other.count) bytes", line: line) }
    let isSame = one.withUnsafeBytes { one in
        other.withUnsafeBytes { memcmp(one.baseAddress!, $0.baseAddress!, one.count) == 0 }
    }
    XCTAssert(
        isSame, "\(what): they differ from byte \(zip(one, other).enumerated().first { $1.0 != $1.1 }?.offset ?? -1)",
        line: line)
}
