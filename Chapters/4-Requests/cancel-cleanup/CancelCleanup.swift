import ArgumentParser
import Chapter1ContextAndLoops
import Chapter2Events
import Talloc
import Tevent
import TeventExtras

/// A request that ends in three ways, and which functions are called in which order.
@main
struct CancelCleanup: ExampleProgram {
    static let configuration = CommandConfiguration(
        commandName: "cancel-cleanup",
        abstract: "End a request by itself, by cancelling it, and by freeing it, and see what is called when.",
        discussion: """
            The request downloads three pieces, one a second. Its cleanup function is called however it ends. The \
            clock is moved by hand; the first column is what it shows.
            """)

    @OptionGroup var loop: LoopOptions

    func run() throws {
        // snippet: cases
        print("Left alone:")
        print(try log { _, _ in })
        print("Cancelled, and cancelled again:")
        print(
            try log { request, log in
                log.add("caller", "cancels: \(request.cancel())")
                if !request.isFreed { log.add("caller", "cancels: \(request.cancel())") }
            })
        print("Freed:")
        print(
            try log { request, log in
                log.add("caller", "frees")
                request.free()
            })
        // snippet-end: cases
    }

    /// Starts a download, calls `interfere` after one and a half seconds, and logs which functions are called.
    private func log(_ interfere: @escaping (Request<Download>, EventLog) -> Void) throws -> EventLog {
        let clock = ManualClock()
        let events = try loop.makeContext(clock: clock)
        defer { events.free() }
        let log = EventLog(clock: clock)
        // snippet: caller
        let request = try Download.send(on: events, log, under: events)
        request.setCallback { request in
            log.add("callback", "\(request.status)")
            do { log.add("receive", "\(try request.receive()) pieces") } catch { log.add("receive", "\(error)") }
        }
        // snippet-end: caller
        try events.addTimer(after: .milliseconds(1500)) { _, _ in interfere(request, log) }
        while try events.loopWait() == .timedOut { clock.advance(by: .milliseconds(500)) }
        if !request.isFreed {
            log.add("caller", "frees what is left")
            request.free()
        }
        return log
    }
}

// snippet: download
/// Downloads three pieces, one a second.
struct Download {
    var pieces = 0
    var ticker: Ticker?

    static func send(
        on events: EventContext, _ log: EventLog, under parent: some TallocObject
    ) throws(TeventError) -> Request<Download> {
        let request = try Request(Download(), under: parent)
        request.setCancel { request in
            log.add("cancel", "\(request.status)")
            request.fail(RequestError.cancelled)
            return true
        }
        request.setCleanup { request, status in
            let ticker = request.state.ticker.take()
            log.add("cleanup", ticker == nil ? "\(status)" : "\(status), stops the ticker")
            ticker?.stop()
        }
        request.state.ticker = request.attempt {
            try Ticker(on: events, every: .seconds(1), for: .seconds(3), under: request) { _, tick in
                log.add("download", "piece \(tick.number)")
                request.state.pieces = tick.number
                if tick.isLast { request.finish() }
            }
        }
        return request.isInProgress ? request : request.post(on: events)
    }
}
// snippet-end: download

extension Request<Download> {
    func receive() throws -> Int { try receive { $0.pieces } }
}
