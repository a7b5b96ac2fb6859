import ArgumentParser
import Chapter1ContextAndLoops
import Chapter5Queues
import Talloc
import Tevent
import TeventExtras

/// A log whose file is swapped between two messages, without losing or tearing one.
@main
struct LogBarrier: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "log-barrier",
        abstract: "Swap a log's file for another: a wait in the queue tells when the old one can be closed.",
        discussion: """
            The two files are pipes here, each emptied once a second. The clock is moved by hand, so the program takes \
            no time.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let program = try TallocContext(named: "program")
        let clock = ManualClock()
        let events = try loop.makeContext(under: program, clock: clock)
        let log = EventLog(clock: clock)
        let (old, new) = (try SlowReader(clock: clock), try SlowReader(clock: clock))
        defer {
            program.free()
            old.close()
            new.close()
        }
        let queue = try RequestQueue(label: "log", under: program)

        func write(_ name: Character, to file: SlowReader) throws {
            let write = try QueuedWrite.send(
                file.message(name, pipefuls: 2), to: file.writer, through: queue, on: events, under: program)
            write.setCallback { write in
                do {
                    try write.receive()
                    log.add("\(name)", "is written")
                } catch { log.add("\(name)", "\(error)") }
                write.free()
            }
        }

        // snippet: swap
        try write("A", to: old)
        try write("B", to: old)
        let barrier = try QueueWait.send(in: queue, on: events, under: program)
        try write("C", to: new)
        try write("D", to: new)

        barrier.setCallback { barrier in
            do {
                try barrier.receive()
                old.closeWriter()
                log.add("barrier", "the old file is closed; waiting behind it: \(queue.length - 1)")
            } catch { log.add("barrier", "\(error)") }
            barrier.free()
        }
        // snippet-end: swap

        while try events.loopWait() == .timedOut {
            clock.advance(by: .seconds(1))
            for file in [old, new] { try file.read() }
        }
        for file in [old, new] { try file.read() }
        print(log)
        print("The old file: \(old.letters)\nThe new file: \(new.letters)")
    }
}
