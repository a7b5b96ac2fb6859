import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// A read from a socket that has no data yet: not a failure, but a reason to wait.
@main
struct NotReady: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "not-ready",
        abstract: "Read from a socket that has nothing to read yet, wrongly and rightly.",
        discussion: "The other end sends its greeting ten milliseconds after the request was sent.")

    @OptionGroup var loop: LoopOptions

    func run() throws {
        print("Nothing to read taken for a failure:")
        try greet { request, event in request.readOrFail(event) }
        print("Nothing to read taken for what it is:")
        try greet { request, event in request.readOrWait(event) }
    }

    private func greet(_ step: @escaping (Request<Greeting>, FDEvent) -> Void) throws {
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program)
        let (mine, theirs) = try SystemIO.socketPair()
        defer { SystemIO.close(theirs) }
        // snippet: caller
        let request = try Greeting.send(from: mine, on: events, under: program, step)
        request.setCallback { request in
            do { print("  receive: \(try request.receive())") } catch { print("  receive throws: \(error)") }
        }
        try events.addTimer(after: .milliseconds(10)) { _, _ in
            _ = try? SystemIO.write(theirs, "hello".utf8)
        }
        try events.loop { !request.isInProgress && events.timers.isEmpty }
        // snippet-end: caller
    }
}

/// Reads what the other end sends first.
struct Greeting {
    var text = ""

    // snippet: send
    /// Tries to read immediately, because the greeting may have arrived already, and otherwise waits for it.
    static func send(
        from socket: Int32, on events: EventContext, under parent: some TallocObject,
        _ step: @escaping (Request<Greeting>, FDEvent) -> Void
    ) throws(TeventError) -> Request<Greeting> {
        let request = try Request(Greeting(), under: parent)
        let event = request.attempt {
            try events.addFD(socket, .read, under: request) { event, _ in step(request, event) }
        }
        guard let event else { return request.post(on: events) }
        event.setAutoClose()
        step(request, event)
        return request.isInProgress ? request : request.post(on: events)
    }
    // snippet-end: send
}

enum GreetingError: Error { case nothingToRead, endedBeforeTheGreeting }

extension Request<Greeting> {
    // snippet: wrong
    func readOrFail(_ event: FDEvent) {
        guard let result = attempt({ try SystemIO.read(event.descriptor) }) else { return }
        switch result {
        case .bytes(let bytes): finish(with: bytes, from: event)
        case .wouldBlock: fail(GreetingError.nothingToRead)
        case .endOfFile: fail(GreetingError.endedBeforeTheGreeting)
        }
    }
    // snippet-end: wrong

    // snippet: right
    func readOrWait(_ event: FDEvent) {
        guard let result = attempt({ try SystemIO.read(event.descriptor) }) else { return }
        switch result {
        case .bytes(let bytes): finish(with: bytes, from: event)
        case .wouldBlock: return
        case .endOfFile: fail(GreetingError.endedBeforeTheGreeting)
        }
    }
    // snippet-end: right

    private func finish(with bytes: [UInt8], from event: FDEvent) {
        event.free()
        state.text = String(decoding: bytes, as: UTF8.self)
        finish()
    }

    func receive() throws -> String { try receive { $0.text } }
}
