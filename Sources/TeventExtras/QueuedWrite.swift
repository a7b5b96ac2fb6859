import Talloc
import Tevent

// snippet: state
/// The state of a request that writes all its bytes to a descriptor when its turn has come.
///
///     send ──▶ a place in the queue … the turn comes ──▶ begin ──▶ WriteAll ──▶ writeDone
///
/// All writes to a descriptor go through its single queue, so each message stays whole, and messages arrive in the
/// order in which they were sent.
public struct QueuedWrite {
    private let bytes: [UInt8]
    private let descriptor: Int32
    private let events: EventContext
    /// The work, from the moment it starts until the request ends.
    private var write: Request<WriteAll>?
    fileprivate var hasBegun = false
    // snippet-end: state

    // snippet: send
    /// Waits for its turn in a queue, then writes.
    ///
    /// - Parameters:
    ///   - bytes: What to write. The request holds it until it is received or freed.
    ///   - descriptor: An open descriptor that does not block. It remains the caller's, who must not close it before
    ///     the request has ended or was freed.
    ///   - queue: The descriptor's only queue.
    ///   - events: The context whose loop waits.
    ///   - parent: The request's parent.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request that can be cancelled, even while it waits. The next one starts when it is freed.
    /// - Throws: `TeventError.outOfMemory`; then nothing is left behind, and nothing was written.
    public static func send(
        _ bytes: [UInt8], to descriptor: Int32, through queue: RequestQueue, on events: EventContext,
        under parent: some TallocObject, file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<QueuedWrite> {
        let state = QueuedWrite(bytes: bytes, descriptor: descriptor, events: events)
        let request = try Request(state, under: parent, file: file, line: line)
        request.setPrint { "write of \($0.state.bytes.count) bytes" }
        request.setCancel { request in
            request.fail(RequestError.cancelled)
            return true
        }
        request.setCleanup { request, _ in
            if let write = request.state.write.take(), !write.isFreed { write.free() }
        }
        _ = request.attempt { try queue.add(request, on: events, file: file, line: line, trigger: begin) }
        return request.postIfEnded(on: events)
    }
    // snippet-end: send

    private init(bytes: [UInt8], descriptor: Int32, events: EventContext) {
        self.bytes = bytes
        self.descriptor = descriptor
        self.events = events
    }

    // snippet: begin
    /// The trigger: no other request is before this one, and it has not ended while it waited.
    private static func begin(_ request: Request<QueuedWrite>) {
        let state = request.state
        request.state.hasBegun = true
        let write = request.attempt {
            try WriteAll.send(state.bytes, to: state.descriptor, on: state.events, under: request)
        }
        guard let write else { return }
        // A trace may have ended either request, or freed it.
        guard !write.isFreed else { return }
        guard !request.isFreed, request.isInProgress else { return _ = write.free() }
        request.state.write = write
        write.setCallback(for: request, writeDone)
    }

    private static func writeDone(_ write: Request<WriteAll>, of request: Request<QueuedWrite>) {
        guard request.attempt({ try write.receive() }) != nil else { return }
        request.finish()
    }
    // snippet-end: begin
}

extension Request<QueuedWrite> {
    // snippet: receive
    /// Throws unless everything was written; the queue waits until the request is freed.
    ///
    /// - Throws: `TeventError.systemCall` if a write failed, with `EPIPE` if there is no reader any more; otherwise the
    ///   error with which the request was ended, such as `RequestError.timedOut`.
    public func receive() throws { try receive { _ in } }
    // snippet-end: receive

    /// Whether its turn has come, so that a part may have been written if it failed; ask before receiving the request.
    public var hasBegun: Bool { state.hasBegun }
}
