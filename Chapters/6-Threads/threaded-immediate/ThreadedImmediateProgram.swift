import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// An immediate that another thread schedules, more often than it runs.
@main
struct ThreadedImmediateProgram: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "threaded-immediate",
        abstract: "Schedule an immediate from another thread, many times.",
        discussion: """
            A thread schedules it a thousand times, while the main thread is in a handler. Then it sends as many \
            messages. Then the loop gets to run each time.
            """)

    @Option(parsing: .unconditional, help: "How often the thread schedules.")
    var times = 1000

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard (1...1_000_000).contains(times) else {
            throw ValidationError("--times must be from 1 to 1000000, not \(times).")
        }
    }

    func run() throws {
        let events = try loop.makeContext()
        defer { events.free() }
        let times = times

        // snippet: immediate
        var runs = 0
        let immediate = try ThreadedImmediate(on: events) { _, _ in runs += 1 }
        let trigger = immediate.trigger
        let thread = try SystemThread(named: "scheduler") {
            try (1...times).count { _ in try trigger.schedule() }
        }
        print("The thread has scheduled \(times) times; it was new \(try thread.join()) time.")
        try events.loop { runs > 0 }
        print("The handler has run \(runs) time.")
        // snippet-end: immediate

        // snippet: messages
        let inbox = try ThreadInbox(on: events)
        let proxy = inbox.proxy
        let sender = try SystemThread(named: "sender") {
            for _ in 1...times { try proxy.schedule { _ in } }
        }
        try sender.join()
        var turns = 0
        events.setLoopTrace { if $0 == .beforeLoopOnce { turns += 1 } }
        try proxy.schedule { events in events.stop() }
        try events.loopWait()
        events.setLoopTrace(nil)
        print("As messages: \(turns - 1) turns of the loop, and a last one.")
        // snippet-end: messages

        // snippet: again
        runs = 0
        for _ in 1...3 {
            try trigger.schedule()
            try trigger.schedule()
            try events.loopOnce()
        }
        print("Twice before each of 3 turns: the handler has run \(runs) times.")
        immediate.free()
        do { try trigger.schedule() } catch { print("Freed: \(error)") }
        // snippet-end: again
    }
}
