import CTestSupport
import Glibc
import TestSupport
import Tevent
import XCTest

final class SocketTests: EngineTestCase {
    // MARK: Addresses

    func testNumericHostsAreResolvedToThemselves() throws {
        let four = try SocketAddress.resolve(host: "127.0.0.1", port: 7000)
        XCTAssertEqual(four, [.loopback(port: 7000)])
        XCTAssertEqual(four[0].description, "127.0.0.1:7000")
        XCTAssertEqual(four[0].host, "127.0.0.1")
        XCTAssertEqual(four[0].port, 7000)
        let six = try SocketAddress.resolve(host: "::1", port: 65535)
        XCTAssertEqual(six.map(\.description), ["[::1]:65535"])
        XCTAssertEqual(SocketAddress.everywhere(port: 0).description, "0.0.0.0:0")
    }

    func testAddressesAreEqualWhenHostAndPortAre() throws {
        XCTAssertNotEqual(SocketAddress.loopback(port: 1), .loopback(port: 2))
        XCTAssertNotEqual(SocketAddress.loopback(port: 1), .everywhere(port: 1))
        let sixes = try ["::1", "0:0:0:0:0:0:0:1", "::2", "::"].map { try SocketAddress.resolve(host: $0, port: 0)[0] }
        XCTAssertEqual(sixes[0], sixes[1])
        XCTAssertNotEqual(sixes[0], sixes[2])
        XCTAssertNotEqual(sixes[3], .everywhere(port: 0))
    }

    func testANameIsResolvedToItsNumbers() throws {
        let addresses = try SocketAddress.resolve(host: "localhost", port: 80)
        XCTAssertTrue(addresses.map(\.description).contains("127.0.0.1:80"), "\(addresses)")
    }

    func testAnUnknownHostIsNamedInTheError() {
        // A label of more than 63 letters is refused without asking the network.
        let name = String(repeating: "x", count: 64)
        guard case .unknownHost(let named, let reason) = failure(of: { try SocketAddress.resolve(host: name, port: 1) })
        else { return XCTFail("the name was resolved") }
        XCTAssertEqual(named, name)
        XCTAssertFalse(reason.isEmpty)
        XCTAssertEqual(
            TeventError.unknownHost(name: "nowhere", reason: "Name or service not known").description,
            "host 'nowhere' was not found: Name or service not known; "
                + "check its spelling, or give its number, such as 127.0.0.1")
    }

    // MARK: Connections

    func testAPortThatIsNotSharedIsTaken() throws {
        try onEachBackend { _ in
            for (first, second) in [(false, false), (true, false), (false, true)] {
                let listener = opened(try SystemIO.listen(boundTo: .loopback(port: 0), sharesPort: first))
                let address = try SystemIO.localAddress(of: listener)
                assertThrows(
                    .systemCall(name: "bind", code: EADDRINUSE),
                    try SystemIO.listen(boundTo: address, sharesPort: second))
            }
        }
    }

    func testConnectionsToASharedPortAreSpreadOverItsListeners() throws {
        try onEachBackend { _ in
            let first = opened(try SystemIO.listen(boundTo: .loopback(port: 0), sharesPort: true))
            let address = try SystemIO.localAddress(of: first)
            let second = opened(try SystemIO.listen(boundTo: address, sharesPort: true))
            // The system picks either at random; picking the same one 64 times is practically impossible.
            for _ in 0..<64 { _ = try connect(address) }
            let counts = try [first, second].map { listener in
                var count = 0
                while case .connection(let descriptor, _) = try SystemIO.accept(listener) {
                    _ = opened(descriptor)
                    count += 1
                }
                return count
            }
            XCTAssertEqual(counts.reduce(0, +), 64)
            XCTAssertEqual(counts.filter { $0 == 0 }, [], "one listener got all")
        }
    }

    func testBytesPassBetweenBothSidesOfAConnection() throws {
        try onEachBackend { _ in
            let (listener, address) = try listener()
            let client = try connect(address)
            let server = try accept(listener)
            write(client, "to the server")
            write(server.descriptor, "to the client")
            try wait(for: server.descriptor, .read)
            try wait(for: client, .read)
            XCTAssertEqual(try read(server.descriptor), "to the server")
            XCTAssertEqual(try read(client), "to the client")
        }
    }

    func testBothSidesKnowEachOthersAddress() throws {
        try onEachBackend { _ in
            let (listener, address) = try listener()
            XCTAssertNotEqual(address.port, 0, "the system chose a port")
            XCTAssertEqual(address.host, "127.0.0.1")
            let client = try connect(address)
            let server = try accept(listener)
            XCTAssertEqual(server.peer, try SystemIO.localAddress(of: client))
            XCTAssertEqual(try SystemIO.peerAddress(of: server.descriptor), server.peer)
            XCTAssertEqual(try SystemIO.peerAddress(of: client), address)
        }
    }

