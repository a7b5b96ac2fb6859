import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// A request with a deadline, and one that gets more time while it runs.
@main
struct EndTime: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "end-time",
        abstract: "Let a request time out, then extend its time, then take the limit away.",
        discussion: """
            The answer comes after five seconds. The clock is moved by hand, so the program takes no time; the first \
            column is what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: cases
        try ask("It may take three seconds:") { request, events, log in
            try request.setEndTime(after: .seconds(3), on: events)
        }
        try ask("Three seconds, and after two it gets four more:") { request, events, log in
            try request.setEndTime(after: .seconds(3), on: events)
            try events.addTimer(after: .seconds(2)) { _, _ in
                let extended: Void? = request.attempt { try request.setEndTime(after: .seconds(4), on: events) }
                log.add("caller", "\(extended == nil ? "could not extend" : "has extended") the end time")
            }
        }
        try ask("Three seconds, and after two the limit is taken away:") { request, events, log in
            try request.setEndTime(after: .seconds(3), on: events)
            try events.addTimer(after: .seconds(2)) { _, _ in
                request.resetEndTime()
                log.add("caller", "the end time is \(request.endTime.map { "\($0)" } ?? "none")")
            }
        }
        // snippet-end: cases
    }

    /// Sends a question, has `limit` say how long it may take, and logs the outcome.
    private func ask(
        _ title: String, limit: (Request<Question>, EventContext, EventLog) throws -> Void
    ) throws {
        let clock = ManualClock()
        let events = try loop.makeContext(clock: clock)
        defer { events.free() }
        let log = EventLog(clock: clock)
        let request = try Question.send(on: events, log, under: events)
        request.setCallback { request in
            log.add("callback", "the request is \(request.status)")
            do { log.add("receive", try request.receive()) } catch { log.add("receive", "\(error)") }
            request.free()
        }
        try limit(request, events, log)
        while try events.loopWait() == .timedOut { clock.advance(by: .seconds(1)) }
        print(title)
        print(log)
    }
}

/// A question that is answered after five seconds.
struct Question {
    var answer = ""

    static func send(
        on events: EventContext, _ log: EventLog, under parent: some TallocObject
    ) throws(TeventError) -> Request<Question> {
        let request = try Request(Question(), under: parent)
        let timer = request.attempt {
            try events.addTimer(after: .seconds(5), under: request) { _, _ in
                log.add("question", "the answer is there")
                request.state.answer = "42"
                request.finish()
            }
        }
        return timer == nil ? request.post(on: events) : request
    }
}

extension Request<Question> {
    func receive() throws -> String { try receive { $0.answer } }
}
