import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import TeventTasks

/// Three functions that wait at the same time, one of which fails.
@main
struct TaskGroupProgram: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "task-group",
        abstract: "Run three functions at once, let one fail, and see what becomes of the others.",
        discussion: """
            The children take one, two and a hundred seconds; the second fails. The clock is moved by hand, so the \
            program takes no time; the first column is what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let clock = ManualClock()
        let events = try loop.makeContext(clock: clock)
        defer { events.free() }
        let log = EventLog(clock: clock)
        do { try events.run { try await runChildren(on: events, log) } } catch { log.add("caller", "\(error)") }
        print(log)
    }
}

// snippet: group
/// Waits for three children, the second of which fails.
private func runChildren(on events: EventContext, _ log: EventLog) async throws {
    try await withThrowingTaskGroup(of: String.self) { group in
        try group.addTask(on: events) { try await child("first", takes: 1, on: events, log) }
        try group.addTask(on: events) {
            log.add("second", "begins")
            try await events.sleep(for: .seconds(2))
            log.add("second", "fails")
            throw ChildError.unlucky
        }
        try group.addTask(on: events) { try await child("third", takes: 100, on: events, log) }
        for try await name in group { log.add("group", "the \(name) child has returned") }
    }
}

private func child(_ name: String, takes seconds: Int, on events: EventContext, _ log: EventLog) async throws -> String
{
    log.add(name, "begins")
    do { try await events.sleep(for: .seconds(seconds)) } catch {
        log.add(name, "\(error)")
        throw error
    }
    log.add(name, "ends")
    return name
}
// snippet-end: group

enum ChildError: Error { case unlucky }
