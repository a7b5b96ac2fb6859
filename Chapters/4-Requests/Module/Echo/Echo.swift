import Talloc
import Tevent

// snippet: state
/// The state of a request that serves one client of an echo server.
///
///     send ──▶ Read ──▶ readDone ──▶ WriteAll ──▶ writeDone ──▶ Read …
///                          └─ end of file: done
///
/// The next read begins when everything from the last one has been sent back, so the server does not read from a client
/// that does not read. Such a client costs the memory of one read; a silent one costs none.
public struct Echo {
    private let socket: Int32
    private let events: EventContext
    /// How many bytes have been sent back by finished writes.
    fileprivate var echoed = 0
    // snippet-end: state

    /// The most that one read takes: few calls for much data, and little memory for many clients that do not read.
    public static let readSize = 65_536

    private init(socket: Int32, events: EventContext) {
        self.socket = socket
        self.events = events
    }

    // snippet: send
    /// Starts echoing a client until it stops sending.
    ///
    /// - Parameters:
    ///   - socket: A connected socket that does not block. It belongs to the request, unless this throws.
    ///   - events: The context whose loop serves the client.
    ///   - parent: The request's parent.
    /// - Returns: A request that is done at the end of the file, and fails if the connection breaks.
    /// - Throws: `TeventError.outOfMemory`; then nothing is left behind.
    public static func send(
        on socket: Int32, on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<Echo> {
        let request = try Request(Echo(socket: socket, events: events), under: parent, subrequests: 1)
        do throws(TeventError) {
            let holder = try events.hold(socket, under: request)
            try read(request)
            holder.setAutoClose()
        } catch {
            request.free()
            throw error
        }
        return request
    }

    private static func read(_ request: Request<Echo>) throws(TeventError) {
        let state = request.state
        let read = try Read.send(from: state.socket, upTo: readSize, on: state.events, under: request)
        read.setCallback(for: request, readDone)
    }
    // snippet-end: send

    // snippet: done
    private static func readDone(_ read: Request<Read>, of request: Request<Echo>) {
        do {
            let bytes = try read.receive()
            read.free()
            guard let bytes else { return request.finish() }
            let state = request.state
            let write = try WriteAll.send(bytes, to: state.socket, on: state.events, under: request)
            write.setCallback(for: request, writeDone)
        } catch {
            request.fail(error)
        }
    }

    private static func writeDone(_ write: Request<WriteAll>, of request: Request<Echo>) {
        do {
            let count = try write.receive()
            write.free()
            request.state.echoed += count
            try self.read(request)
        } catch {
            request.fail(error)
        }
    }
    // snippet-end: done
}

extension Request<Echo> {
    // snippet: echoed
    /// How many bytes have been sent back so far; traps once the result has been received.
    ///
    /// A write may have ended without having called back, or may be waiting for room with some of its bytes written.
    public var echoed: Int {
        let writes = children.compactMap { AnyRequest($0)?.request(of: WriteAll.self) }
        return writes.reduce(state.echoed) { $1.status == .received ? $0 : $0 + $1.written }
    }
    // snippet-end: echoed
}

// snippet: receive
extension Request<Echo> {
    /// Returns how many bytes have been sent back, and closes the connection.
    ///
    /// - Throws: `TeventError.systemCall` if the connection broke, for instance with `ECONNRESET` or `EPIPE`.
    public func receive() throws -> Int { try receive { $0.echoed } }
}
// snippet-end: receive
