import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// One event of each kind, all ready at once, served in the order of a turn.
@main
struct TurnOrder: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "turn-order",
        abstract: "Make one event of each kind ready at once, and let the loop take them one by one.",
        discussion: """
            A descriptor, a timer, an immediate and a signal are added in this order and are all ready before the loop \
            begins. Each line is one call of loopOnce.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let events = try loop.makeContext()
        defer { events.free() }
        let log = EventLog()

        // snippet: ready
        let pipe = try SystemIO.pipe()
        try events.addFD(pipe.reader, .read) { event, _ in
            log.add("descriptor", "there is something to read")
            event.free()
        }.setAutoClose()
        _ = try SystemIO.write(pipe.writer, [1])

        try events.addTimer(after: .zero) { _, _ in log.add("timer", "it is due") }

        try ImmediateEvent(under: events).schedule(on: events) { _, _ in log.add("immediate", "it was scheduled") }

        try events.addSignal(.user1) { event, arrival in
            log.add("signal", "\(arrival.signal) has arrived")
            event.free()
        }
        Signal.user1.raise()
        // snippet-end: ready

        // snippet: turns
        while try events.loopOnce() == .handled {}
        print(log)
        // snippet-end: turns
        SystemIO.close(pipe.writer)
    }
}
