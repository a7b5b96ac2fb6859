import ArgumentParser
import Chapter1ContextAndLoops
import Chapter5Queues
import Talloc
import Tevent
import TeventExtras

/// What happens in a queue, from the first entry to the last.
@main
struct QueueTrace: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "queue-trace",
        abstract: "Trace three writes through a queue, the first of which is freed late.",
        discussion: """
            The clock is moved by hand, so the program takes no time; the first column is what the clock shows.
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
        events.logQueues(to: log)
        let queue = try RequestQueue(label: "line", under: program)
        for size in [100, 200, 300] {
            let write = try QueuedWrite.send(
                [UInt8](repeating: 1, count: size), to: reader.writer, through: queue, on: events, under: program)
            write.setCallback { write in
                received(write, size)
                if size > 100 { write.free() }
            }
            if size == 100 {
                try events.addTimer(after: .seconds(1), under: program) { _, _ in
                    log.add("caller", "frees write of 100 bytes")
                    write.free()
                }
            }
        }

        func received(_ write: Request<QueuedWrite>, _ size: Int) {
            do { try write.receive() } catch { return log.add("callback", "\(error)") }
            log.add("callback", "write of \(size) bytes is received, length \(queue.length)")
        }

        log.add("caller", "runs the loop")
        try reader.run(events)
        print(log)
        // snippet-end: run
    }
}
