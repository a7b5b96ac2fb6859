import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// Two contexts with different kinds of events, run at different times.
@main
struct TwoContexts: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "two-contexts",
        abstract: "Make two contexts ready, then run the loop of the one, later that of the other.",
        discussion: """
            The context "letters" has a descriptor, the context "alarms" has timers, and both want the same signal. \
            All are ready before a loop begins. Each line names the context whose handler ran.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let log = EventLog()
        // snippet: letters
        let letters = try loop.makeContext()
        let pipe = try SystemIO.pipe()
        try letters.addFD(pipe.reader, .read) { event, _ in
            log.add("letters", "a descriptor is ready")
            event.free()
        }.setAutoClose()
        // snippet-end: letters

        // snippet: alarms
        let alarms = try loop.makeContext()
        try alarms.addTimer(after: .zero) { _, _ in log.add("alarms", "a timer is due") }
        try alarms.addTimer(after: .milliseconds(1)) { _, _ in log.add("alarms", "another is due") }
        // snippet-end: alarms

        // snippet: both
        for (name, events) in [("letters", letters), ("alarms", alarms)] {
            try events.addSignal(.user1) { event, arrival in
                log.add(name, "\(arrival.signal) has arrived")
                event.free()
            }
        }
        // snippet-end: both

        // snippet: run
        Signal.user1.raise()
        _ = try SystemIO.write(pipe.writer, [1])
        log.add("main", "runs the loop of letters")
        try letters.loopWait()
        log.add("main", "does something else for a while")
        log.add("main", "runs the loop of alarms")
        try alarms.loopWait()
        print(log)
        // snippet-end: run

        letters.free()
        alarms.free()
        SystemIO.close(pipe.writer)
    }
}
