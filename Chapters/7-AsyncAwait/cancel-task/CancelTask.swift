import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import TeventTasks

/// A task that ends in four ways, and what runs in which order.
@main
struct CancelTask: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "cancel-task",
        abstract: "Cancel a task, free its memory, free its context, and see what it still does.",
        discussion: """
            The task waits for two seconds, unless it is ended after one and a half. The clock is moved by hand, so the \
            program takes no time; the first column is what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: cases
        print("Left alone:")
        print(try log { _, _, _, _ in })
        print("Cancelled:")
        print(
            try log { work, _, _, log in
                log.add("caller", "cancels: \(work.cancel())")
                log.add("caller", "the request is \(work.status)")
            })
        print("The client's memory is freed:")
        print(
            try log { _, client, _, log in
                log.add("caller", "frees the client")
                client.free()
            })
        print("The context is freed:")
        print(
            try log { _, _, events, log in
                log.add("caller", "frees the context")
                events.free()
            })
        // snippet-end: cases
    }

    private typealias Interference = (Request<TaskWork<String>>, TallocContext, EventContext, EventLog) -> Void

    /// Begins a download under a client's memory, calls `interfere` after one and a half seconds, and logs what happens.
    private func log(_ interfere: @escaping Interference) throws -> EventLog {
        let clock = ManualClock()
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program, clock: clock)
        let client = try TallocContext(under: program, named: "client")
        let log = EventLog(clock: clock)
        let work = try events.task(under: client) { try await download(on: events, log, under: client) }
        work.setCallback { work in
            do { log.add("callback", try work.receive()) } catch { log.add("callback", "\(error)") }
            work.free()
        }
        try events.addTimer(after: .milliseconds(1500)) { _, _ in interfere(work, client, events, log) }
        while try events.loopWait() == .timedOut { clock.advance(by: .milliseconds(500)) }
        log.add("caller", "the loop has returned")
        return log
    }
}

// snippet: work
/// Downloads into a file that is locked meanwhile.
private func download(on events: EventContext, _ log: EventLog, under client: TallocContext) async throws -> String {
    log.add("task", "opens the file")
    defer { log.add("task", "closes the file") }
    log.add("task", "locks it")
    defer { log.add("task", "unlocks it") }
    do {
        try await Wakeup.send(after: .seconds(2), on: events, under: client).value
    } catch {
        log.add("task", "\(error)")
        throw error
    }
    return "a file"
}
// snippet-end: work
