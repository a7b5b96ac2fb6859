import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import TeventTasks

/// Four seconds of work in a task, done in three ways alongside timers that want their turns.
@main
struct StarvingTask: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "starving-task",
        abstract: "Do long work in a task, and see who gets a turn meanwhile.",
        discussion: """
            Four seconds of work alongside a timer for each second: without an await, with Task.yield() after each \
            second, and with the loop's own yield(). Then a task awaits what has ended already. The clock is moved by hand, so \
            the program takes no time; the first column is what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        try runWays()
        print("Awaiting what has ended:")
        try awaitUntilTheTimerRuns()
    }

    // snippet: ways
    private func runWays() throws {
        print("Without an await:")
        print(try log { _ in })
        print("Task.yield() after each slice:")
        print(try log { _ in await Task.yield() })
        print("events.yield() after each slice:")
        print(try log { events in try await events.yield() })
    }

    /// Works for four seconds beside timers, gives way after each, and logs what happens when.
    private func log(_ giveWay: (EventContext) async throws -> Void) throws -> EventLog {
        let clock = ManualClock()
        let events = try loop.makeContext(clock: clock)
        defer { events.free() }
        let log = EventLog(clock: clock)
        for second in 1...4 {
            try events.addTimer(after: .seconds(second)) { _, _ in log.add("timer", "due at \(second) s") }
        }
        try events.run {
            for slice in 1...4 {
                clock.advance(by: .seconds(1))
                log.add("task", "slice \(slice) is done")
                try await giveWay(events)
            }
        }
        // What the task did not let run.
        while try events.loopWait() == .timedOut { clock.advance(by: .milliseconds(1)) }
        return log
    }
    // snippet-end: ways

    // snippet: budget
    private func awaitUntilTheTimerRuns() throws {
        let events = try loop.makeContext()
        defer { events.free() }
        let count = try events.run {
            var (count, hasRun) = (0, false)
            try events.addTimer(at: .zero) { _, _ in hasRun = true }
            while !hasRun {
                let request = try Request("ended", under: events)
                request.finish()
                _ = try await request.value
                count += 1
            }
            return count
        }
        print("The timer ran after \(count) awaits.")
    }
    // snippet-end: budget
}
