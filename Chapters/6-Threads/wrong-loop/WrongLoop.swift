import ArgumentParser
import Chapter1ContextAndLoops
import Chapter6Threads
import Talloc
import Tevent
import TeventExtras

/// A reply goes to the loop of the inbox, no matter which loop waits for it.
@main
struct WrongLoop: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "wrong-loop",
        abstract: "Make a child's inbox on the master's context, then on its own.",
        discussion: """
            A child asks the master, and waits a hundredth of a second for the reply. The first time its inbox is on \
            the master's context, as in tevent's own tutorial; the second time it is on the child's.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: cases
        print("The child's inbox is on the master's context:")
        try ask { mastersEvents in try ThreadInbox(on: mastersEvents).proxy }
        print("The child's inbox is on its own context:")
        try ask { _ in nil }
        // snippet-end: cases
    }

    // snippet: ask
    /// Has a child ask; the child receives a proxy for the reply, or makes its own.
    private func ask(_ makeProxy: (_ mastersEvents: EventContext) throws -> ThreadProxy?) throws {
        let master = try TallocChunk(Place(name: "master"))
        defer { master.free() }
        let events = try loop.makeContext(under: master)
        let (proxy, replyTo, backend) = (try ThreadInbox(on: events).proxy, try makeProxy(events), loop.backend)

        let child = try SystemThread(named: "child") { try runChild(asking: proxy, replyTo, backend) }
        try events.loop { master.value.hasAnswered && (replyTo == nil || master.value.hasReply) }
        print(try child.join())
    }
    // snippet-end: ask
}

// snippet: child
/// What a thread's messages work on.
struct Place {
    let name: String
    var hasAnswered = false
    var hasReply = false
}

private func runChild(asking master: ThreadProxy, _ replyTo: ThreadProxy?, _ backend: String) throws -> String {
    let child = try TallocChunk(Place(name: "child"))
    defer { child.free() }
    let events = try EventContext(under: child, backend: backend)
    let ownInbox = try ThreadInbox(on: events)
    events.maximumWait = replyTo == nil ? .seconds(10) : .milliseconds(10)

    let replyTo = replyTo ?? ownInbox.proxy
    try master.schedule { events in
        events.owner(as: Place.self).value.hasAnswered = true
        try? replyTo.schedule(receiveReply)
    }
    let result = try events.loop { child.value.hasReply }
    return "  the child's loop: \(result); has the child a reply? \(child.value.hasReply)"
}

@Sendable
private func receiveReply(on events: EventContext) {
    let place = events.owner(as: Place.self)
    place.value.hasReply = true
    print("  the reply runs on the loop of the \(place.value.name)")
}
// snippet-end: child
