import Talloc
import Tevent

/// The state of an echo server: a request that ends when it is stopped.
///
/// Each client is an ``Echo`` below it. When descriptors or memory have run out, the server keeps serving its clients,
/// and accepts again as soon as one of them has left, or after a delay.
public struct EchoServer {
    /// Statistics about the clients.
    public struct Tally: Equatable, Sendable {
        /// How many have been accepted.
        public fileprivate(set) var accepted = 0
        /// How many of them have left.
        public fileprivate(set) var gone = 0
        /// How many of those that have left lost their connection.
        public fileprivate(set) var lost = 0
        /// How many bytes were sent back to the clients that have left, including those cut off when the server ended.
        public fileprivate(set) var echoed = 0
        /// How many are currently served.
        public var present: Int { accepted - gone }
    }

    /// What a server reports while it serves.
    public enum News: CustomStringConvertible {
        /// A client has been accepted.
        case joined(SocketAddress)
        /// A client has left, and nothing of it remains; the error says why if its connection broke.
        case left(SocketAddress, echoed: Int, (any Error)?)
        /// No client can be accepted for a while.
        case full(any Error)

        /// The news as a line of text.
        public var description: String {
            switch self {
            case .joined(let peer): "\(peer) has come"
            case .left(let peer, let echoed, nil): "\(peer) has gone, \(counted(echoed, "byte")) echoed"
            case .left(let peer, let echoed, let error?): "\(peer) is lost, \(counted(echoed, "byte")) echoed: \(error)"
            case .full(let error): "no client can be accepted for a while: \(error)"
            }
        }
    }

    /// Receives the news; it may stop or free the server.
    public typealias Listener = (_ server: Request<EchoServer>, _ news: News) -> Void

    private let socket: Int32
    private let events: EventContext
    fileprivate let address: SocketAddress
    fileprivate var tally = Tally()
    /// Waits to accept again while the server is full.
    private var pause: Request<Wakeup>?
    private let clients: Int?
    private let retryDelay: Duration
    private let listener: Listener?

    /// Starts listening, and serves every client that connects.
    ///
    /// - Parameters:
    ///   - address: Where to listen; with port 0 the system chooses a port.
    ///   - sharesPort: Whether servers of other threads may listen on the same port; each gets a share of the clients.
    ///   - clients: How many clients to serve before the request is done; nil means until it is stopped.
    ///   - retryDelay: How long a full server waits before it tries to accept again.
    ///   - events: The context whose loop serves the clients.
    ///   - parent: The request's parent.
    ///   - listener: Receives the news. The request owns it.
    /// - Throws: `TeventError.systemCall`, with `EADDRINUSE` when the port is taken; or `TeventError.outOfMemory`. Then
    ///   nothing is left behind.
    public static func send(
        at address: SocketAddress, sharesPort: Bool = false, clients: Int? = nil, retryDelay: Duration = .seconds(1),
        on events: EventContext, under parent: some TallocObject, _ listener: Listener? = nil
    ) throws(TeventError) -> Request<EchoServer> {
        let socket = try SystemIO.listen(boundTo: address, backlog: 1024, sharesPort: sharesPort)
        var request: Request<EchoServer>?
        do throws(TeventError) {
            let state = EchoServer(
                socket: socket, events: events, address: try SystemIO.localAddress(of: socket), clients: clients,
                retryDelay: retryDelay, listener: listener)
            let server = try Request(state, under: parent)
            request = server
            let holder = try events.hold(socket, under: server)
            try accept(server)
            holder.setAutoClose()
            server.setCleanup(cutOff)
            return server
        } catch {
            request?.free()
            SystemIO.close(socket)
            throw error
        }
    }

    private init(
        socket: Int32, events: EventContext, address: SocketAddress, clients: Int?, retryDelay: Duration,
        listener: Listener?
    ) {
        self.socket = socket
        self.events = events
        self.address = address
        self.clients = clients
        self.retryDelay = retryDelay
        self.listener = listener
    }

    // MARK: Clients

    // snippet: accept
    /// Waits for the next client, unless all have come.
    private static func accept(_ server: Request<EchoServer>) throws(TeventError) {
        let state = server.state
        if let clients = state.clients, state.tally.accepted >= clients { return }
        let accept = try Accept.send(from: state.socket, on: state.events, under: server)
        accept.setCallback(for: server, acceptDone)
    }

