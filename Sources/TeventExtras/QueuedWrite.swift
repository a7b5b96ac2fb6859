import Talloc
import Tevent

// snippet: state
/// Writing all bytes to a descriptor when its turn has come, as a request; its state.
///
///     send ──▶ a place in the queue … the turn comes ──▶ begin ──▶ WriteAll ──▶ writeDone
///
/// All that write to a descriptor go through its one queue, so each message is whole, and they come in the order in
/// which they were sent.
public struct QueuedWrite {
    private let bytes: [UInt8]
    private let descriptor: Int32
    private let events: EventContext
    /// The work, from the moment when it begins until the request ends.
    private var write: Request<WriteAll>?
    fileprivate var hasBegun = false
    // snippet-end: state

    // snippet: send
    /// Waits for its turn in a queue, then writes.
    ///
    /// - Parameters:
    ///   - bytes: What to write. The request holds it until it is received or freed.
    ///   - descriptor: An open descriptor that does not block. It stays the caller's, and is to be closed only when the
    ///     request has ended or was freed.
    ///   - queue: The one queue of the descriptor.
    ///   - events: Whose loop waits.
    ///   - parent: What the request is freed with.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request that can be cancelled, also while it waits. The next one begins when it is freed.
    /// - Throws: `TeventError.outOfMemory`; nothing is left behind then, and nothing was written.
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
        request.setCleanup { request, _ in request.state.write.take()?.free() }
        let entry = request.attempt { try queue.add(request, on: events, file: file, line: line, trigger: begin) }
        return entry == nil ? request.post(on: events) : request
    }
    // snippet-end: send

    private init(bytes: [UInt8], descriptor: Int32, events: EventContext) {
        self.bytes = bytes
        self.descriptor = descriptor
        self.events = events
    }

    // snippet: begin
    /// The trigger: nobody is before this request, and it has not ended while it waited.
    private static func begin(_ request: Request<QueuedWrite>) {
        let state = request.state
        request.state.hasBegun = true
        let write = request.attempt {
            try WriteAll.send(state.bytes, to: state.descriptor, on: state.events, under: request)
        }
        guard let write else { return }
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
    /// Throws unless all was written; the queue waits on until the request is freed.
    ///
    /// - Throws: `TeventError.systemCall` if a write failed, with `EPIPE` when nobody reads any more, and else what the
    ///   request was ended with, such as `RequestError.timedOut`.
    public func receive() throws { try receive { _ in } }
    // snippet-end: receive

    /// Whether its turn had come, so that a part may have been written if it failed; to be asked before it is received.
    public var hasBegun: Bool { state.hasBegun }
}
