import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// Timers added in one order and run in another.
@main
struct TimerOrder: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "timer-order",
        abstract: "Add timers in one order and watch in which order they run.",
        discussion: """
            Seven timers with deadlines of 0 to 400 milliseconds: two of them equal, one moved, one taken back, one \
            added by the handler of another. Each line is one handler.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let log = EventLog()
        let events = try loop.makeContext()
        defer { events.free() }

        // snippet: one
        try events.addTimer(after: .milliseconds(400)) { timer, now in
            log.add("A", "400 ms have passed")
        }
        // snippet-end: one

        // snippet: others
        let later = events.now.advanced(by: .milliseconds(200))
        let moved = try events.addTimer(after: .milliseconds(1)) { _, _ in log.add("B", "moved to 200 ms") }
        try events.addTimer(at: later) { _, _ in log.add("C", "due at 200 ms") }
        try events.addTimer(at: later) { _, _ in log.add("D", "due at 200 ms") }
        moved.update(at: later)

        let cancelled = try events.addTimer(after: .milliseconds(100)) { _, _ in log.add("E", "never runs") }
        cancelled.free()

        try events.addTimer(after: .zero) { _, _ in
            log.add("F", "due at once")
            do {
                try events.addTimer(after: .zero) { _, _ in log.add("G", "added by F") }
            } catch {
                log.add("F", "\(error)")
            }
        }
        try events.loopWait()
        print(log)
        // snippet-end: others
    }
}
