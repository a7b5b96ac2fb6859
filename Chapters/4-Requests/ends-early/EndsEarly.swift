import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// A request that ends while it is being created, before its caller could set a callback.
@main
struct EndsEarly: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "ends-early",
        abstract: "Look up names, some of which are known at once, with requests that are posted.",
        discussion: """
            A request that ends before its callback was set cannot call it. Therefore it is posted, and the loop calls \
            the callback. With --wrong the program forgets to post, and ends with a message that says so.
            """)

    @Flag(help: "Forget to post; the program ends with a trap.")
    var wrong = false

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let events = try loop.makeContext()
        defer { events.free() }
        if wrong { try askWithoutPost(events) } else { try ask(events) }
    }

    private func ask(_ events: EventContext) throws {
        let log = EventLog()
        // snippet: caller
        for name in ["far.example", "localhost", ""] {
            let request = try Lookup.send(name, on: events, under: events)
            log.add("send", "\"\(name)\" is \(request.status)")
            request.setCallback { request in
                do { log.add("receive", try request.receive()) } catch { log.add("receive", "\(error)") }
                request.free()
            }
            log.add("caller", "has set the callback")
        }
        log.add("caller", "runs the loop")
        try events.loopWait()
        print(log)
        // snippet-end: caller
    }

    private func askWithoutPost(_ events: EventContext) throws {
        try Lookup.sendWithoutPost("localhost", on: events, under: events).setCallback { _ in print("never called") }
    }
}

struct Lookup {
    var address = ""

    // snippet: send
    static func send(
        _ name: String, on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<Lookup> {
        let request = try Request(Lookup(), under: parent)
        guard !name.isEmpty else {
            request.fail(LookupError.emptyName)
            return request.post(on: events)
        }
        if name == "localhost" {
            request.state.address = "127.0.0.1"
            request.finish()
            return request.post(on: events)
        }
        let timer = request.attempt {
            try events.addTimer(after: .milliseconds(1), under: request) { _, _ in done(request) }
        }
        return timer == nil ? request.post(on: events) : request
    }
    // snippet-end: send

    private static func done(_ request: Request<Lookup>) {
        request.state.address = "192.0.2.7"
        request.finish()
    }

    // snippet: wrong
    static func sendWithoutPost(
        _ name: String, on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<Lookup> {
        let request = try Request(Lookup(address: "127.0.0.1"), under: parent)
        request.finish()
        return request
    }
    // snippet-end: wrong
}

enum LookupError: Error { case emptyName }

extension Request<Lookup> {
    func receive() throws -> String { try receive { $0.address } }
}
