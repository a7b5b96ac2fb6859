import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import TeventTasks

/// From callbacks to a task, and from a task to callbacks.
@main
struct BothWays: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "both-ways",
        abstract: "Give an async function a callback, and wait for requests in a task in two ways.",
        discussion: """
            Each addition takes a second. The clock is moved by hand, so the program takes no time; the first column \
            is what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        print("A caller with a callback, and an async function:")
        print(try log(callWithCallback))
        print("A task with a callback, and with ended():")
        print(
            try log { events, _, log, program in
                let result = try events.run { try await waitInTwoWays(on: events, log, under: program) }
                log.add("caller", "run has returned \(result)")
            })
    }

    private func callWithCallback(
        on events: EventContext, _ clock: ManualClock, _ log: EventLog, under program: TallocContext
    ) throws {
        // snippet: bridge
        let sum = try events.task(under: program) { try await add(1, 2, 3, on: events, log, under: program) }
        sum.setCallback { sum in
            do { log.add("callback", "the sum is \(try sum.receive())") } catch { log.add("callback", "\(error)") }
            sum.free()
        }
        // snippet-end: bridge
        log.add("caller", "the request of the task is \(sum.status)")
        while try events.loopWait() == .timedOut { clock.advance(by: .seconds(1)) }
    }

    /// Calls a function with a loop of its own, whose clock moves by hand, and returns what it logged.
    private func log(
        _ body: (EventContext, ManualClock, EventLog, TallocContext) throws -> Void
    ) throws -> EventLog {
        let clock = ManualClock()
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let events = try loop.makeContext(under: program, clock: clock)
        let log = EventLog(clock: clock)
        try body(events, clock, log, program)
        return log
    }
}

/// Adds three numbers with two requests, one after the other.
private func add(
    _ first: Int, _ second: Int, _ third: Int, on events: EventContext, _ log: EventLog, under memory: TallocContext
) async throws -> Int {
    log.add("task", "begins")
    let sum = try await Addition.send(first, second, on: events, under: memory).value
    log.add("task", "\(first) + \(second) is \(sum)")
    return try await Addition.send(sum, third, on: events, under: memory).value
}

// snippet: ended
/// Begins two additions, and learns of the first by a callback.
private func waitInTwoWays(
    on events: EventContext, _ log: EventLog, under memory: TallocContext
) async throws -> Int {
    let first = try Addition.send(1, 2, on: events, under: memory)
    first.setCallback { first in
        do { log.add("callback", "1 + 2 is \(try first.receive())") } catch { log.add("callback", "\(error)") }
        first.free()
    }
    let second = try Addition.send(3, 4, on: events, under: memory)
    try await second.ended()
    log.add("task", "the second request is \(second.status)")
    defer { second.free() }
    return try second.receive()
}
// snippet-end: ended

/// An addition that takes a second.
struct Addition {
    let sum: Int

    static func send(
        _ left: Int, _ right: Int, on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<Addition> {
        let request = try Request(Addition(sum: left + right), under: parent)
        let timer = request.attempt {
            try events.addTimer(after: .seconds(1), under: request) { _, _ in request.finish() }
        }
        return timer == nil ? request.post(on: events) : request
    }
}

extension Request<Addition> {
    func receive() throws -> Int { try receive { $0.sum } }
}

// snippet: receivable
extension Addition: ReceivableState {
    static func receive(_ request: Request<Addition>) throws -> Int { try request.receive() }
}
// snippet-end: receivable
