import Talloc

/// Accepts one connection as a request; this is its state.
///
/// The request ends when a client has connected to the listening socket. To accept the next client, send again: clients
/// that connect meanwhile wait in the socket's backlog.
///
/// ```swift
/// let request = try Accept.send(from: listener, on: events, under: memory)
/// request.setCallback { request in
///     do {
///         let (descriptor, peer) = try request.receive()
///         print("\(peer) has connected")
///         SystemIO.close(descriptor)
///     } catch { print(error) }
///     request.free()
/// }
/// ```
///
/// The corresponding C functions, `accept_send()` and `accept_recv()`, belong to a library that Samba has beside
/// tevent.
public struct Accept {
    private let listener: Int32
    /// Belongs to the request until the caller receives it.
    fileprivate var connection: (descriptor: OwnedDescriptor, peer: SocketAddress)?

    /// Begins to wait for a client, and accepts its connection.
    ///
    /// Cancelling the request loses no connection: a client that has connected stays in the backlog.
    ///
    /// - Parameters:
    ///   - listener: A listening socket that does not block, see ``SystemIO/listen(boundTo:backlog:sharesPort:)``. It
    ///     stays the caller's. Close it only after the request has ended or was freed.
    ///   - events: The context whose loop waits.
    ///   - parent: The owner of the request: freeing it frees the request.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request in progress, which can be cancelled.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing was made then.
    ///
    /// The corresponding C function is `accept_send()`.
    public static func send(
        from listener: Int32, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<Accept> {
        let request = try Request(Accept(listener: listener), under: parent, file: file, line: line)
        return request.waitOrFail(for: .read, of: listener, on: events, readable)
    }

    private init(listener: Int32) { self.listener = listener }

    private static func readable(_ event: FDEvent, _: FDEvent.Flags) {
        let request = Request<Accept>(waitingWith: event)
        let listener = request.state.listener
        guard let result = request.attempt({ try SystemIO.accept(listener) }) else { return }
        // The client may have gone away, or other code may have accepted it.
        guard case .connection(let descriptor, let peer) = result else { return }
        request.state.connection = (OwnedDescriptor(descriptor), peer)
        request.finish()
    }
}

extension Request<Accept> {
    /// Takes the connection: from now on the descriptor is the caller's to close.
    ///
    /// The descriptor does not block. If you free the request without receiving the connection, the request closes it.
    ///
    /// - Returns: The descriptor of the connection, and the address of the client.
    /// - Throws: ``TeventError/systemCall(name:code:)`` when the process has run out of descriptors; the client then
    ///   stays in the backlog. Otherwise the error that ended the request, such as ``RequestError/timedOut``.
    ///
    /// The corresponding C function is `accept_recv()`.
    public func receive() throws -> (descriptor: Int32, peer: SocketAddress) {
        try receive { work in
            guard let (owned, peer) = work.connection, let descriptor = owned.take() else { lacksItsWork() }
            return (descriptor, peer)
        }
    }
}

extension Accept: ReceivableState {
    /// Takes the result, as the request's own `receive()` does.
    @inlinable
    public static func receive(_ request: Request<Accept>) throws -> (descriptor: Int32, peer: SocketAddress) {
        try request.receive()
    }
}
