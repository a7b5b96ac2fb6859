import Talloc

/// Reading once from a descriptor, as a request; its state.
public struct Read {
    private let count: Int
    /// Nil until something was read.
    fileprivate var result: SystemIO.ReadResult?

    /// Begins to wait until there is something to read, and then reads it with one call.
    ///
    /// When several read one descriptor at the same time, each byte goes to one of them.
    ///
    /// - Parameters:
    ///   - descriptor: An open descriptor, which should not block. It stays the caller's, and is to be closed only when the
    ///     request has ended or was freed.
    ///   - count: How many bytes to read at most; one at least. No read takes more than ``SystemIO/largestRead``.
    ///   - events: Whose loop waits.
    ///   - parent: What the request is freed with.
    /// - Returns: A request that can be cancelled; no byte is lost then.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing is left behind then.
    ///
    /// The corresponding C function is `read_packet_send()`, of a library that Samba has beside tevent.
    @inlinable
    public static func send(
        from descriptor: Int32, upTo count: Int = 4096, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<Read> {
        try send(from: descriptor, upTo: count, on: events, parent: parent.tallocContext, file: file, line: line)
    }

    @usableFromInline
    static func send(
        from descriptor: Int32, upTo count: Int, on events: EventContext, parent: TallocContext, file: StaticString,
        line: UInt32
    ) throws(TeventError) -> Request<Read> {
        guard count > 0 else { abort("a Read of \(count) bytes could not be told from the end; ask for one at least") }
        let request = try Request(
            Read(count: count), under: parent, file: file, line: line)
        return request.waitOrFail(for: .read, of: descriptor, on: events, readable)
    }

    private init(count: Int) { self.count = count }

    private static func readable(_ event: FDEvent, _: FDEvent.Flags) {
        let request = Request<Read>(waitingWith: event)
        let (descriptor, count) = (event.descriptor, request.state.count)
        let result = request.attempt { try event.readBuffer.read(descriptor, upTo: count) }
        // Other code may have read it.
        guard let result, result != .wouldBlock else { return }
        request.state.result = result
        request.finish()
    }
}

extension Request<Read> {
    /// Takes the bytes that were read, at least one, or nil at the end of the file.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if the read failed, for instance with `ECONNRESET`, and else what
    ///   the request was ended with, such as ``RequestError/timedOut``.
    ///
    /// The corresponding C function is `read_packet_recv()`.
    public func receive() throws -> [UInt8]? {
        try receive { work in
            switch work.result.take() {
            case .bytes(let bytes): bytes
            case .endOfFile, .wouldBlock: nil
            case nil: lacksItsWork()
            }
        }
    }
}
