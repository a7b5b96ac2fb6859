import ArgumentParser
import Chapter1ContextAndLoops
import Talloc
import Tevent

/// A queue that pauses while there is nothing to work with.
@main
struct StopAndStart: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "stop-and-start",
        abstract: "Stop a queue and start it again, from outside and from a trigger that cannot begin yet.",
        discussion: """
            The clock is moved by hand, so the program takes no time; the first column is what the clock shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        let clock = ManualClock()
        let events = try loop.makeContext(clock: clock)
        defer { events.free() }
        let log = EventLog(clock: clock)
        let link = Link(queue: try RequestQueue(label: "link", under: events), events: events, log: log)

        // snippet: plan
        let plan: [(second: Int, what: String, step: () -> Void)] = [
            (1, "comes up", link.comeUp),
            (2, "is stopped", link.queue.stop),
            (4, "is started", link.queue.start),
        ]
        // snippet-end: plan
        for (second, what, step) in plan {
            try events.addTimer(after: .seconds(second), under: events) { _, _ in
                log.add("link", what)
                step()
            }
        }
        for name in ["A", "B", "C"] {
            let transfer = try Transfer.send(name, over: link, under: events)
            transfer.setCallback { transfer in
                log.add(name, "is done")
                transfer.free()
            }
        }
        while try events.loopWait() == .timedOut { clock.advance(by: .milliseconds(500)) }
        print(log)
    }
}

/// What transfers need; down at first.
final class Link {
    let queue: RequestQueue
    let events: EventContext
    let log: EventLog
    private(set) var isUp = false

    init(queue: RequestQueue, events: EventContext, log: EventLog) {
        self.queue = queue
        self.events = events
        self.log = log
    }

    // snippet: come-up
    func comeUp() {
        isUp = true
        queue.start()
    }
    // snippet-end: come-up
}

/// Work that takes a second and a half, and needs a link that is up.
struct Transfer {
    let name: String
    let link: Link

    static func send(
        _ name: String, over link: Link, under parent: some TallocObject
    ) throws(TeventError) -> Request<Transfer> {
        let request = try Request(Transfer(name: name, link: link), under: parent)
        let entry = request.attempt { try link.queue.add(request, on: link.events, trigger: begin) }
        return entry == nil ? request.post(on: link.events) : request
    }

    // snippet: begin
    private static func begin(_ request: Request<Transfer>) {
        let (name, link) = (request.state.name, request.state.link)
        guard link.isUp else {
            link.log.add(name, "cannot begin yet")
            link.queue.stop()
            link.queue.entries[0].untrigger()
            return
        }
        link.log.add(name, "begins")
        let wakeup = request.attempt {
            try Wakeup.send(after: .milliseconds(1500), on: link.events, under: request)
        }
        wakeup?.setCallback { wakeup in
            if request.attempt({ try wakeup.receive() }) != nil { request.finish() }
        }
    }
    // snippet-end: begin
}