    func testConnectionsWorkOverIPv6WhereTheMachineHasItAndAreRefusedWhereNot() throws {
        let loopback = try SocketAddress.resolve(host: "::1", port: 0)[0]
        let interfaces = (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? ""
        guard interfaces.contains("00000000000000000000000000000001") else {
            return XCTAssertThrowsError(try SystemIO.listen(boundTo: loopback)) {
                let refusals: [TeventError] = [
                    .systemCall(name: "bind", code: EADDRNOTAVAIL), .systemCall(name: "socket", code: EAFNOSUPPORT),
                ]
                XCTAssert(($0 as? TeventError).map(refusals.contains) ?? false, "\($0)")
            }
        }
        try onEachBackend { _ in
            let (listener, address) = try listener(loopback)
            let client = try connect(address)
            let server = try accept(listener)
            XCTAssertEqual(server.peer, try SystemIO.localAddress(of: client))
            XCTAssertEqual(server.peer.host, "::1")
        }
    }

    func testAcceptingWithoutAClientWouldBlock() throws {
        try onEachBackend { _ in XCTAssertEqual(try SystemIO.accept(try listener().0), .wouldBlock) }
    }

    func testEverySocketDoesNotBlockAndIsNotInherited() throws {
        try onEachBackend { _ in
            let (listener, address) = try listener()
            let client = try connect(address)
            for socket in [listener, client, try accept(listener).descriptor] {
                XCTAssertNotEqual(fcntl(socket, F_GETFL) & O_NONBLOCK, 0)
                XCTAssertNotEqual(fcntl(socket, F_GETFD) & FD_CLOEXEC, 0)
            }
        }
    }

    func testEndingWhatIsWrittenLeavesReadingAlone() throws {
        try onEachBackend { _ in
            let (listener, address) = try listener()
            let client = try connect(address)
            let server = try accept(listener).descriptor
            write(client, "question")
            try SystemIO.shutdownWriting(client)
            try wait(for: server, .read)
            XCTAssertEqual(try read(server), "question")
            try wait(for: server, .read)
            XCTAssertEqual(try read(server), "end of file")
            write(server, "answer")
            try wait(for: client, .read)
            XCTAssertEqual(try read(client), "answer")
            assertThrows(.systemCall(name: "write", code: EPIPE), try SystemIO.write(client, [1]))
        }
    }

    func testNoDelayIsSet() throws {
        try onEachBackend { _ in
            let client = try connect(try listener().1)
            XCTAssertEqual(try noDelay(client), 0)
            try SystemIO.setNoDelay(client)
            XCTAssertNotEqual(try noDelay(client), 0)
        }
    }

    private func noDelay(_ descriptor: Int32) throws -> Int32 {
        var value: Int32 = -1
        var size = socklen_t(MemoryLayout<Int32>.size)
        XCTAssertEqual(getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &size), 0)
        return value
    }

    func testAConnectionThatIsStillBeingMadeCanBeAskedAgainAndAgain() throws {
        try onEachBackend { _ in
            let silent = try silentAddress()
            let (descriptor, isConnected) = try SystemIO.connect(to: silent)
            _ = opened(descriptor)
            XCTAssertFalse(isConnected)
            for _ in 0..<2 { XCTAssertFalse(try SystemIO.connect(descriptor, to: silent)) }
        }
    }

    func testAConnectionThatStandsCanBeAskedAgainAndAgain() throws {
        try onEachBackend { _ in
            let address = try listener().1
            let client = try connect(address)
            for _ in 0..<2 { XCTAssertTrue(try SystemIO.connect(client, to: address)) }
        }
    }

    // MARK: What can go wrong

    func testAPortInUseIsRefusedAndTheErrorSaysWhatToDo() throws {
        try onEachBackend { _ in
            let (_, address) = try listener()
            let before = openDescriptors()
            let inUse = TeventError.systemCall(name: "listen", code: EADDRINUSE)
            let refusal = failure { try SystemIO.listen(boundTo: address) }
            XCTAssertTrue([inUse, .systemCall(name: "bind", code: EADDRINUSE)].contains(refusal), "\(refusal as Any)")
            XCTAssertEqual(openDescriptors(), before)
            XCTAssertEqual(
                inUse.description,
                "listen failed: Address already in use; choose another port, or port 0 to let the system choose")
        }
    }

    func testAPortIsFreeAgainOnceItsConnectionsAreClosed() throws {
        try onEachBackend { _ in
            let (listener, address) = try listener()
            let client = try connect(address)
            // The side that closes first keeps the port for a minute, unless it asks to reuse it.
            close(try accept(listener).descriptor)
            try wait(for: client, .read)
            close(client)
            close(listener)
            XCTAssertNoThrow(try self.listener(address))
        }
    }

