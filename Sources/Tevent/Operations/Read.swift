import Talloc

/// Reads once from a descriptor, as a request; this is its state.
///
/// ```swift
/// let request = try Read.send(from: descriptor, upTo: 1024, on: events, under: memory)
/// request.setCallback { request in
///     do {
///         if let bytes = try request.receive() {
///             print("\(bytes.count) bytes")
///         } else {
///             print("the end of the file")
///         }
///     } catch { print(error) }
///     request.free()
/// }
/// ```
///
/// If you read one descriptor many times, hold it: see ``EventContext/hold(_:under:file:line:)``.
///
/// The corresponding C functions, `read_packet_send()` and `read_packet_recv()`, belong to a library that Samba has
/// beside tevent.
public struct Read {
    private let count: Int
    /// Nil until the read has succeeded.
    fileprivate var result: SystemIO.ReadResult?

    /// Begins to wait until there is something to read, and then reads it with one system call.
    ///
    /// Cancelling the request loses no byte. If several requests read one descriptor at the same time, each byte goes
    /// to one of them.
    ///
    /// - Parameters:
    ///   - descriptor: An open descriptor, which should not block. It stays the caller's. Close it only after the
    ///     request has ended or was freed.
    ///   - count: The greatest number of bytes to read. It must be at least 1, or the call traps; more than
    ///     ``SystemIO/largestRead`` means that many.
    ///   - events: The context whose loop waits.
    ///   - parent: The owner of the request: freeing it frees the request.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request in progress, which can be cancelled.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing was made then.
    ///
    /// The corresponding C function is `read_packet_send()`.
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
        guard count > 0 else { abort("a Read of \(count) bytes would look like the end; ask for at least one") }
        let request = try Request(
            Read(count: count), under: parent, file: file, line: line)
        return request.waitOrFail(for: .read, of: descriptor, on: events, readable)
    }

    private init(count: Int) { self.count = count }

    private static func readable(_ event: FDEvent, _: FDEvent.Flags) {
        let event = event.record()
        let request = event.waitingRequest
        let result: SystemIO.ReadResult
        do throws(TeventError) {
            result = try event.readBytes(upTo: request.state(of: Read.self).pointee.count)
        } catch { return AnyRequest(request).fail(error) }
        // Other code may have read it.
        if case .wouldBlock = result { return }
        request.state(of: Read.self).pointee.result = consume result
        request.finish()
    }
}

extension Request<Read> {
    /// Takes the bytes that were read.
    ///
    /// - Returns: At least one byte, or nil at the end of the file.
    /// - Throws: ``TeventError/systemCall(name:code:)`` if the read failed, for instance with `ECONNRESET`. Otherwise
    ///   the error that ended the request, such as ``RequestError/timedOut``.
    ///
    /// The corresponding C function is `read_packet_recv()`.
    public func receive() throws -> [UInt8]? {
        try takeResult { work in
            switch work.pointee.result.take() {
            case .bytes(let bytes): bytes
            case .endOfFile, .wouldBlock: nil
            case nil: lacksItsWork()
            }
        }
    }
}

extension Read: ReceivableState {
    /// Takes the result, as the request's own `receive()` does.
    @inlinable
    public static func receive(_ request: Request<Read>) throws -> [UInt8]? { try request.receive() }
}