    private static func acceptDone(_ accept: Request<Accept>, of server: Request<EchoServer>) {
        let connection = Result { try accept.receive() }
        accept.free()
        do {
            let (socket, peer) = try connection.get()
            try serve(socket, peer, of: server)
            if server.isServing { try self.accept(server) }
        } catch let error as TeventError where error.isExhaustion {
            waitForRoom(server, error)
        } catch {
            server.fail(error)
        }
    }

    private static func serve(
        _ socket: Int32, _ peer: SocketAddress, of server: Request<EchoServer>
    ) throws(TeventError) {
        // An answer must not wait for the next one. If the socket refuses, it is broken, and the client's request will
        // notice.
        try? SystemIO.setNoDelay(socket)
        let client: Request<Echo>
        do throws(TeventError) {
            client = try Echo.send(on: socket, on: server.state.events, under: server)
        } catch {
            SystemIO.close(socket)
            throw error
        }
        client.setCallback { echoDone($0, of: server, peer) }
        server.state.tally.accepted += 1
        server.tell(.joined(peer))
    }
    // snippet-end: accept

    // snippet: gone
    private static func echoDone(_ client: Request<Echo>, of server: Request<EchoServer>, _ peer: SocketAddress) {
        let echoed = client.echoed
        let result = Result { try client.receive() }
        client.free()
        server.state.tally.note(echoed: echoed, result)
        server.tell(.left(peer, echoed: echoed, result.failure))
        guard server.isServing else { return }
        if server.state.tally.gone == server.state.clients { return server.finish() }
        acceptAgain(server)
    }
    // snippet-end: gone

    // snippet: cut-off
    /// Closes the remaining connections when the server has ended or is freed.
    private static func cutOff(_ server: Request<EchoServer>, _: RequestStatus) {
        for client in server.children.compactMap({ AnyRequest($0)?.request(of: Echo.self) }) {
            server.state.tally.echoed += client.echoed
        }
        server.freeChildren()
    }
    // snippet-end: cut-off

    // MARK: No room

    // snippet: full
    /// Stops accepting for a while: waiting clients would keep the listening socket readable, and the loop busy.
    private static func waitForRoom(_ server: Request<EchoServer>, _ error: TeventError) {
        let state = server.state
        let pause = server.attempt { try Wakeup.send(after: state.retryDelay, on: state.events, under: server) }
        guard let pause else { return }
        pause.setCallback { _ in acceptAgain(server) }
        server.state.pause = pause
        server.tell(.full(error))
    }

    /// Accepts again if the server was full: a client has left, or the pause is over.
    private static func acceptAgain(_ server: Request<EchoServer>) {
        guard let pause = server.state.pause.take() else { return }
        pause.free()
        do throws(TeventError) { try accept(server) } catch { waitForRoom(server, error) }
    }
    // snippet-end: full
}

extension EchoServer.Tally {
    fileprivate mutating func note(echoed: Int, _ result: Result<Int, any Error>) {
        gone += 1
        if result.failure != nil { lost += 1 }
        self.echoed += echoed
    }
}

extension Request<EchoServer> {
    /// Where the server listens, with the port that the system chose.
    public var address: SocketAddress { state.address }

    /// The statistics about the clients so far.
    public var tally: EchoServer.Tally { state.tally }

    /// Stops serving: closes the clients' connections and the listening socket, and finishes the request.
    ///
    /// Does nothing if the server has ended.
    public func stop() { if isServing { finish() } }

    /// Returns the statistics about the clients.
    ///
    /// - Throws: The error that kept the server from continuing.
    public func receive() throws -> EchoServer.Tally { try receive { $0.tally } }

    /// Whether the server exists and has not ended; a listener may have changed that.
    fileprivate var isServing: Bool { !isFreed && isInProgress }

    fileprivate func tell(_ news: EchoServer.News) { state.tell(self, news) }
}

extension EchoServer {
    fileprivate func tell(_ server: Request<EchoServer>, _ news: News) { listener?(server, news) }
}

extension Result {
    fileprivate var failure: Failure? {
        guard case .failure(let failure) = self else { return nil }
        return failure
    }
}
