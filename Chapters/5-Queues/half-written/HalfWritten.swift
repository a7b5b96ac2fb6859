import ArgumentParser
import Chapter1ContextAndLoops
import Chapter5Queues
import Talloc
import Tevent
import TeventExtras

/// Writes that end before everything is written: some do no harm, one tears the stream.
@main
struct HalfWritten: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "half-written",
        abstract: "End writes early: while they wait, and in the middle.",
        discussion: """
            Each message fills the pipe three times, and the reader empties it once a second. The clock is moved by \
            hand, so the program takes no time.
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
        let queue = try RequestQueue(label: "line", under: program)

        // snippet: send
        func send(_ name: Character) throws -> Request<QueuedWrite> {
            let write = try QueuedWrite.send(
                reader.message(name, pipefuls: 3), to: reader.writer, through: queue, on: events, under: program)
            write.setCallback { write in
                let begun = write.hasBegun ? "had begun" : "had not begun"
                do {
                    try write.receive()
                    log.add("\(name)", "is written")
                } catch { log.add("\(name)", "\(begun): \(error)") }
                write.free()
            }
            return write
        }
        // snippet-end: send

        // snippet: run
        let (a, b, c) = (try send("A"), try send("B"), try send("C"))
        _ = try send("D")
        try a.setEndTime(after: .seconds(2), on: events)
        try b.setEndTime(after: .seconds(1), on: events)
        try events.addTimer(after: .seconds(1), under: program) { _, _ in
            log.add("caller", "cancels C: \(c.cancel())")
        }
        try reader.run(events)
        print(log)
        print("The reader got: \(reader.letters)")
        // snippet-end: run
    }
}
