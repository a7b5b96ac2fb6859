import Talloc
import Tevent

/// The state of one connection of a load client, as a request.
///
///     send ──▶ Connect ──▶ ┌─ WriteAll ─┐ ──▶ … ──▶ end of writing ──▶ Read: end of file
///                          └─ Read …  ──┘
///
/// It reads while it writes, since an echo server stops reading when its client does not read.
struct LoadConnection {
    private let events: EventContext
    private let plan: LoadPlan
    /// When to stop starting new messages.
    private let end: EventInstant?
    private var messages: Messages
    private var socket: Int32?
    /// The current message, and how much of it has come back.
    private var message: [UInt8] = []
    private var answered = 0
    private var isWriting = false
    private var began = EventInstant.zero
    private var completed = 0
    /// The progress that the request reports.
    private(set) var progress = Progress.connected

    enum Progress {
        case connected
        /// A message of this many bytes has come back.
        case answered(bytes: Int, took: Duration)
    }

    /// Starts connecting, and sends messages, each after the one before has come back.
    ///
    /// - Returns: A request that reports when it is connected and after each message, and fails if the server is not an
    ///   echo server.
    static func send(
        _ messages: Messages, to addresses: [SocketAddress], following plan: LoadPlan, until end: EventInstant?,
        on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<LoadConnection> {
        let state = LoadConnection(events: events, plan: plan, end: end, messages: messages)
        let request = try Request(state, under: parent)
        request.setCleanup { request, _ in request.freeChildren() }
        do throws(TeventError) {
            try request.setEndTime(after: plan.patience, on: events)
            let connect = try Connect.send(to: addresses, on: events, under: request)
            connect.setCallback(for: request, connectDone)
        } catch {
            request.free()
            throw error
        }
        return request
    }

    private init(events: EventContext, plan: LoadPlan, end: EventInstant?, messages: Messages) {
        self.events = events
        self.plan = plan
        self.end = end
        self.messages = messages
    }

    private static func connectDone(_ connect: Request<Connect>, of request: Request<LoadConnection>) {
        do {
            let socket = try connect.receive()
            do { try request.state.events.hold(socket, under: request).setAutoClose() } catch {
                SystemIO.close(socket)
                throw error
            }
            try? SystemIO.setNoDelay(socket)
            request.state.socket = socket
            try notifyAndSendNext(request)
        } catch {
            request.fail(error)
        }
    }

    // MARK: Messages

    private static func notifyAndSendNext(_ request: Request<LoadConnection>) throws(TeventError) {
        request.notify()
        // The code that was notified may have stopped everything.
        guard !request.isFreed, request.isInProgress else { return }
        try sendNext(request)
    }

    private static func sendNext(_ request: Request<LoadConnection>) throws(TeventError) {
        guard request.state.wantsMore else { return try sayGoodbye(request) }
        request.state.beginMessage()
        let state = request.state
        try request.setEndTime(after: state.plan.patience, on: state.events)
        let write = try WriteAll.send(state.message, to: state.socket!, on: state.events, under: request)
        write.setCallback(for: request, writeDone)
        try read(request, readDone)
    }

    private static func read(
        _ request: Request<LoadConnection>,
        _ done: @escaping (Request<Read>, Request<LoadConnection>) -> Void
    ) throws(TeventError) {
        let state = request.state
        let read = try Read.send(from: state.socket!, upTo: Echo.readSize, on: state.events, under: request)
        read.setCallback(for: request, done)
    }

    private static func writeDone(_ write: Request<WriteAll>, of request: Request<LoadConnection>) {
        do {
            try write.receive()
            write.free()
            request.state.isWriting = false
        } catch {
            request.fail(error)
        }
    }

    private static func readDone(_ read: Request<Read>, of request: Request<LoadConnection>) {
        do {
            guard let bytes = try read.receive() else { throw LoadError.closed }
            read.free()
            try request.state.check(bytes)
            guard request.state.isAnswered else { return try self.read(request, readDone) }
            request.state.endMessage()
            try notifyAndSendNext(request)
        } catch {
            request.fail(error)
        }
    }

    // MARK: The end

    /// Stops writing; an echo server then closes the connection without sending another byte.
    private static func sayGoodbye(_ request: Request<LoadConnection>) throws(TeventError) {
        try SystemIO.shutdownWriting(request.state.socket!)
        try read(request, goodbyeDone)
    }

    private static func goodbyeDone(_ read: Request<Read>, of request: Request<LoadConnection>) {
        do {
            guard try read.receive() == nil else { throw LoadError.wrongBytes }
            request.finish()
        } catch {
            request.fail(error)
        }
    }
}

// How the steps use the state.
extension LoadConnection {
    private var wantsMore: Bool {
        if let count = plan.messages, completed >= count { return false }
        if let end, events.now >= end { return false }
        return true
    }

    private mutating func beginMessage() {
        message = messages.next()
        answered = 0
        isWriting = true
        began = events.now
    }

    private mutating func check(_ bytes: [UInt8]) throws {
        let end = answered + bytes.count
        // In an unoptimised build, comparing arrays is the fastest way.
        guard end <= message.count, Array(message[answered..<end]) == bytes else { throw LoadError.wrongBytes }
        answered = end
        // A server cannot send back what it has not received yet.
        if isAnswered, isWriting { throw LoadError.wrongBytes }
    }

    private var isAnswered: Bool { answered == message.count }

    private mutating func endMessage() {
        completed += 1
        progress = .answered(bytes: message.count, took: began.duration(to: events.now))
    }
}

extension Request<LoadConnection> {
    /// Throws unless all messages came back as they were sent.
    func receive() throws { try receive { _ in } }
}
