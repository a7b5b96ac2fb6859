import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// Messages to a loop that has ended, and messages that the loop never reached.
@main
struct LoopEnded: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "loop-ended",
        abstract: "Send to a loop that has ended, and get back what was not sent.",
        discussion: """
            A thread makes a loop, and ends. The main thread sends to it: just a function, a draft, a piece of memory. \
            Then it sends some memory to itself, and does not run its loop to receive it.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let backend = loop.backend
        // snippet: thread
        let thread = try SystemThread(named: "short-lived") {
            let events = try EventContext(backend: backend)
            defer { events.free() }
            return try ThreadInbox(on: events).proxy
        }
        let proxy = try thread.join()
        print("Is the proxy closed? \(proxy.isClosed)")
        // snippet-end: thread

        // snippet: nothing
        do { try proxy.schedule { _ in print("never runs") } } catch { print("Nothing: \(error)") }
        // snippet-end: nothing

        // snippet: payload
        let draft = Draft(text: "to whom it may concern")
        do {
            try proxy.schedule(draft) { _, draft in print("never runs: \(draft.text)") }
        } catch {
            print("A draft: back again, '\(error.takePayload()?.text ?? "no")'. Twice? \(error.takePayload() != nil)")
        }
        // snippet-end: payload

        // snippet: memory
        let memory = try TallocChunk(Draft(text: "in a chunk"))
        do {
            try proxy.schedule(memory: memory) { _, memory in print("never runs: \(memory.value.text)") }
        } catch {
            guard let memory = error.takePayload() else { return }
            print("Memory: back again, '\(memory.value.text)', and a root: \(memory.parent == nil)")
            memory.free()
        }
        // snippet-end: memory

        // snippet: underway
        let events = try loop.makeContext()
        let inbox = try ThreadInbox(on: events)
        let late = try TallocChunk(Draft(text: "too late"))
        late.setDestructor { memory in
            print("Under way: '\(memory.value.text)' is freed")
            return .allow
        }
        try inbox.proxy.schedule(memory: late) { _, _ in print("never runs") }
        print("Under way: accepted. Now the context goes")
        events.free()
        // snippet-end: underway
    }
}

// snippet: draft
/// Something that belongs to one thread at a time.
final class Draft {
    var text: String
    init(text: String) { self.text = text }
}
// snippet-end: draft
