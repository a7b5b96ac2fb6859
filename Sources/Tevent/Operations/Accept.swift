import Talloc

/// Accepting one connection, as a request; its state.
public struct Accept {
    private let listener: Int32
    /// The request's own, until it is taken by whoever receives it.
    fileprivate var connection: (descriptor: OwnedDescriptor, peer: SocketAddress)?

    /// Waits until a client connects, and accepts the connection.
    ///
    /// - Parameters:
    ///   - listener: A socket that listens, see ``SystemIO/listen(boundTo:backlog:)``. It stays the caller's, and is to be
    ///     closed only when the request has ended or was freed.
    ///   - events: Whose loop waits.
    ///   - parent: What the request is freed with.
    /// - Returns: A request that can be cancelled; no connection is lost then.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing is left behind then.
    ///
    /// The corresponding C function is `accept_send()`, of a library that Samba has beside tevent.
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
    /// Takes the connection, whose descriptor is the caller's from then on.
    ///
    /// A connection that is not taken is closed when the request is freed.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` when descriptors are exhausted, and else what the request was ended
    ///   with, such as ``RequestError/timedOut``. Who has connected waits on then.
    ///
    /// The corresponding C function is `accept_recv()`.
    public func receive() throws -> (descriptor: Int32, peer: SocketAddress) {
        try receive { work in
            guard let (owned, peer) = work.connection, let descriptor = owned.take() else { lacksItsWork() }
            return (descriptor, peer)
        }
    }
}
