import ArgumentParser
import Chapter1ContextAndLoops
import Chapter5Queues
import Talloc
import Tevent
import TeventExtras

/// A reader that closes its end while three messages are on their way.
@main
struct GoesAway: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "goes-away",
        abstract: "Let the reader go away while three writes wait: each finds out for itself, or the first tells all.",
        discussion: """
            Each message fills the pipe three times. The clock is moved by hand, so the program takes no time.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        print("Each finds out for itself:")
        try run { _ in }
        print("The first hangs up:")
        // snippet: hang-up
        try run { queue in queue.hangUp() }
        // snippet-end: hang-up
    }

    private func run(whenBroken: @escaping (RequestQueue) -> Void) throws {
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

        try events.addTimer(after: .seconds(1), under: program) { _, _ in
            log.add("reader", "goes away")
            reader.stopReading()
        }
        for name in ["A", "B", "C"] as [Character] {
            let message = reader.message(name, pipefuls: 3)
            // snippet: send
            let write = try QueuedWrite.send(
                message, to: reader.writer, through: queue, on: events, under: program)
            write.setCallback { write in
                let begun = write.hasBegun ? "had begun" : "had not begun"
                do {
                    try write.receive()
                    log.add("\(name)", "is written")
                } catch {
                    log.add("\(name)", "\(begun): \(error)")
                    if queue.isRunning { whenBroken(queue) }
                }
                write.free()
            }
            // snippet-end: send
        }
        try reader.run(events)
        print(log)
        print("Left in the queue: \(queue.length)")
    }
}
