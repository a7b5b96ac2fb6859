import Talloc

/// Writing once to a descriptor, as a request; its state.
public struct Write {
    private let descriptor: Int32
    private let bytes: [UInt8]
    fileprivate var written = 0

    /// Writes as much as there is room for with one call, after waiting for room if there is none.
    ///
    /// - Parameters:
    ///   - bytes: What to write. The request holds it until it is received or freed.
    ///   - descriptor: An open descriptor that does not block. It stays the caller's, and is to be closed only when the
    ///     request has ended or was freed.
    ///   - events: Whose loop waits.
    ///   - parent: What the request is freed with.
    /// - Returns: A request that can be cancelled; nothing was written then.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing is left behind then, and nothing was written.
    public static func send(
        _ bytes: [UInt8], to descriptor: Int32, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<Write> {
        let request = try Request(
            Write(descriptor: descriptor, bytes: bytes), under: parent, file: file, line: line)
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

    private static func write(_ request: Request<Write>) {
        let work = request.state
        guard let count = request.attempt({ try SystemIO.write(work.descriptor, work.bytes) }) else { return }
        guard count > 0 || work.bytes.isEmpty else { return }
        request.state.written = count
        request.finish()
    }
}

extension Request<Write> {
    /// Takes how many bytes were written, at least one unless there were none to write.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if the write failed, with `EPIPE` when the other end is closed, and
    ///   else what the request was ended with, such as ``RequestError/timedOut``.
    public func receive() throws -> Int { try receive { $0.written } }
}
