import CLinux
import Glibc

// Internet sockets. None of them blocks, and programs started by this one inherit none.
extension SystemIO {
    /// The result of accepting a connection.
    public enum AcceptResult: Equatable, Sendable {
        /// A client has connected; the caller owns the descriptor.
        case connection(descriptor: Int32, peer: SocketAddress)
        /// No client is waiting to be accepted.
        case wouldBlock
    }

    /// Creates a socket that clients can connect to.
    ///
    /// The port can be reused as soon as the descriptor is closed, even if connections from before remain.
    ///
    /// - Parameters:
    ///   - address: Where to listen. With port 0 the system chooses a port; ``localAddress(of:)`` returns it.
    ///   - backlog: How many connected clients may wait to be accepted; the system may allow fewer.
    ///   - sharesPort: Whether other sockets of the same user that also set this may listen on the port. The system
    ///     then spreads the connections over the sockets, so that threads need not share one.
    /// - Returns: The descriptor, which is readable when a client has connected. The caller owns it.
    /// - Throws: ``TeventError/systemCall(name:code:)``, with `EADDRINUSE` when the port is taken.
    ///
    /// The corresponding C functions are `socket()`, `bind()` and `listen()`.
    public static func listen(
        boundTo address: SocketAddress, backlog: Int32 = 128, sharesPort: Bool = false
    ) throws(TeventError) -> Int32 {
        let descriptor = try socket(for: address)
        do throws(TeventError) {
            try set(SO_REUSEADDR, at: SOL_SOCKET, of: descriptor)
            if sharesPort { try set(SO_REUSEPORT, at: SOL_SOCKET, of: descriptor) }
            let result = address.withSystemAddress { Glibc.bind(descriptor, $0, $1) }
            guard result == 0 else { throw .failed("bind") }
            guard Glibc.listen(descriptor, backlog) == 0 else { throw .failed("listen") }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Accepts one of the clients that have connected; skips clients that have disconnected meanwhile.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` when descriptors are exhausted. The connection then keeps
    ///   waiting, and the listening socket stays readable.
    ///
    /// The corresponding C function is `accept4()`.
    public static func accept(_ listener: Int32) throws(TeventError) -> AcceptResult {
        // An accepted connection cannot be put back, so reserve the number that it may need first.
        var reserved = try StandardDescriptors.reserve("accept", listener)
        defer { if let reserved { close(reserved) } }
        while true {
            let (descriptor, peer) = SocketAddress.filled {
                accept4(listener, $0, $1, Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue))
            }
            guard descriptor < 0 else {
                let descriptor = try StandardDescriptors.avoid("accept", descriptor, &reserved)
                if let peer { return .connection(descriptor: descriptor, peer: peer) }
                close(descriptor)
                throw .systemCall(name: "accept", code: EAFNOSUPPORT)
            }
            switch errno {
            case EAGAIN: return .wouldBlock
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH: continue
            default: throw .failed("accept")
            }
        }
    }

    /// Creates a socket and starts connecting it.
    ///
    /// - Returns: The descriptor, which the caller owns, and whether it is already connected. If not, wait until it is
    ///   writable and then call ``connect(_:to:)``.
    /// - Throws: ``TeventError/systemCall(name:code:)``, with `ECONNREFUSED` when no server listens there.
    ///
    /// The corresponding C functions are `socket()` and `connect()`.
    public static func connect(
        to address: SocketAddress
    ) throws(TeventError) -> (descriptor: Int32, isConnected: Bool) {
        let descriptor = try socket(for: address)
        do throws(TeventError) {
            return (descriptor, try connect(descriptor, to: address))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Starts connecting a socket, or checks how far that has progressed.
    ///
    /// Reading the socket's pending error would not do: there is none while it is still connecting.
    ///
    /// - Returns: Whether the socket is connected.
    /// - Throws: ``TeventError/systemCall(name:code:)`` if it cannot be connected, with `ECONNREFUSED` when no server
    ///   listens there.
    ///
    /// The corresponding C function is `connect()`.
    public static func connect(_ descriptor: Int32, to address: SocketAddress) throws(TeventError) -> Bool {
        let result = address.withSystemAddress { Glibc.connect(descriptor, $0, $1) }
        if result == 0 || errno == EISCONN { return true }
        // An interrupted connect continues by itself.
        guard errno == EINPROGRESS || errno == EALREADY || errno == EINTR else { throw .failed("connect") }
        return false
    }

    /// The local address of a socket, for instance to find out which port the system chose.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if it is not an Internet socket.
    ///
    /// The corresponding C function is `getsockname()`.
    public static func localAddress(of descriptor: Int32) throws(TeventError) -> SocketAddress {
        try address("getsockname") { getsockname(descriptor, $0, $1) }
    }

    /// The address of the other side of a connected socket.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if it is not an Internet socket, or not connected.
    ///
    /// The corresponding C function is `getpeername()`.
    public static func peerAddress(of descriptor: Int32) throws(TeventError) -> SocketAddress {
        try address("getpeername") { getpeername(descriptor, $0, $1) }
    }

    /// Stops writing, so that the other side reads the end of the file; reading remains possible.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if it is not a connected socket.
    ///
    /// The corresponding C function is `shutdown()`.
    public static func shutdownWriting(_ descriptor: Int32) throws(TeventError) {
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { throw .failed("shutdown") }
    }

    /// Sends small writes immediately, instead of gathering them while an acknowledgement is outstanding.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if it is not an Internet socket.
    ///
    /// The corresponding C call is `setsockopt()` with `TCP_NODELAY`.
    public static func setNoDelay(_ descriptor: Int32) throws(TeventError) {
        try set(TCP_NODELAY, at: Int32(IPPROTO_TCP), of: descriptor)
    }

    private static func socket(for address: SocketAddress) throws(TeventError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return try StandardDescriptors.avoid("socket", Glibc.socket(address.family, type, 0))
    }

    private static func set(_ option: Int32, at level: Int32, of descriptor: Int32) throws(TeventError) {
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard setsockopt(descriptor, level, option, &on, size) == 0 else { throw .failed("setsockopt") }
    }

    private static func address(
        _ name: String, _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(TeventError) -> SocketAddress {
        let (result, address) = SocketAddress.filled(by: call)
        guard result == 0 else { throw .failed(name) }
        guard let address else { throw .systemCall(name: name, code: EAFNOSUPPORT) }
        return address
    }
}
