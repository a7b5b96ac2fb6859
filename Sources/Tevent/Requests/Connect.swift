import Talloc

/// Connecting to a server, as a request; its state.
public struct Connect {
    /// The address that is tried, and behind it those that are tried if it fails.
    private var addresses: ArraySlice<SocketAddress>
    private let events: EventContext
    /// The request's own, until it is taken by whoever receives it.
    fileprivate var descriptor: Int32?
    /// What it waits with, a child of the request; it closes the descriptor with itself if connecting fails.
    fileprivate var event: FDEvent?

    /// Begins to connect to an address.
    ///
    /// - Parameters:
    ///   - address: Where somebody listens.
    ///   - events: Whose loop waits.
    ///   - parent: What the request is freed with.
    /// - Returns: A request that can be cancelled. Without an end time the system gives up after minutes.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing is left behind then.
    ///
    /// The corresponding C function is `async_connect_send()`, of a library that Samba has beside tevent.
    public static func send(
        to address: SocketAddress, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<Connect> {
        try send(to: [address], on: events, under: parent, file: file, line: line)
    }

    /// Begins to connect to a host with several addresses, which are tried one after the other until one answers.
    ///
    /// - Parameters:
    ///   - addresses: What ``SocketAddress/resolve(host:port:)`` found; one at least.
    ///   - events: Whose loop waits.
    ///   - parent: What the request is freed with.
    /// - Returns: A request that can be cancelled. It fails with the error of the last address.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing is left behind then.
    public static func send(
        to addresses: [SocketAddress], on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<Connect> {
        guard !addresses.isEmpty else { abort("Connect was given no address to connect to") }
        let request = try Request(
            Connect(addresses: addresses[...], events: events), under: parent, file: file, line: line)
        request.setCleanup(cleanUp)
        request.allowCancelling()
        begin(request)
        return request.isInProgress ? request : request.post(on: events)
    }

    private init(addresses: ArraySlice<SocketAddress>, events: EventContext) {
        self.addresses = addresses
        self.events = events
    }

    private static func begin(_ request: Request<Connect>) {
        let work = request.state
        step(request) { () throws(TeventError) in
            let (descriptor, isConnected) = try SystemIO.connect(to: work.addresses.first!)
            request.state.descriptor = descriptor
            if !isConnected {
                let record = request.record("Connect.send")
                let event = try work.events.addFD(descriptor, .write, for: record, isKnown: false) { _, _ in
                    writable(request)
                }
                // A trace may have freed the request, or ended it.
                if !request.isFreed, request.isInProgress { request.state.event = event }
            }
            return isConnected
        }
    }

    private static func writable(_ request: Request<Connect>) {
        let work = request.state
        step(request) { () throws(TeventError) in
            try SystemIO.connect(work.descriptor!, to: work.addresses.first!)
        }
    }

    /// Ends the request if it is connected by now, and goes on to the next address if this one fails.
    private static func step(_ request: Request<Connect>, _ isConnected: () throws(TeventError) -> Bool) {
        do throws(TeventError) {
            if try isConnected() { request.finish() }
        } catch {
            request.closeConnection()
            // A trace that is told about the event's end may have freed the request, or ended it.
            guard !request.isFreed, request.isInProgress else { return }
            request.state.addresses.removeFirst()
            if request.state.addresses.isEmpty { request.fail(error) } else { begin(request) }
        }
    }

    private static func cleanUp(_ request: Request<Connect>, _ status: RequestStatus) {
        guard status == .done else { return request.closeConnection() }
        request.state.event.take()?.freeIfThere()
    }
}

extension Request<Connect> {
    /// Closes the descriptor, if there is one, together with the event that waits for it.
    fileprivate func closeConnection() {
        guard let descriptor = state.descriptor.take() else { return }
        guard let event = state.event.take(), !event.isFreed else { return SystemIO.close(descriptor) }
        event.setAutoClose()
        event.free()
    }

    /// Takes the descriptor of the connection, which is the caller's from then on.
    ///
    /// A connection that is not taken is closed when the request is freed.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` with `ECONNREFUSED` when nobody listens there, and else what the
    ///   request was ended with, such as ``RequestError/timedOut``.
    ///
    /// The corresponding C function is `async_connect_recv()`.
    public func receive() throws -> Int32 { try receive { $0.descriptor.take()! } }
}
