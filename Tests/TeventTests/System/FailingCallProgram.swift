import CTestSupport
import Glibc
import Talloc
import XCTest

@testable import Tevent

/// A program with events and requests of every kind, which notes each failure and continues.
///
/// Everything that must happen does so once, so an event that is lost because a call failed is missing at the end.
final class FailingCallProgram {
    static let everything: Set<String> = [
        "timer", "immediate", "file", "ping", "pong", "pipe", "connection", "bytes", "begun again", "message", "signal",
    ]
    private static let tries = 5
    private static let content = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 % 251) }

    private(set) var happened: [String] = []
    private(set) var failures: [TeventError] = []
    private let events: EventContext
    private let inbox: ThreadInbox
    /// What two handlers find out about one connection.
    private var client: Int32?
    private var server: (descriptor: Int32, peer: SocketAddress)?
    private let content = FailingCallProgram.content
    private var arrived: [UInt8] = []
    private var opened: [Int32] = []

    init(backend: String) throws {
        var failures: [TeventError] = []
        events = try Self.insist(&failures) { try EventContext(backend: backend) }
        events.maximumWait = .seconds(20)
        inbox = try Self.insist(&failures) { [events] in try ThreadInbox(on: events) }
        self.failures = failures
    }

    /// Repeats something until it succeeds: a failure must leave nothing half done.
    private static func insist<Value>(_ failures: inout [TeventError], _ body: () throws -> Value) throws -> Value {
        for _ in 1..<tries {
            do { return try body() } catch let error as TeventError { failures.append(error) }
        }
        return try body()
    }

    @discardableResult
    private func insist<Value>(_ body: () throws -> Value) throws -> Value { try Self.insist(&failures, body) }

    /// Does in a handler what may fail; then the handler is called again.
    private func note(_ body: () throws -> Void) {
        do { try body() } catch let error as TeventError { failures.append(error) } catch {
            happened.append("\(error)")
        }
    }

    /// Runs until everything has happened, or nothing more does.
    func run() throws {
        try addEvents()
        try addRequests()
        for _ in 0..<20 {
            do throws(TeventError) {
                guard try events.loop(until: { Set(happened) == Self.everything }) == .handled else { break }
            } catch { failures.append(error) }
        }
        end()
    }

    private func end() {
        events.free()
        for descriptor in opened { SystemIO.close(descriptor) }
    }
}

// MARK: Events

extension FailingCallProgram {
    private func addEvents() throws {
        try insist { try events.addTimer(after: .zero) { [unowned self] _, _ in happened.append("timer") } }
        try insist { try ImmediateEvent(under: events) }.schedule(on: events) { [unowned self] _, _ in
            happened.append("immediate")
        }
        let file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        opened.append(file)
        try insist {
            try events.addFD(file, .read) { [unowned self] event, _ in
                happened.append("file")
                event.free()
            }
        }
        try addTalk()
        try insist { try events.addTimer(after: .milliseconds(1)) { [unowned self] _, _ in beginAgain() } }
        try insist {
            try events.addSignal(.user2) { [unowned self] event, _ in
                happened.append("signal")
                event.free()
            }
        }
    }

    /// Adds one descriptor that is written to and then read from, and another that answers.
    private func addTalk() throws {
        let (asking, answering) = try insist { try SystemIO.socketPair() }
        opened += [asking, answering]
        try insist {
            try events.addFD(asking, [.read, .write]) { [unowned self] event, ready in
                note {
                    if ready.contains(.write), try SystemIO.write(asking, [1]) == 1 { event.flags = .read }
                    guard ready.contains(.read), try SystemIO.read(asking) == .bytes([2]) else { return }
                    happened.append("pong")
                    event.free()
                }
            }
        }
        try insist {
            try events.addFD(answering, .read) { [unowned self] event, _ in
                note {
                    if event.flags == .read, try SystemIO.read(answering) == .bytes([1]) { event.flags = .write }
                    guard event.flags == .write, try SystemIO.write(answering, [2]) == 1 else { return }
                    happened.append("ping")
                    event.free()
                }
            }
        }
    }

