import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import TeventTasks

/// An async function that waits twice, on a loop that also has two timers.
@main
struct FirstAwait: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "first-await",
        abstract: "Run an async function on the loop, and see what runs while it waits.",
        discussion: """
            The function sleeps for two seconds, then waits for something to read. The clock is moved by hand, here by \
            run itself, so the program takes no time; the first column is what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let clock = ManualClock()
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program, clock: clock)
        let log = EventLog(clock: clock)
        let pipe = try SystemIO.pipe()
        defer { for descriptor in [pipe.reader, pipe.writer] { SystemIO.close(descriptor) } }

        // snippet: run
        try events.addTimer(after: .seconds(1)) { _, _ in log.add("timer", "its handler runs") }
        try events.addTimer(after: .seconds(3)) { _, _ in
            log.add("timer", "its handler writes into the pipe")
            _ = try? SystemIO.write(pipe.writer, "hello".utf8)
        }
        log.add("caller", "calls run")
        let text = try events.run {
            try await sleepThenRead(pipe.reader, on: events, log, under: program)
        }
        log.add("caller", "run has returned '\(text)'")
        // snippet-end: run
        print(log)
    }
}

// snippet: await
/// Sleeps for two seconds, then waits for something to read.
func sleepThenRead(
    _ descriptor: Int32, on events: EventContext, _ log: EventLog, under memory: TallocContext
) async throws -> String {
    log.add("task", "sleeps")
    try await events.sleep(for: .seconds(2))
    log.add("task", "reads")
    let bytes = try await Read.send(from: descriptor, on: events, under: memory).value
    log.add("task", "has read \(bytes?.count ?? 0) bytes")
    return String(decoding: bytes ?? [], as: UTF8.self)
}
// snippet-end: await
