import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// The three loops, and what each returns.
@main
struct OnceOrWait: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "once-or-wait",
        abstract: "Run five timers with loopOnce, loop(until:) and loopWait, and stop on the way.",
        discussion: """
            The timers are due after one to five milliseconds. Each line shows what happened; each call of a loop is \
            followed by what it returned.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let log = EventLog()
        // snippet: timers
        let events = try loop.makeContext()
        defer { events.free() }
        var fired = 0
        for number in 1...5 {
            try events.addTimer(after: .milliseconds(number)) { _, _ in
                fired = number
                log.add("timer \(number)", "fires")
                if number == 4 { events.stop() }
            }
        }
        // snippet-end: timers

        // snippet: loops
        log.add("loopOnce", "\(try events.loopOnce())")
        log.add("loop(until:)", "\(try events.loop { fired == 3 })")
        log.add("loopWait", "\(try events.loopWait())")
        log.add("loopWait", "\(try events.loopWait())")
        log.add("loopOnce", "\(try events.loopOnce())")
        // snippet-end: loops
        print(log)
    }
}
