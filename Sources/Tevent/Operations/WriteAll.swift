import Talloc

/// Writing all bytes to a descriptor, as a request; its state.
public struct WriteAll {
    private let descriptor: Int32
    /// Set when there was no room for all of them at once.
    private var bytes: [UInt8] = []
    fileprivate var written = 0

    /// Writes what there is room for at once, and the rest as room comes.
    ///
    /// Let one end before the next begins on the same descriptor, or their bytes mix.
    ///
    /// - Parameters:
    ///   - bytes: What to write. A request that has to wait for room holds it until it is received or freed.
    ///   - descriptor: An open descriptor that does not block. It stays the caller's, and is to be closed only when the
    ///     request has ended or was freed.
    ///   - events: Whose loop waits.
    ///   - parent: What the request is freed with.
    /// - Returns: A request that can be cancelled; a part may have been written then.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing is left behind then, and nothing was written.
    ///
    /// The corresponding C function is `writev_send()`, of a library that Samba has beside tevent.
    @inlinable
    public static func send(
        _ bytes: [UInt8], to descriptor: Int32, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<WriteAll> {
        try send(bytes, to: descriptor, on: events, parent: parent.tallocContext, file: file, line: line)
    }

    @usableFromInline
    static func send(
        _ bytes: [UInt8], to descriptor: Int32, on events: EventContext, parent: TallocContext, file: StaticString,
        line: UInt32
    ) throws(TeventError) -> Request<WriteAll> {
        let request = try Request(WriteAll(descriptor: descriptor), under: parent, file: file, line: line)
        write(bytes[...], to: descriptor, request)
        guard request.isInProgress else { return request.post(on: events) }
        request.state.bytes = bytes
        return request.waitOrFail(for: .write, of: descriptor, on: events) { event, _ in
            let request = Request<WriteAll>(waitingWith: event)
            let work = request.state
            write(work.bytes.dropFirst(work.written), to: work.descriptor, request)
        }
    }

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Makes one call: after a short one there is no room, and other descriptors get their turn.
    private static func write(_ rest: ArraySlice<UInt8>, to descriptor: Int32, _ request: Request<WriteAll>) {
        guard let count = request.attempt({ try SystemIO.write(descriptor, rest) }) else { return }
        request.state.written += count
        if count == rest.count { request.finish() }
    }
}

extension Request<WriteAll> {
    /// How many bytes have been written so far; asking after the result has been received is a trap.
    public var written: Int { state.written }

    /// Takes how many bytes were written: all of them, or it throws.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if a write failed, with `EPIPE` when the other end is closed, and
    ///   else what the request was ended with, such as ``RequestError/timedOut``. A part may have been written.
    ///
    /// The corresponding C function is `writev_recv()`.
    @discardableResult
    public func receive() throws -> Int { try receive { $0.written } }
}
