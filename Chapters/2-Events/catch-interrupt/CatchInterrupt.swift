import ArgumentParser
import Chapter1ContextAndLoops
import Tevent

/// Catches SIGINT, which Ctrl-C sends, in the loop.
@main
struct CatchInterrupt: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "catch-interrupt",
        abstract: "Catch Ctrl-C in the loop; the second one ends the program.",
        discussion: """
            Waits for SIGINT. With --send, a timer's handler sends the signal to the program itself that many times \
            before it returns, as if Ctrl-C were pressed while the program is busy.
            """)

    @Option(parsing: .unconditional, help: "How many interrupts end the program.")
    var last = 2

    @Option(parsing: .unconditional, help: "How many interrupts the program sends itself while it is busy.")
    var send = 0

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard last > 0 else { throw ValidationError("--last must be at least 1, not \(last).") }
        guard send >= 0 else { throw ValidationError("--send cannot be negative, as \(send) is.") }
    }

    func run() throws {
        SystemIO.printLineByLine()
        let events = try loop.makeContext()
        defer { events.free() }

        // snippet: catch
        var arrived = 0
        try events.addSignal(.interrupt) { event, arrival in
            arrived += arrival.count
            print("handler called: \(arrival.signal), \(arrival.count) since the last call, \(arrived) in all")
            if arrived >= last { event.free() }
        }
        // snippet-end: catch

        // snippet: busy
        if send > 0 {
            try events.addTimer(after: .zero) { _, _ in
                for _ in 1...send { Signal.interrupt.raise() }
                print("busy: \(send) interrupts sent, the signal's handler has seen \(arrived)")
            }
        }
        // snippet-end: busy

        // snippet: loop
        print("Waiting for \(last) interrupts; press Ctrl-C.")
        try events.loopWait()
        print("No event is left; Ctrl-C does again what it did before.")
        // snippet-end: loop
    }
}
