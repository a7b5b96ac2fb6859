import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// Two steps in sequence, each of which waits with a wakeup.
@main
struct WakeupProgram: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "wakeup",
        abstract: "Take two steps one after the other, each begun by a wakeup, and look at what each brings.",
        discussion: """
            The second time, the wakeup is cancelled while the tea cools. The clock is moved by hand, so the program \
            takes no time; the first column is what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        for isCancelled in [false, true] {
            print(isCancelled ? "Cancelled after four seconds:" : "Left alone:")
            print(try log(isCancelled: isCancelled))
        }
    }

    private func log(isCancelled: Bool) throws -> EventLog {
        let clock = ManualClock()
        let events = try loop.makeContext(clock: clock)
        defer { events.free() }
        let log = EventLog(clock: clock)
        let request = try Tea.send(on: events, log, under: events)
        request.setCallback { request in
            do { log.add("receive", try request.receive()) } catch { log.add("receive", "\(error)") }
            request.free()
        }
        if isCancelled {
            try events.addTimer(after: .seconds(4)) { _, _ in
                log.add("caller", "can it be stopped? \(request.state.step?.cancel() ?? false)")
            }
        }
        while try events.loopWait() == .timedOut { clock.advance(by: .seconds(1)) }
        return log
    }
}

// snippet: tea
/// Makes tea: it brews for three seconds, then cools for two.
struct Tea {
    let events: EventContext
    let log: EventLog
    var step: Request<Wakeup>?

    static func send(
        on events: EventContext, _ log: EventLog, under parent: some TallocObject
    ) throws(TeventError) -> Request<Tea> {
        let request = try Request(Tea(events: events, log: log), under: parent)
        log.add("tea", "brews")
        wait(.seconds(3), for: request) { coolDown(request) }
        return request.isInProgress ? request : request.post(on: events)
    }

    private static func coolDown(_ request: Request<Tea>) {
        request.state.log.add("tea", "cools")
        wait(.seconds(2), for: request) { request.finish() }
    }

    /// Takes the next step after a while, or ends the request if the waiting fails.
    private static func wait(_ time: Duration, for request: Request<Tea>, then next: @escaping () -> Void) {
        let events = request.state.events
        let step = request.attempt { try Wakeup.send(after: time, on: events, under: request) }
        guard let step else { return }
        request.state.step = step
        step.setCallback { wakeup in
            guard request.attempt({ try wakeup.receive() }) != nil else { return }
            wakeup.free()
            next()
        }
    }
}
// snippet-end: tea

extension Request<Tea> {
    func receive() throws -> String { try receive { _ in "a cup of tea" } }
}
