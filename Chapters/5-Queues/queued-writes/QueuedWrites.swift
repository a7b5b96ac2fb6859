import ArgumentParser
import Chapter1ContextAndLoops
import Chapter5Queues
import Talloc
import Tevent
import TeventExtras

/// The same three messages, each of which waits for its turn.
@main
struct QueuedWrites: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "queued-writes",
        abstract: "Write three large messages into one pipe, through a queue.",
        discussion: """
            Each message fills the pipe three times. The reader empties it once a second; what it got is shown as a \
            letter for each pipeful. The clock is moved by hand, so the program takes no time.
            """)

    @Option(parsing: .unconditional, help: "How many queues to spread the messages over; one is right.")
    var queues = 1

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard (1...3).contains(queues) else { throw ValidationError("--queues must be from 1 to 3, not \(queues).") }
    }

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
        let lines = try (1...queues).map { try RequestQueue(label: "line \($0)", under: program) }
        for (index, name) in (["A", "B", "C"] as [Character]).enumerated() {
            let message = reader.message(name, pipefuls: 3)
            let write = try QueuedWrite.send(
                message, to: reader.writer, through: lines[index % lines.count], on: events, under: program)
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
