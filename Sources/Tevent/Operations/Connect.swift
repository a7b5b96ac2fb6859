import Talloc

/// Connects to a server as a request; this is its state.
///
/// ```swift
/// let server = try SocketAddress.resolve(host: "localhost", port: 7000)
/// let request = try Connect.send(to: server, on: events, under: memory)
/// try request.setEndTime(after: .seconds(5), on: events)
/// request.setCallback { request in
///     do {
///         let descriptor = try request.receive()
///         print("connected")
///         SystemIO.close(descriptor)
///     } catch { print(error) }
///     request.free()
/// }
/// ```
///
/// The corresponding C functions, `async_connect_send()` and `async_connect_recv()`, belong to a library that Samba has
/// beside tevent.
public struct Connect {
    /// The address that is being tried, followed by those to try if it fails.
    private var addresses: ArraySlice<SocketAddress>
    private let events: EventContext
    /// Belongs to the request until the caller receives it.
    fileprivate var descriptor: OwnedDescriptor?

    /// Begins to connect to one address.
    ///
    /// Without an end time the kernel gives up after some minutes; see ``RequestProtocol/setEndTime(after:on:)``.
    ///
    /// - Parameters:
    ///   - address: The address of the server.
    ///   - events: The context whose loop waits.
    ///   - parent: The owner of the request: freeing it frees the request.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request that can be cancelled, which closes the socket.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing was made then.
    ///
    /// The corresponding C function is `async_connect_send()`.
    public static func send(
        to address: SocketAddress, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<Connect> {
        try send(to: [address], on: events, under: parent, file: file, line: line)
    }

    /// Begins to connect to a host with several addresses, one after another, until one answers.
    ///
    /// If none answers, the request fails with the error of the last address. An end time covers all of them together.
    ///
    /// - Parameters:
    ///   - addresses: The addresses in the order to try them, as ``SocketAddress/resolve(host:port:)`` returns them. An
    ///     empty array is a trap.
    ///   - events: The context whose loop waits.
    ///   - parent: The owner of the request: freeing it frees the request.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request that can be cancelled, which closes the socket.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing was made then.
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
        return request.postIfEnded(on: events)
    }

    private init(addresses: ArraySlice<SocketAddress>, events: EventContext) {
        self.addresses = addresses
        self.events = events
    }

    /// Tries one address after another until one does not fail immediately.
    private static func begin(_ request: Request<Connect>) {
        while fails(request, { () throws(TeventError) in try start(request) }) {}
    }

    private static func writable(_ event: FDEvent, _: FDEvent.Flags) {
        let request = Request<Connect>(waitingWith: event)
        let work = request.state
        let hasFailed = fails(request) { () throws(TeventError) in
            // The event's socket: the state may be that of another request, and the loop would come here again and again.
            guard work.descriptor != nil else { request.lacksItsWork() }
            return try SystemIO.connect(event.descriptor, to: work.address(of: request))
        }
        if hasFailed { begin(request) }
    }

    /// Begins to connect to the first address, and waits unless it is connected immediately.
    ///
    /// - Returns: Whether it is connected already.
    private static func start(_ request: Request<Connect>) throws(TeventError) -> Bool {
        let work = request.state
        let (descriptor, isConnected) = try SystemIO.connect(to: work.address(of: request))
        request.state.descriptor = OwnedDescriptor(descriptor)
        if !isConnected { try request.wait(for: .write, of: descriptor, on: work.events, writable) }
        return isConnected
    }

    /// Ends the request if it is connected, or if its last address has failed.
    ///
    /// - Returns: Whether to try the next address.
    private static func fails(_ request: Request<Connect>, _ isConnected: () throws(TeventError) -> Bool) -> Bool {
        do throws(TeventError) {
            if try isConnected() { request.finish() }
            return false
        } catch {
            request.stopWaiting()
            // A trace that is notified of the event's end may have freed the request or the context, or ended the
            // request.
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
    /// Takes the connected socket: from now on the descriptor is the caller's to close.
    ///
    /// The descriptor does not block. If you free the request without receiving the connection, the request closes it.
    ///
    /// - Returns: The descriptor of the connection.
    /// - Throws: ``TeventError/systemCall(name:code:)``, with `ECONNREFUSED` when no server listens at the address.
    ///   Otherwise the error that ended the request, such as ``RequestError/timedOut``.
    ///
    /// The corresponding C function is `async_connect_recv()`.
    public func receive() throws -> Int32 {
        try receive { work in
            guard let descriptor = work.descriptor?.take() else { lacksItsWork() }
            return descriptor
        }
    }
}

extension Connect: ReceivableState {
    /// Takes the result, as the request's own `receive()` does.
    @inlinable
    public static func receive(_ request: Request<Connect>) throws -> Int32 { try request.receive() }
}