    /// Restarts the backend, and then wakes the loop with a message and a signal while it sleeps.
    private func beginAgain() {
        happened.append("begun again")
        note { try events.reinitialise() }
        let (proxy, waker, program) = (inbox.proxy, events.waker, Own(self))
        wakeWhenAsleep(waker) {
            try? proxy.schedule { _ in
                program.value.happened.append("message")
                program.value.wakeWhenAsleep(waker) { Signal.user2.raise() }
            }
        }
    }

    private func wakeWhenAsleep(_ waker: Own<WakerPointer>, _ wake: @escaping @Sendable () -> Void) {
        let start = Own(wake)
        _ = sure {
            try SystemThread(named: "waker") {
                while !waker.isSleeping, waker.descriptor >= 0 { sched_yield() }
                start.value()
            }
        }
    }
}

// MARK: Requests

extension FailingCallProgram {
    private func addRequests() throws {
        let pipe = try insist { try SystemIO.pipe() }
        opened += [pipe.reader, pipe.writer]
        try insist { guard try SystemIO.write(pipe.writer, [3]) == 1 else { throw TeventError.failed("write") } }
        read(from: pipe.reader) { [unowned self] in if $0 == [3] { happened.append("pipe") } }

        let listener = try insist { try SystemIO.listen(boundTo: .loopback(port: 0)) }
        opened.append(listener)
        limit(SO_RCVBUF, of: listener)
        let address = try insist { try SystemIO.localAddress(of: listener) }
        accept(from: listener)
        connect(to: address, listener)
    }

    private func read(from descriptor: Int32, _ body: @escaping ([UInt8]) -> Void) {
        sure { try Read.send(from: descriptor, upTo: 65_536, on: events, under: events) }.setCallback {
            [unowned self] request in
            let result = Result { try request.receive() }
            request.free()
            switch result {
            case .success(let bytes): body(bytes ?? [])
            case .failure(let error):
                note { throw error }
                read(from: descriptor, body)
            }
        }
    }

    private func accept(from listener: Int32) {
        sure { try Accept.send(from: listener, on: events, under: events) }.setCallback { [unowned self] request in
            let result = Result { try request.receive() }
            request.free()
            switch result {
            case .success(let connection):
                opened.append(connection.descriptor)
                server = connection
                join(listener)
            case .failure(let error):
                note { throw error }
                accept(from: listener)
            }
        }
    }

    private func connect(to address: SocketAddress, _ listener: Int32) {
        sure { try Connect.send(to: address, on: events, under: events) }.setCallback { [unowned self] request in
            let result = Result { try request.receive() }
            request.free()
            switch result {
            case .success(let descriptor):
                opened.append(descriptor)
                client = descriptor
                join(listener)
            case .failure(let error):
                note { throw error }
                connect(to: address, listener)
            }
        }
    }

    /// Starts when both ends exist; the accepted one may be left over from a failed attempt.
    private func join(_ listener: Int32) {
        guard let client, let server else { return }
        guard let own = try? insist({ try SystemIO.localAddress(of: client) }), own == server.peer else {
            return accept(from: listener)
        }
        happened.append("connection")
        limit(SO_SNDBUF, of: client)
        write(content[...], to: client)
        readAll(from: server.descriptor)
    }

    /// Makes one of the system's buffers so small that what is written does not fit.
    private func limit(_ buffer: Int32, of descriptor: Int32) {
        var size: Int32 = 4096
        _ = setsockopt(descriptor, SOL_SOCKET, buffer, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    private func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) {
        sure { try WriteAll.send(Array(bytes), to: descriptor, on: events, under: events) }.setCallback {
            [unowned self] request in
            let written = request.written
            let result = Result { try request.receive() }
            request.free()
            guard case .failure(let error) = result else { return }
            note { throw error }
            write(bytes.dropFirst(written), to: descriptor)
        }
    }

    private func readAll(from descriptor: Int32) {
        read(from: descriptor) { [unowned self] bytes in
            arrived += bytes
            guard arrived.count >= content.count || bytes.isEmpty else { return readAll(from: descriptor) }
            happened.append(arrived == content ? "bytes" : "other bytes")
        }
    }
}
