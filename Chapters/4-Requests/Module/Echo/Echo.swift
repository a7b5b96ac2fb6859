import Talloc
import Tevent

// snippet: state
/// Serving one client of an echo server, as a request; its state.
///
///     send ──▶ Read ──▶ readDone ──▶ WriteAll ──▶ writeDone ──▶ Read …
///                          └─ end of file: done
///
/// The next read begins when all of the last one has gone back, so a client that does not read is not read from either.
/// It costs what one read took then, and while it is silent nothing.
public struct Echo {
    private let socket: Int32
    private let events: EventContext
    /// How many bytes have gone back.
    public private(set) var echoed = 0
    // snippet-end: state

    /// The most that one read takes: few calls for much data, and little memory for many clients that do not read.
    public static let readSize = 65_536

    private init(socket: Int32, events: EventContext) {
        self.socket = socket
        self.events = events
    }

    // snippet: send
    /// Begins to give back to a client what it sends, until it sends no more.
    ///
    /// - Parameters:
    ///   - socket: A connected socket that does not block. It belongs to the request, unless this throws.
    ///   - events: Whose loop serves the client.
    ///   - parent: What the request is freed with.
    /// - Returns: A request that is done at the end of the file, and fails if the connection breaks.
    /// - Throws: `TeventError.outOfMemory`; nothing is left behind then.
    public static func send(
        on socket: Int32, on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<Echo> {
        let request = try Request(Echo(socket: socket, events: events), under: parent)
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
            write.setCallback { writeDone($0, of: request, count: bytes.count) }
        } catch {
            request.fail(error)
        }
    }

    private static func writeDone(_ write: Request<WriteAll>, of request: Request<Echo>, count: Int) {
        do {
            try write.receive()
            write.free()
            request.state.echoed += count
            try self.read(request)
        } catch {
            request.fail(error)
        }
    }
    // snippet-end: done
}

// snippet: receive
extension Request<Echo> {
    /// Takes how many bytes have gone back, and closes the connection.
    ///
    /// - Throws: `TeventError.systemCall` if the connection broke, for instance with `ECONNRESET` or `EPIPE`.
    public func receive() throws -> Int { try receive { $0.echoed } }
}
// snippet-end: receive
