import Talloc
import Tevent

/// The state of a load client: a request whose connections send messages to an echo server and check every byte.
public struct EchoLoad {
    private let events: EventContext
    private let patience: Duration
    private let began: EventInstant
    private var ended: EventInstant?
    /// How many connections have not ended.
    private var left: Int
    private var sums = LoadSummary()

    /// Starts connecting, and sends messages over each connection.
    ///
    /// - Parameters:
    ///   - addresses: The result of `SocketAddress.resolve(host:port:)`.
    ///   - plan: How many connections send how much.
    ///   - events: The context whose loop serves the connections.
    ///   - parent: The request's parent.
    /// - Returns: A request that is done when all connections have ended, successfully or not, or when it is stopped.
    /// - Throws: `TeventError.outOfMemory`; then nothing is left behind.
    public static func send(
        to addresses: [SocketAddress], following plan: LoadPlan, on events: EventContext,
        under parent: some TallocObject
    ) throws(TeventError) -> Request<EchoLoad> {
        let now = events.now
        let state = EchoLoad(events: events, patience: plan.patience, began: now, left: plan.connections)
        let request = try Request(state, under: parent)
        request.setCleanup { request, _ in
            request.state.end()
            request.freeChildren()
        }
        do throws(TeventError) {
            let pool = Messages.Pool(sizes: plan.sizes, seed: plan.seed)
            var seeds = SeededGenerator(seed: plan.seed)
            for _ in 0..<plan.connections {
                let connection = try LoadConnection.send(
                    Messages(from: pool, seed: seeds.next()), to: addresses, following: plan,
                    until: plan.duration.map { now.advanced(by: $0) }, on: events, under: request)
                connection.setCallback(for: request, connectionDone)
            }
        } catch {
            request.free()
            throw error
        }
        return request
    }

    private init(events: EventContext, patience: Duration, began: EventInstant, left: Int) {
        self.events = events
        self.patience = patience
        self.began = began
        self.left = left
    }

    /// Called when a connection has ended, or reports its progress.
    private static func connectionDone(_ connection: Request<LoadConnection>, of load: Request<EchoLoad>) {
        guard !connection.isInProgress else { return load.state.note(connection.state.progress) }
        let isTooLate = connection.status == .timedOut
        do { try connection.receive() } catch { load.state.note(error, isTooLate: isTooLate) }
        connection.free()
        load.state.left -= 1
        if load.state.left == 0 { load.finish() }
    }

    private mutating func note(_ progress: LoadConnection.Progress) {
        switch progress {
        case .connected:
            sums.connected += 1
        case .answered(let bytes, let took):
            sums.messages += 1
            sums.bytes += bytes
            sums.latencies.note(took)
        }
    }

    private mutating func note(_ error: any Error, isTooLate: Bool) {
        sums.failures["\(isTooLate ? LoadError.noAnswer(after: patience) : error)", default: 0] += 1
    }

    private mutating func end() { ended = ended ?? events.now }

    fileprivate var summary: LoadSummary {
        var summary = sums
        summary.elapsed = began.duration(to: ended ?? events.now)
        return summary
    }
}

extension Request<EchoLoad> {
    /// The measurements so far.
    public var summary: LoadSummary { state.summary }

    /// Ends the load now: closes the connections, and finishes the request.
    ///
    /// Does nothing if the load has ended.
    public func stop() { if isInProgress { finish() } }

    /// Returns the measurements.
    public func receive() throws -> LoadSummary { try receive { $0.summary } }
}
