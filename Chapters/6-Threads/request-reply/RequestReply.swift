import ArgumentParser
import Chapter1ContextAndLoops
import Chapter6Threads
import Talloc
import Tevent
import TeventExtras

/// A question from one loop to another, and the answer, in the same block of memory.
@main
struct RequestReply: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "request-reply",
        abstract: "Send a block of memory to the main thread's loop, and get it back with an answer.",
        discussion: """
            The child has its own loop. It sends a block of memory to the main thread, which writes into it and sends \
            it back; the child ends when it has arrived.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: master
        TallocLibrary.disableNullTracking()
        let events = try loop.makeContext()
        defer { events.free() }
        let inbox = try ThreadInbox(on: events)

        let (proxy, backend) = (inbox.proxy, loop.backend)
        let thread = try SystemThread(named: "child") { try Child.run(asking: proxy, backend) }

        let result = try events.loopWait()
        let answer = try thread.join()
        print("master: the loop was \(result), and the child has got \(answer)")
        // snippet-end: master
    }
}

// snippet: block
/// The block of memory that goes there and back.
struct Question {
    let text: String
    /// Where to send the answer.
    let replyTo: ThreadProxy
    var answer: Int?
}
// snippet-end: block

// snippet: child
/// The child's own memory.
struct Child {
    var reply: TallocChunk<Question>?

    /// Everything that the child does.
    static func run(asking master: ThreadProxy, _ backend: String) throws -> Int {
        let child = try TallocChunk(Child())
        defer { child.free() }
        let events = try EventContext(under: child, backend: backend)
        let inbox = try ThreadInbox(on: events)

        let question = try TallocChunk(Question(text: "How long is this?", replyTo: inbox.proxy))
        print("child: asks")
        try master.schedule(memory: question, answer)

        try events.loop { child.value.reply != nil }
        let reply = child.value.reply
        print("child: the reply has come to '\(reply?.value.text ?? "")'")
        return reply?.value.answer ?? 0
    }
}
// snippet-end: child

// snippet: answer
/// Runs on the master's loop.
@Sendable
private func answer(on events: EventContext, _ question: sending TallocChunk<Question>) {
    print("master: is asked '\(question.value.text)'. Is the block a root? \(question.parent == nil)")
    question.value.answer = question.value.text.count
    let replyTo = question.value.replyTo
    do { try replyTo.schedule(memory: question, receive) } catch { print("master: \(error)") }
    events.stop()
}

/// Runs on the child's loop.
@Sendable
private func receive(on events: EventContext, _ question: sending TallocChunk<Question>) {
    let child = events.owner(as: Child.self)
    question.move(under: child)
    child.value.reply = question
}
// snippet-end: answer
