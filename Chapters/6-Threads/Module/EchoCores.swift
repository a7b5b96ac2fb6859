import Chapter4Requests
import Talloc
import Tevent
import TeventExtras

// snippet: state
/// The state of an echo server on several threads: a request that ends when it is stopped.
///
/// Each thread has its own server, its own loop, and its own listening socket on the same port; the system spreads the
/// clients over the sockets. The threads share nothing, not even a count.
public struct EchoCores {
    fileprivate typealias Core = Worker<Request<EchoServer>>

    /// Where the servers listen.
    public let address: SocketAddress
    private let cores: [Core]
    /// The statistics of each thread, once it has ended.
    private var tallies: [EchoServer.Tally?]
    private var failure: (any Error)?
    // snippet-end: state

    /// Starts the threads, whose servers start listening.
    ///
    /// - Parameters:
    ///   - address: Where to listen; with port 0 the system chooses a port, the same for all.
    ///   - threads: How many threads to start, at least one.
    ///   - backend: The backend of their loops.
    ///   - events: The context whose loop ends the request; it serves no clients itself.
    ///   - parent: The request's parent. Freeing the request also stops the threads.
    /// - Throws: `TeventError.systemCall`, with `EADDRINUSE` when the port is taken; or `TeventError.outOfMemory`. Then
    ///   nothing is left behind.
    public static func send(
        at address: SocketAddress, threads: Int, backend: String = EventContext.defaultBackend,
        on events: EventContext, under parent: some TallocObject
    ) throws -> Request<EchoCores> {
        // Sockets that share a port would also share it with another server that allows it, so check that it is free.
        if address.port != 0 { SystemIO.close(try SystemIO.listen(boundTo: address)) }
        var cores = [try startCore(1, at: address, backend)]
        let chosen = try cores[0].askAndWait { _, server in server.value.address }
        do {
            for number in 2..<(threads + 1) { cores.append(try startCore(number, at: chosen, backend)) }
            let state = EchoCores(address: chosen, cores: cores, tallies: cores.map { _ in nil })
            let request = try Request(state, under: parent)
            do { try watch(request, on: events) } catch {
                request.free()
                throw error
            }
            return request
        } catch {
            end(cores)
            throw error
        }
    }

    // snippet: send
    private static func startCore(_ number: Int, at address: SocketAddress, _ backend: String) throws -> Core {
        try Core(named: "echo \(number)", backend: backend) { events in
            try EchoServer.send(at: address, sharesPort: true, on: events, under: events)
        }
    }

    /// Makes each thread report when its server has ended.
    private static func watch(_ request: Request<EchoCores>, on events: EventContext) throws {
        for (index, core) in request.state.cores.enumerated() {
            let ended: Request<Answer<EchoServer.Tally>> = try core.ask(on: events, under: request) {
                $1.value.tellEnd(to: $2)
            }
            ended.setCallback { coreDone($0, index, of: request) }
        }
    }
    // snippet-end: send

    // snippet: done
    private static func coreDone(
        _ ended: Request<Answer<EchoServer.Tally>>, _ index: Int, of request: Request<EchoCores>
    ) {
        do {
            request.state.tallies[index] = try ended.receive()
        } catch {
            // A server that cannot continue stops the others.
            request.state.failure = request.state.failure ?? request.state.reason(of: index, error)
            request.stop()
        }
        ended.free()
        guard request.children.allSatisfy({ AnyRequest($0) == nil }) else { return }
        end(request.state.cores)
        if let failure = request.state.failure { request.fail(failure) } else { request.finish() }
    }
    // snippet-end: done

    /// Why a thread has ended: a loop that could not continue leaves no answer, but a reason.
    private func reason(of index: Int, _ error: any Error) -> any Error {
        guard error is UnansweredError else { return error }
        do { try cores[index].join() } catch { return error }
        return error
    }

    private static func end(_ cores: [Core]) {
        for core in cores { core.stop() }
        for core in cores { try? core.join() }
    }

    fileprivate func stopServers() {
        for core in cores { try? core.schedule { _, server in server.value.stop() } }
    }

    fileprivate func take() -> [EchoServer.Tally] { tallies.compactMap(\.self) }
}

extension Request<EchoServer> {
    // snippet: tell-end
    /// Answers with the statistics once the server has ended.
    fileprivate func tellEnd(to reply: Reply<EchoServer.Tally>) {
        guard isInProgress else { return reply.send(Result { try receive() }) }
        setCallback { server in reply.send(Result { try server.receive() }) }
    }
    // snippet-end: tell-end
}

extension Request<EchoCores> {
    /// Where the servers listen, with the port that the system chose.
    public var address: SocketAddress { state.address }

    /// Stops all servers: closes their connections and sockets, and soon finishes the request.
    ///
    /// Does nothing if it has ended.
    public func stop() { if !isFreed, isInProgress { state.stopServers() } }

    /// Returns the statistics of each thread.
    ///
    /// - Throws: The error that kept a server from continuing.
    public func receive() throws -> [EchoServer.Tally] { try receive { $0.take() } }
}
