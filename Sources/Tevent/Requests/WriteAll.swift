import Talloc

/// Writing all bytes to a descriptor, as a request; its state.
public struct WriteAll {
    private let descriptor: Int32
    private let bytes: [UInt8]
    private var written = 0

    /// Writes what there is room for at once, and the rest as room comes.
    ///
    /// Let one end before the next begins on the same descriptor, or their bytes mix.
    ///
    /// - Parameters:
    ///   - bytes: What to write. The request holds it until it is received or freed.
    ///   - descriptor: An open descriptor that does not block. It stays the caller's, and is to be closed only when the
    ///     request has ended or was freed.
    ///   - events: Whose loop waits.
    ///   - parent: What the request is freed with.
    /// - Returns: A request that can be cancelled; a part may have been written then.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing is left behind then, and nothing was written.
    ///
    /// The corresponding C function is `writev_send()`, of a library that Samba has beside tevent.
    public static func send(
        _ bytes: [UInt8], to descriptor: Int32, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<WriteAll> {
        let request = try Request(
            WriteAll(descriptor: descriptor, bytes: bytes), under: parent, file: file, line: line)
        write(request)
        guard request.isInProgress else { return request.post(on: events) }
        return request.waitOrFail(for: .write, of: descriptor, on: events) { event, _ in
            write(Request(waitingWith: event))
        }
    }

    private init(descriptor: Int32, bytes: [UInt8]) {
        self.descriptor = descriptor
        self.bytes = bytes
    }

    private static func write(_ request: Request<WriteAll>) {
        let work = request.state
        let rest = work.bytes[work.written...]
        // One call each time: after a short one there is no room, and other descriptors get their turn.
        guard let count = request.attempt({ try SystemIO.write(work.descriptor, rest) }) else { return }
        guard count < rest.count else { return request.finish() }
        request.state.written += count
    }
}

extension Request<WriteAll> {
    /// Throws unless all was written.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if a write failed, with `EPIPE` when nobody reads any more, and
    ///   else what the request was ended with, such as ``RequestError/timedOut``. A part may have been written.
    ///
    /// The corresponding C function is `writev_recv()`.
    public func receive() throws { try receive { _ in } }
}
