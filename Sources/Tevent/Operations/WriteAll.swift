import Talloc

/// Writes all bytes to a descriptor, as a request; this is its state.
///
/// ```swift
/// let request = try WriteAll.send(Array("a line\n".utf8), to: descriptor, on: events, under: memory)
/// request.setCallback { request in
///     do {
///         try request.receive()
///         print("all of it was written")
///     } catch { print(error) }
///     request.free()
/// }
/// ```
///
/// Two such requests must not write to one descriptor at the same time, or their bytes mix. Let each have its turn in a
/// ``RequestQueue``.
///
/// The corresponding C functions, `writev_send()` and `writev_recv()`, belong to a library that Samba has beside
/// tevent.
public struct WriteAll {
    // The descriptor is the event's: a program may exchange the states of two requests.
    /// Set when there was no room for all of them at once.
    private var bytes: [UInt8]?
    fileprivate var written = 0

    /// Writes as much as there is room for now, and the rest as room becomes available.
    ///
    /// If there is room for all of it, the bytes are written before the call returns, and the loop calls the callback.
    ///
    /// - Parameters:
    ///   - bytes: What to write. A request that has to wait for room keeps it until you receive or free the request.
    ///   - descriptor: An open descriptor that does not block. It stays the caller's. Close it only after the request
    ///     has ended or was freed.
    ///   - events: The context whose loop waits.
    ///   - parent: The owner of the request: freeing it frees the request.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request that can be cancelled while it waits; a part may have been written then.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing was made or written then.
    ///
    /// The corresponding C function is `writev_send()`.
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
        let request = try Request(WriteAll(), under: parent, file: file, line: line)
        let record = request.record("send")
        write(bytes[...], to: descriptor, record)
        guard record.pointee.status == .inProgress else {
            record.post(on: events.record("send"))
            return request
        }
        record.state(of: WriteAll.self).pointee.bytes = bytes
        return request.waitOrFail(for: .write, of: descriptor, on: events) { event, _ in
            let event = event.record()
            let work = event.waitingRequest.state(of: WriteAll.self).pointee
            write((work.bytes ?? []).dropFirst(work.written), to: event.pointee.descriptor, event.waitingRequest)
        }
    }

    private init() {}

    /// Makes one system call: after a short write there is no room, and other descriptors get their turn.
    private static func write(_ rest: ArraySlice<UInt8>, to descriptor: Int32, _ request: RequestPointer) {
        let count: Int
        do throws(TeventError) { count = try SystemIO.write(descriptor, rest) } catch {
            return AnyRequest(request).fail(error)
        }
        request.state(of: WriteAll.self).pointee.written += count
        if count == rest.count { request.finish() }
    }
}

extension Request<WriteAll> {
    /// The number of bytes written so far; a trap once the request has been received.
    public var written: Int { state.written }

    /// Takes the number of bytes that were written, which is all of them, or throws.
    ///
    /// - Throws: ``TeventError/systemCall(name:code:)`` if a write failed, with `EPIPE` when the other end is closed.
    ///   Otherwise the error that ended the request, such as ``RequestError/timedOut``. A part may have been written.
    ///
    /// The corresponding C function is `writev_recv()`.
    @discardableResult
    public func receive() throws -> Int { try takeResult { $0.pointee.written } }
}

extension WriteAll: ReceivableState {
    /// Takes the result, as the request's own `receive()` does.
    @inlinable
    public static func receive(_ request: Request<WriteAll>) throws -> Int { try request.receive() }
}
