import ArgumentParser
import Chapter1ContextAndLoops
import Chapter6Threads
import Talloc
import Tevent
import TeventExtras

/// How often a loop waits while others send to it.
@main
struct CoalescedWakeups: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "coalesced-wakeups",
        abstract: "Count how often a loop goes to sleep while messages come.",
        discussion: """
            Only a loop that sleeps must be woken, by a system call of the sender. The number of waits is therefore an \
            upper bound for the number of wakeups.
            """)

    @Option(parsing: .unconditional, help: "How many messages a busy loop gets.")
    var messages = 10_000

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard (1...1_000_000).contains(messages) else {
            throw ValidationError("--messages must be from 1 to 1000000, not \(messages).")
        }
    }

    func run() throws {
        // snippet: main
        let program = try TallocChunk(Counts())
        defer { program.free() }
        let events = try loop.makeContext(under: program)
        let proxy = try ThreadInbox(on: events).proxy
        events.setLoopTrace { if $0 == .beforeWait { program.value.waits += 1 } }
        // snippet-end: main

        // snippet: busy
        let messages = messages
        let busy = try ImmediateEvent(under: events)
        busy.schedule(on: events) { _, _ in
            // While the thread sends, the loop is busy in this handler.
            let sender = try? SystemThread(named: "sender") {
                for _ in 1...messages { try proxy.schedule(receive) }
            }
            try? sender?.join()
        }
        try events.loop { program.value.received == messages }
        print("While the loop was busy: \(program.value.summary)")
        // snippet-end: busy

        // snippet: one-by-one
        program.value = Counts()
        let worker = try Worker(named: "answers", backend: loop.backend) { _ in }
        var asked = 0
        events.setLoopTrace { point in
            guard point == .beforeWait else { return }
            program.value.waits += 1
            // A worker that is asked only now cannot have answered before.
            guard asked == program.value.received else { return }
            asked += 1
            try? worker.schedule { _, _ in try? proxy.schedule(receive) }
        }
        try events.loop { program.value.received == 3 }
        let counts = program.value
        print("While it waited: \(counts.received) messages, one wait each, or two: \((3...6).contains(counts.waits))")
        worker.stop()
        try worker.join()
        // snippet-end: one-by-one
    }
}

// snippet: receive
/// What the messages work on.
struct Counts {
    var received = 0
    var waits = 0

    var summary: String { "\(received) messages, \(waits) waits" }
}

@Sendable
private func receive(on events: EventContext) { events.owner(as: Counts.self).value.received += 1 }
// snippet-end: receive