    func testAnAddressOfAnotherMachineCannotBeListenedOn() throws {
        try onEachBackend { _ in
            let elsewhere = try SocketAddress.resolve(host: "192.0.2.1", port: 0)[0]
            assertThrows(.systemCall(name: "bind", code: EADDRNOTAVAIL), try SystemIO.listen(boundTo: elsewhere))
        }
    }

    func testAPortWithoutAListenerRefusesAndTheErrorSaysWhatToDo() throws {
        try onEachBackend { _ in
            let address = try deserted()
            let refused = TeventError.systemCall(name: "connect", code: ECONNREFUSED)
            assertThrows(refused, try connect(address))
            XCTAssertEqual(
                refused.description,
                "connect failed: Connection refused; no server listens there, start it or check host and port")
        }
    }

    func testAPortThatNeedsPrivilegesIsExplained() {
        XCTAssertEqual(
            TeventError.systemCall(name: "bind", code: EACCES).description,
            "bind failed: Permission denied; ports under 1024 need privileges, choose a higher one")
        XCTAssertEqual(
            TeventError.systemCall(name: "read", code: EACCES).description, "read failed: Permission denied")
    }

    func testADescriptorLimitRefusesEverySocketAndLeavesTheConnectionWaiting() throws {
        try onEachBackend { _ in
            let (listener, address) = try listener()
            let client = try connect(address)
            try wait(for: listener, .read)
            let limit = test_limit_descriptors(3)
            let refusals = [
                failure { try SystemIO.accept(listener) }, failure { try SystemIO.listen(boundTo: address) },
                failure { try SystemIO.connect(to: address) },
            ]
            test_limit_descriptors(limit)
            XCTAssertEqual(
                refusals, ["accept", "socket", "socket"].map { .systemCall(name: $0, code: EMFILE) })
            XCTAssertEqual(try accept(listener).peer, try SystemIO.localAddress(of: client))
        }
    }

    func testADescriptorThatIsNotAConnectedSocketIsReported() throws {
        try onEachBackend { _ in
            let (listener, _) = try listener()
            let reader = try pipe().reader
            assertThrows(.systemCall(name: "accept", code: ENOTSOCK), try SystemIO.accept(reader))
            assertThrows(.systemCall(name: "setsockopt", code: ENOTSOCK), try SystemIO.setNoDelay(reader))
            assertThrows(.systemCall(name: "getsockname", code: ENOTSOCK), try SystemIO.localAddress(of: reader))
            assertThrows(.systemCall(name: "getpeername", code: ENOTCONN), try SystemIO.peerAddress(of: listener))
            let neverConnected = opened(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
            assertThrows(.systemCall(name: "shutdown", code: ENOTCONN), try SystemIO.shutdownWriting(neverConnected))
            let unix = try sockets().0
            assertThrows(.systemCall(name: "getsockname", code: EAFNOSUPPORT), try SystemIO.localAddress(of: unix))
        }
    }

    func testAConnectionOfAnotherFamilyIsClosedAgain() throws {
        try onEachBackend { _ in
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            let listener = opened(socket(AF_UNIX, type, 0))
            // Bound with only its family, a socket gets a name from the system.
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var size = socklen_t(MemoryLayout<sa_family_t>.size)
            let client = opened(socket(AF_UNIX, type, 0))
            withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    XCTAssertEqual(bind(listener, $0, size), 0)
                    XCTAssertEqual(listen(listener, 1), 0)
                    size = socklen_t(MemoryLayout<sockaddr_un>.size)
                    XCTAssertEqual(getsockname(listener, $0, &size), 0)
                    XCTAssertEqual(Glibc.connect(client, $0, size), 0)
                }
            }
            let before = openDescriptors()
            assertThrows(.systemCall(name: "accept", code: EAFNOSUPPORT), try SystemIO.accept(listener))
            XCTAssertEqual(openDescriptors(), before)
        }
    }

    func testAConnectionThatIsResetBeforeItIsAcceptedDoesNoHarm() throws {
        try onEachBackend { _ in
            let (listener, address) = try listener()
            let gone = try connect(address)
            try wait(for: listener, .read)
            reset(gone)
            // Linux returns the dead connection; other systems drop it. The next one is served in either case.
            if case .connection(let dead, _) = try SystemIO.accept(listener) { _ = opened(dead) }
            XCTAssertEqual(try SystemIO.accept(listener), .wouldBlock)
            let client = try connect(address)
            XCTAssertEqual(try accept(listener).peer, try SystemIO.localAddress(of: client))
        }
    }
}
