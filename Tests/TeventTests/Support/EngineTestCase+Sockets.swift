import Glibc
import Tevent
import XCTest

extension EngineTestCase {
    func listener(_ address: SocketAddress = .loopback(port: 0)) throws -> (Int32, SocketAddress) {
        let listener = opened(try SystemIO.listen(boundTo: address))
        return (listener, try SystemIO.localAddress(of: listener))
    }

    /// A port of this machine without a listener.
    func deserted() throws -> SocketAddress {
        let (listener, address) = try listener()
        close(listener)
        return address
    }

    /// Waits until a descriptor is ready, for events that take the kernel some time.
    func wait(for descriptor: Int32, _ flags: FDEvent.Flags) throws {
        let events = try EventContext()
        defer { events.free() }
        try events.addFD(descriptor, flags) { _, _ in }
        events.maximumWait = .seconds(30)
        XCTAssertEqual(try events.loopOnce(), .handled)
    }

    func accept(_ listener: Int32) throws -> (descriptor: Int32, peer: SocketAddress) {
        try wait(for: listener, .read)
        guard case .connection(let descriptor, let peer) = try SystemIO.accept(listener) else {
            throw TeventError.systemCall(name: "accept", code: EAGAIN)
        }
        return (opened(descriptor), peer)
    }

    func connect(_ address: SocketAddress) throws -> Int32 {
        let (descriptor, isConnected) = try SystemIO.connect(to: address)
        _ = opened(descriptor)
        guard !isConnected else { return descriptor }
        try wait(for: descriptor, .write)
        let stands = try SystemIO.connect(descriptor, to: address)
        XCTAssertTrue(stands)
        return descriptor
    }

    /// Two sockets connected over this machine's network, with small kernel buffers or the default ones.
    func connected(bufferSize: Int32? = nil) throws -> (Int32, Int32) {
        let (listener, address) = try listener()
        defer { close(listener) }
        let client = try connect(address)
        let server = try accept(listener).descriptor
        if let bufferSize { for end in [client, server] { limitBuffers(of: end, to: bufferSize) } }
        return (client, server)
    }

    func limitBuffers(of descriptor: Int32, to size: Int32) {
        for option in [SO_SNDBUF, SO_RCVBUF] {
            var size = size
            let length = socklen_t(MemoryLayout<Int32>.size)
            XCTAssertEqual(setsockopt(descriptor, SOL_SOCKET, option, &size, length), 0)
        }
    }

    /// An address with a listener that answers no more, because too many connections wait to be accepted.
    func silentAddress() throws -> SocketAddress {
        let listener = opened(try SystemIO.listen(boundTo: .loopback(port: 0), backlog: 0))
        let address = try SystemIO.localAddress(of: listener)
        _ = try connect(address)
        return address
    }

    /// Writes until a descriptor accepts no more, and returns how many bytes it accepted.
    func fill(_ descriptor: Int32) throws -> Int {
        var total = 0
        while true {
            // Down to a single byte, so that no room is left in a pipe either.
            let taken = try [65536, 1].map { try SystemIO.write(descriptor, [UInt8](repeating: 7, count: $0)) }
            guard taken != [0, 0] else { return total }
            total += taken[0] + taken[1]
        }
    }

    /// Closes a socket so that the other side gets an error, not the end of the file.
    func reset(_ descriptor: Int32) {
        var atOnce = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        XCTAssertEqual(setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, size), 0)
        close(descriptor)
    }
}
