import ArgumentParser
import Chapter1ContextAndLoops
import Chapter2Events
import Tevent
import TeventExtras

/// A timer that repeats every two seconds for one minute, then ends.
@main
struct TickerProgram: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "ticker",
        abstract: "Repeat a timer every two seconds for one minute, then end.",
        discussion: """
            Prints each tick when it happens, with the second it was planned for. After the last tick no event is \
            left, so the loop ends and the program with it.
            """)

    @Option(parsing: .unconditional, help: "Seconds between two ticks.")
    var interval = Seconds(.seconds(2))

    @Option(parsing: .unconditional, help: "Seconds until the last tick.")
    var duration = Seconds(.seconds(60))

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard interval.duration > .zero else {
            throw ValidationError("--interval must be more than 0 s, not \(interval).")
        }
        guard duration.duration >= interval.duration else {
            throw ValidationError("--duration must be at least one interval, \(interval), not \(duration).")
        }
    }

    func run() throws {
        SystemIO.printLineByLine()
        // snippet: run
        let events = try loop.makeContext()
        defer { events.free() }
        print("A tick every \(interval) for \(duration):")
        try Ticker(on: events, every: interval.duration, for: duration.duration) { _, tick in
            print("tick \(tick.number), planned for \(inSeconds(tick.planned))\(tick.isLast ? ", the last" : "")")
        }
        let result = try events.loopWait()
        print("The loop has ended: \(result)")
        // snippet-end: run
    }
}
