import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import TeventTasks

/// Two answers with the same deadline: one comes in time.
@main
struct TaskDeadline: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "task-deadline",
        abstract: "Give an async function three seconds, and see what happens inside and outside.",
        discussion: """
            The first answer takes one second, the second five. The clock is moved by hand, so the program takes no \
            time; the first column is what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let clock = ManualClock()
        let events = try loop.makeContext(clock: clock)
        defer { events.free() }
        let log = EventLog(clock: clock)
        try events.run {
            for time in [1, 5] { await ask(for: time, on: events, log) }
        }
        print(log)
    }

    // snippet: deadline
    /// Asks a question whose answer takes some seconds, and waits for three.
    private func ask(for seconds: Int, on events: EventContext, _ log: EventLog) async {
        log.add("outside", "asks")
        do {
            let text = try await withDeadline(after: .seconds(3), on: events) {
                try await answer(after: seconds, on: events, log)
            }
            log.add("outside", text)
        } catch { log.add("outside", "\(error)") }
    }

    private func answer(after seconds: Int, on events: EventContext, _ log: EventLog) async throws -> String {
        do { try await events.sleep(for: .seconds(seconds)) } catch {
            log.add("inside", "\(error)")
            throw error
        }
        log.add("inside", "answers")
        return "the answer has come"
    }
    // snippet-end: deadline
}
