import ArgumentParser
import Chapter1ContextAndLoops
import Chapter6Threads
import Talloc
import Tevent
import TeventExtras

/// Functions that a thread sends to the main thread's loop.
@main
struct OneWay: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "one-way",
        abstract: "Send functions from a thread to the main thread's loop.",
        discussion: """
            The thread sends five messages, with a number each, and a last one that frees the inbox. A timer of the main \
            thread runs as soon as it can, but the messages that are there already come first.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: main
        let program = try TallocChunk(Program())
        defer { program.free() }
        let events = try loop.makeContext(under: program)
        let inbox = try ThreadInbox(on: events)
        program.value.inbox = inbox

        let proxy = inbox.proxy
        let thread = try SystemThread(named: "sender") { try send(to: proxy) }
        try thread.join()
        try events.addTimer(after: .zero) { _, _ in print("a timer") }

        print("The thread has ended, and the main thread has heard \(program.value.heard).")
        print("The loop: \(try events.loopWait())")
        print("It has heard \(program.value.heard). The proxy is closed: \(proxy.isClosed)")
        // snippet-end: main
    }
}

// snippet: state
/// What the messages work on; the context is created below it, so that they find it.
struct Program {
    var inbox: ThreadInbox?
    var heard: [Int] = []
}
// snippet-end: state

// snippet: thread
/// Everything that the thread does.
private func send(to proxy: ThreadProxy) throws {
    for number in 1...5 {
        try proxy.schedule { events in
            print("message \(number)")
            events.owner(as: Program.self).value.heard.append(number)
        }
    }
    try proxy.schedule { events in
        print("the last message")
        events.owner(as: Program.self).value.inbox?.free()
    }
}
// snippet-end: thread
