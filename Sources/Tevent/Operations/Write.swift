import Talloc

/// Writes once to a descriptor, as a request; this is its state.
///
/// It writes as many bytes as there is room for, perhaps not all of them. To write all, use ``WriteAll``.
///
/// ```swift
/// let request = try Write.send(Array("a line\n".utf8), to: descriptor, on: events, under: memory)
/// request.setCallback { request in
///     do {
///         print("\(try request.receive()) bytes were written")
///     } catch { print(error) }
///     request.free()
/// }
/// ```
///
/// Samba has no function of this kind.
public struct Write {
    // The descriptor is the event's: a program may exchange the states of two requests.
    private let bytes: [UInt8]
    fileprivate var written = 0

    /// Writes as much as there is room for with one system call, after waiting for room if there is none.
    ///
    /// If there is room now, the bytes are written before the call returns, and the loop calls the callback.
    ///
    /// - Parameters:
    ///   - bytes: What to write. The request keeps it until you receive or free the request.
    ///   - descriptor: An open descriptor that does not block. It stays the caller's. Close it only after the request
    ///     has ended or was freed.
    ///   - events: The context whose loop waits.
    ///   - parent: The owner of the request: freeing it frees the request.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request that can be cancelled while it waits; nothing was written then.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing was made or written then.
    public static func send(
        _ bytes: [UInt8], to descriptor: Int32, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<Write> {
        let request = try Request(Write(bytes: bytes), under: parent, file: file, line: line)
        write(request, to: descriptor)
        guard request.isInProgress else { return request.post(on: events) }
        return request.waitOrFail(for: .write, of: descriptor, on: events) { event, _ in
            write(Request(waitingWith: event), to: event.descriptor)
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private static func write(_ request: Request<Write>, to descriptor: Int32) {
        let work = request.state
        guard let count = request.attempt({ try SystemIO.write(descriptor, work.bytes) }) else { return }
        guard count > 0 || work.bytes.isEmpty else { return }
        request.state.written = count
        request.finish()
    }
}

extension Request<Write> {
    /// Takes the number of bytes that were written.
    ///
    /// - Returns: At least 1, or 0 if there were no bytes to write.
    /// - Throws: ``TeventError/systemCall(name:code:)`` if the write failed, with `EPIPE` when the other end is closed.
    ///   Otherwise the error that ended the request, such as ``RequestError/timedOut``.
    public func receive() throws -> Int { try takeResult { $0.pointee.written } }
}

extension Write: ReceivableState {
    /// Takes the result, as the request's own `receive()` does.
    @inlinable
    public static func receive(_ request: Request<Write>) throws -> Int { try request.receive() }
}
