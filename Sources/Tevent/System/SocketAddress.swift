import Glibc

/// The address of an Internet socket: an IPv4 or IPv6 address, and a port.
///
/// The corresponding C types are `struct sockaddr_in` and `struct sockaddr_in6`.
public struct SocketAddress: Sendable, Equatable, CustomStringConvertible {
    /// An IPv6 address, or an IPv4 address in its first bytes; both begin with the family and the port.
    private var storage = sockaddr_in6()
    private var length: socklen_t

    /// This machine, reachable only from itself: 127.0.0.1.
    ///
    /// - Parameter port: From 1 to 65535, or 0 to listen on a port that the system chooses.
    public static func loopback(port: UInt16) -> SocketAddress { SocketAddress(ipv4: INADDR_LOOPBACK, port: port) }

    /// All addresses of this machine, reachable from the whole network: 0.0.0.0.
    ///
    /// - Parameter port: From 1 to 65535, or 0 to listen on a port that the system chooses.
    public static func everywhere(port: UInt16) -> SocketAddress { SocketAddress(ipv4: INADDR_ANY, port: port) }

    /// Finds the addresses of a host; try the first one first.
    ///
    /// Numeric addresses, such as "127.0.0.1" and "::1", are found immediately. A name, such as "localhost", may have
    /// several addresses. Looking it up may ask the network, and blocks the loop until there is an answer.
    ///
    /// - Parameters:
    ///   - host: A name or a number.
    ///   - port: From 1 to 65535, or 0 to listen on a port that the system chooses.
    /// - Returns: At least one address.
    /// - Throws: ``TeventError/unknownHost(name:reason:)``, or ``TeventError/systemCall(name:code:)`` when descriptors are
    ///   exhausted.
    ///
    /// The corresponding C function is `getaddrinfo()`.
    public static func resolve(host: String, port: UInt16) throws(TeventError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, nil, &hints, &found)
        guard result != EAI_SYSTEM else { throw .failed("getaddrinfo") }
        guard result == 0 else { throw .unknownHost(name: host, reason: String(cString: gai_strerror(result))) }
        defer { freeaddrinfo(found) }
        let addresses = sequence(first: found) { $0?.pointee.ai_next }.compactMap { entry -> SocketAddress? in
            guard let info = entry?.pointee, var address = SocketAddress(info.ai_addr, info.ai_addrlen) else {
                return nil
            }
            address.storage.sin6_port = port.bigEndian
            return address
        }
        guard !addresses.isEmpty else { throw .unknownHost(name: host, reason: "it has no IPv4 or IPv6 address") }
        return addresses
    }

    /// The port number, which distinguishes the services of a host.
    public var port: UInt16 { UInt16(bigEndian: storage.sin6_port) }

    /// The host's numeric address, such as "127.0.0.1" or "::1".
    public var host: String {
        withSystemAddress { address, length in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { name in
                getnameinfo(address, length, name.baseAddress, socklen_t(name.count), nil, 0, NI_NUMERICHOST)
                return String(cString: name.baseAddress!)
            }
        }
    }

    /// Host and port, such as "127.0.0.1:7000" or "[::1]:7000".
    public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether two addresses are the same host and port.
    public static func == (one: SocketAddress, other: SocketAddress) -> Bool {
        withUnsafeBytes(of: one.storage) { one in
            withUnsafeBytes(of: other.storage) { other in one.elementsEqual(other) }
        }
    }
}

// The form that the system calls take.
extension SocketAddress {
    private var isIPv6: Bool { storage.sin6_family == sa_family_t(AF_INET6) }

    /// The address family, for `socket()`.
    var family: Int32 { Int32(storage.sin6_family) }

    private init(ipv4 host: in_addr_t, port: UInt16) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = host.bigEndian
        address.sin_port = port.bigEndian
        length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutableBytes(of: &storage) { copy in
            withUnsafeBytes(of: address) { copy.copyMemory(from: $0) }
        }
    }

    /// The address at `pointer`, or nil if it is not an Internet address.
    private init?(_ pointer: UnsafePointer<sockaddr>, _ length: socklen_t) {
        guard [AF_INET, AF_INET6].contains(Int32(pointer.pointee.sa_family)) else { return nil }
        self.length = length
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: min(Int(length), $0.count)))
        }
    }

    /// The address that a system call fills in, or nil if it is not an Internet address.
    ///
    /// `result` is what the call returns.
    static func filled(
        by call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> (result: Int32, address: SocketAddress?) {
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        return withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let result = call(address, &length)
                return (result, result < 0 ? nil : SocketAddress(address, length))
            }
        }
    }

    func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
