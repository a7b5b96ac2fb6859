import ArgumentParser
import Chapter1ContextAndLoops
import Chapter2Events
import Talloc
import Tevent
import TeventExtras

/// A request that reports its progress, in a program that has nothing else to do.
@main
struct Progress: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "progress",
        abstract: "Count to a number, report each step, and let the request run the loop.",
        discussion: "The callback is called for each step and for the end; it asks the request which of the two it is.")

    @Option(help: "How far to count.")
    var last = 3

    @OptionGroup var loop: LoopOptions

    func validate() throws {
        guard (1...1000).contains(last) else { throw ValidationError("--last must be from 1 to 1000, not \(last).") }
    }

    func run() throws {
        // snippet: run
        let events = try loop.makeContext()
        defer { events.free() }
        let request = try Count.send(to: last, on: events, under: events)
        request.setPrint { "counting: \($0.state.count) of \($0.state.last)" }
        request.setCallback { request in
            print(request.isInProgress ? "\(request)" : "the request is \(request.status)")
        }
        print("poll: \(try request.poll(on: events))")
        print("receive: \(try request.receive())")
        // snippet-end: run
    }
}

// snippet: count
/// Counts, one number per millisecond.
struct Count {
    let last: Int
    var count = 0

    static func send(
        to last: Int, on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<Count> {
        let request = try Request(Count(last: last), under: parent)
        let ticker = request.attempt {
            try Ticker(on: events, every: .milliseconds(1), for: .milliseconds(last), under: request) { _, tick in
                request.state.count = tick.number
                if tick.isLast { request.finish() } else { request.notify() }
            }
        }
        return ticker == nil ? request.post(on: events) : request
    }
}
// snippet-end: count

extension Request<Count> {
    func receive() throws -> Int { try receive { $0.count } }
}
