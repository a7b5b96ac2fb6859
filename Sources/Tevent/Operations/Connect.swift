import Talloc

/// Connecting to a server, as a request; its state.
public struct Connect {
    /// The address that is tried, and behind it those that are tried if it fails.
    private var addresses: ArraySlice<SocketAddress>
    private let events: EventContext
    /// The request's own, until it is taken by whoever receives it.
    fileprivate var descriptor: OwnedDescriptor?

    /// Begins to connect to an address.
    ///
    /// - Parameters:
    ///   - address: Where a server listens.
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
        // Close a connection that can no longer be received at once, not when the request is freed.
        request.setCleanup { request, status in if status != .done { request.state.descriptor = nil } }
        begin(request)
        return request.returned(on: events)
    }

    private init(addresses: ArraySlice<SocketAddress>, events: EventContext) {
        self.addresses = addresses
        self.events = events
    }

    /// Goes from address to address until one does not fail at once.
    private static func begin(_ request: Request<Connect>) {
        while fails(request, { () throws(TeventError) in try start(request) }) {}
    }

    private static func writable(_ event: FDEvent, _: FDEvent.Flags) {
        let request = Request<Connect>(waitingWith: event)
        let work = request.state
        let hasFailed = fails(request) { () throws(TeventError) in
            guard let descriptor = work.descriptor?.descriptor else { request.lacksItsWork() }
            return try SystemIO.connect(descriptor, to: work.address(of: request))
        }
        if hasFailed { begin(request) }
    }

    /// Returns whether it is connected already; else it waits.
    private static func start(_ request: Request<Connect>) throws(TeventError) -> Bool {
        let work = request.state
        let (descriptor, isConnected) = try SystemIO.connect(to: work.address(of: request))
        request.state.descriptor = OwnedDescriptor(descriptor)
        if !isConnected { try request.wait(for: .write, of: descriptor, on: work.events, writable) }
        return isConnected
    }

    /// Ends the request if it is connected by now, or has failed with the last address.
    ///
    /// - Returns: Whether the next address is to be tried.
    private static func fails(_ request: Request<Connect>, _ isConnected: () throws(TeventError) -> Bool) -> Bool {
        do throws(TeventError) {
            if try isConnected() { request.finish() }
            return false
        } catch {
            request.stopWaiting()
            // A trace that is told about the event's end may have freed the request or the context, or ended the request.
            guard !request.isFreed, request.isInProgress else { return false }
            request.state.descriptor = nil
            request.state.addresses = request.state.addresses.dropFirst()
            guard request.state.addresses.isEmpty else { return !request.state.events.isFreed }
            request.fail(error)
            return false
        }
    }

    private func address(of request: Request<Connect>) -> SocketAddress {
        guard let address = addresses.first else { request.lacksItsWork() }
        return address
    }
}

extension Request<Connect> {
    /// Takes the descriptor of the connection, which is the caller's from then on.
    ///
    /// A connection that is not taken is closed when the request is freed.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` with `ECONNREFUSED` when no server listens there, and else what the
    ///   request was ended with, such as ``RequestError/timedOut``.
    ///
    /// The corresponding C function is `async_connect_recv()`.
    public func receive() throws -> Int32 {
        try receive { work in
            guard let descriptor = work.descriptor?.take() else { lacksItsWork() }
            return descriptor
        }
    }
}
