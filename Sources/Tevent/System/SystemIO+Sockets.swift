import CLinux
import Glibc

// Sockets of the Internet. None of them blocks, and none is passed on to programs started by this one.
extension SystemIO {
    /// What accepting a connection came to.
    public enum AcceptResult: Equatable, Sendable {
        /// A client has connected; the descriptor is the caller's.
        case connection(descriptor: Int32, peer: SocketAddress)
        /// No client waits to be accepted.
        case wouldBlock
    }

    /// Makes a socket that others can connect to.
    ///
    /// The port can be listened on again as soon as the descriptor is closed, connections of before or not.
    ///
    /// - Parameters:
    ///   - address: Where to listen. With port 0 the system chooses one, which ``localAddress(of:)`` tells.
    ///   - backlog: How many may have connected and wait to be accepted; the system may allow fewer.
    ///   - sharesPort: Whether others of the same user that say so too may listen on the port, each with a socket of its
    ///     own. The system then spreads the connections over the sockets, so that threads need not share one.
    /// - Returns: The descriptor, readable when a client has connected. It is the caller's.
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

    /// Accepts one of those who have connected; who has gone away meanwhile is passed over.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` when descriptors are exhausted. The connection waits on then, and
    ///   the listening socket stays readable.
    ///
    /// The corresponding C function is `accept4()`.
    public static func accept(_ listener: Int32) throws(TeventError) -> AcceptResult {
        // A connection that has been accepted cannot be put back: the number that it may need is reserved before.
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

    /// Makes a socket and begins to connect it.
    ///
    /// - Returns: The descriptor, which is the caller's, and whether it is connected already. If not, wait until it is
    ///   writable and then ask ``connect(_:to:)``.
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

    /// Begins to connect a socket, or looks how far that has come.
    ///
    /// Asking the socket for its error would not do: it has none while it still connects.
    ///
    /// - Returns: Whether the socket is connected.
    /// - Throws: ``TeventError/systemCall(name:code:)`` when it will not be, with `ECONNREFUSED` when no server listens
    ///   there.
    ///
    /// The corresponding C function is `connect()`.
    public static func connect(_ descriptor: Int32, to address: SocketAddress) throws(TeventError) -> Bool {
        let result = address.withSystemAddress { Glibc.connect(descriptor, $0, $1) }
        if result == 0 || errno == EISCONN { return true }
        // An interrupted connect goes on by itself.
        guard errno == EINPROGRESS || errno == EALREADY || errno == EINTR else { throw .failed("connect") }
        return false
    }

    /// Where a socket is, for instance the port that the system chose.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if it is not a socket of the Internet.
    ///
    /// The corresponding C function is `getsockname()`.
    public static func localAddress(of descriptor: Int32) throws(TeventError) -> SocketAddress {
        try address("getsockname") { getsockname(descriptor, $0, $1) }
    }

    /// Where the other side of a connected socket is.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if it is not a socket of the Internet, or not connected.
    ///
    /// The corresponding C function is `getpeername()`.
    public static func peerAddress(of descriptor: Int32) throws(TeventError) -> SocketAddress {
        try address("getpeername") { getpeername(descriptor, $0, $1) }
    }

    /// Ends what is written, so that the other side reads the end of the file, while reading goes on.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if it is not a connected socket.
    ///
    /// The corresponding C function is `shutdown()`.
    public static func shutdownWriting(_ descriptor: Int32) throws(TeventError) {
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { throw .failed("shutdown") }
    }

    /// Sends what is written at once, however little, instead of gathering it while an answer is awaited.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if it is not a socket of the Internet.
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
