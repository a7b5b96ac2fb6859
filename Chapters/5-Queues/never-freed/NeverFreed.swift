import ArgumentParser
import Chapter1ContextAndLoops
import Chapter5Queues
import Talloc
import Tevent
import TeventExtras

/// A queue that is stuck although all its requests did almost everything right.
@main
struct NeverFreed: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "never-freed",
        abstract: "Block a queue with a request that was received, but not freed, and find it.")

    @Flag(help: "Free each request.") var right = false
    @OptionGroup var loop: LoopOptions

    func run() throws {
        let program = try TallocContext(named: "program")
        let clock = ManualClock()
        let events = try loop.makeContext(under: program, clock: clock)
        let reader = try SlowReader(clock: clock)
        defer {
            program.free()
            reader.close()
        }

        // snippet: run
        let queue = try RequestQueue(label: "line", under: program)
        func send(
            _ name: Character, line: UInt32 = #line, _ callback: @escaping (Request<QueuedWrite>) throws -> Void
        ) throws {
            let message = reader.message(name, pipefuls: 1)
            let write = try QueuedWrite.send(
                message, to: reader.writer, through: queue, on: events, under: program, line: line)
            write.setCallback { write in
                do { try callback(write) } catch { print("\(name): \(error)") }
            }
        }

        try send("A") { write in
            try write.receive()
            write.free()
        }
        try send("B") { write in
            try write.receive()
            if right { write.free() }
        }
        try send("C") { write in
            try write.receive()
            write.free()
        }
        try reader.run(events)
        print("The reader got: \(reader.letters)")
        print("Nothing goes on any more.\n\(queue.report)")
        // snippet-end: run
    }
}
