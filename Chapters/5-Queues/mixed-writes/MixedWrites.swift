import ArgumentParser
import Chapter1ContextAndLoops
import Chapter5Queues
import Talloc
import Tevent

/// Three messages written into one pipe at the same time, which mixes them.
@main
struct MixedWrites: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "mixed-writes",
        abstract: "Write three large messages into one pipe at the same time, without a queue.",
        discussion: """
            Each message fills the pipe three times. The reader empties it once a second; what it got is shown as a \
            letter for each pipeful. The clock is moved by hand, so the program takes no time.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let program = try TallocContext(named: "program")
        let clock = ManualClock()
        let events = try loop.makeContext(under: program, clock: clock)
        let log = EventLog(clock: clock)
        let reader = try SlowReader(clock: clock)
        defer {
            program.free()
            reader.close()
        }

        // snippet: run
        for name in ["A", "B", "C"] as [Character] {
            let message = reader.message(name, pipefuls: 3)
            let write = try WriteAll.send(message, to: reader.writer, on: events, under: program)
            write.setCallback { write in
                do {
                    try write.receive()
                    log.add("\(name)", "is written")
                } catch { log.add("\(name)", "\(error)") }
                write.free()
            }
        }
        try reader.run(events)
        print(log)
        print("The reader got: \(reader.letters)")
        // snippet-end: run
    }
}
