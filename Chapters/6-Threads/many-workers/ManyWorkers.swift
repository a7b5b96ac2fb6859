import ArgumentParser
import Chapter1ContextAndLoops
import Chapter6Threads
import Talloc
import Tevent
import TeventExtras

/// Jobs for several threads, each with its own loop.
@main
struct ManyWorkers: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "many-workers",
        abstract: "Count primes on several threads.",
        discussion: """
            The numbers are divided into ranges. Each thread gets one, and the next when it has answered. Which thread \
            counts which range differs from run to run; the result does not.
            """)

    @Option(parsing: .unconditional, help: "How many threads to start.")
    var threads = 4

    @Option(parsing: .unconditional, help: "Count the primes below this number.")
    var below = 100_000

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard (1...1000).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1000, not \(threads).")
        }
        guard (10...1_000_000_000).contains(below) else {
            throw ValidationError("--below must be from 10 to 1000000000, not \(below).")
        }
    }

    func run() throws {
        let events = try loop.makeContext()
        defer { events.free() }

        // snippet: run
        // The threads may not read the command's properties, which belong to this thread.
        let (limit, backend) = (below, loop.backend)
        let workers = try (1...threads).map { number in
            try Worker(named: "worker \(number)", backend: backend) { _ in Primes(upToRootOf: limit) }
        }
        let work = try CountPrimes.send(below: below, by: workers, on: events, under: events)
        try work.poll(on: events)
        let counts = try work.receive().sorted { $0.range.lowerBound < $1.range.lowerBound }
        for worker in workers { worker.stop() }
        for worker in workers { try worker.join() }

        for (range, count) in counts { print("from \(range.lowerBound) to \(range.upperBound): \(count)") }
        print("together: \(counts.reduce(0) { $0 + $1.count })")
        // snippet-end: run
    }
}
