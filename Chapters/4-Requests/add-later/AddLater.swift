import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// One small operation that answers later, with all four parts that every request has.
@main
struct AddLater: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "add-later",
        abstract: "Send a request that adds two numbers, and receive the sum when it is done.",
        discussion: """
            The addition takes two seconds, for lack of anything slower to do. The clock is moved by hand, so the \
            program takes no time; the first column is what the clock shows.
            """)

    @Argument(help: "The first number.")
    var left = 20

    @Argument(help: "The second number.")
    var right = 22

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: run
        let program = try TallocContext(named: "program")
        defer { program.free() }
        let clock = ManualClock()
        let events = try loop.makeContext(under: program, clock: clock)
        let log = EventLog(clock: clock)

        let request = try Add.send(left, right, on: events, under: program)
        request.setCallback { request in
            log.add("callback", "called, the request is \(request.status)")
            do {
                log.add("receive", "\(try request.receive())")
            } catch {
                log.add("receive", "\(error)")
            }
            log.add("callback", "now the request is \(request.status)")
            request.free()
        }
        log.add("send", "has returned, the request is \(request.status)")

        while try events.loopWait() == .timedOut { clock.advance(by: .seconds(1)) }
        log.add("loop", "has nothing left to do, and is the request freed? \(request.isFreed)")
        print(log)
        // snippet-end: run
    }
}

// snippet: state
/// The state: what an addition has to remember until it is done.
struct Add {
    let left: Int
    let right: Int
    var sum = 0
    // snippet-end: state

    // snippet: send
    /// Send: starts the work and returns immediately.
    static func send(
        _ left: Int, _ right: Int, on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<Add> {
        let request = try Request(Add(left: left, right: right), under: parent)
        let timer = request.attempt {
            try events.addTimer(after: .seconds(2), under: request) { _, _ in done(request) }
        }
        return timer == nil ? request.post(on: events) : request
    }
    // snippet-end: send

    // snippet: done
    /// Done: what the request was waiting for has happened.
    private static func done(_ request: Request<Add>) {
        let (sum, overflow) = request.state.left.addingReportingOverflow(request.state.right)
        guard !overflow else { return request.fail(AddError.tooLarge) }
        request.state.sum = sum
        request.finish()
    }
    // snippet-end: done
}

enum AddError: Error { case tooLarge }

// snippet: receive
extension Request<Add> {
    /// Receive: returns the sum, or throws the error; releases the state.
    func receive() throws -> Int { try receive { $0.sum } }
}
// snippet-end: receive
