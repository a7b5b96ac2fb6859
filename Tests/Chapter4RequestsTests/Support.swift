import Chapter1ContextAndLoops
import Chapter4Requests
import Talloc
import Tevent
import XCTest

/// What a test works with: memory that is freed at its end, a context whose clock is moved by hand, and a log.
struct Bench {
    let memory: TallocContext
    let clock = ManualClock()
    let events: EventContext
    let log: EventLog

    init(_ backend: String) throws {
        memory = try TallocContext(named: "test")
        events = try EventContext(under: memory, backend: backend, clock: clock)
        log = EventLog(clock: clock)
    }

    /// Runs the loop until nothing can happen before the clock moves, then moves the clock, until no event is left.
    func run(advancing step: Duration = .milliseconds(100), atMost limit: Int = 10_000) throws {
        for _ in 0..<limit {
            guard try events.loopWait() == .timedOut else { return }
            clock.advance(by: step)
        }
        XCTFail("the loop does not come to an end")
    }

    /// Logs the status of a request when it calls back, and the result of receiving it.
    func logEnd<State, Result>(
        of request: Request<State>, as who: String = "callback", _ receive: @escaping (Request<State>) throws -> Result
    ) {
        request.setCallback { [log] request in
            log.add(who, "\(request.status)")
            do { log.add("receive", "\(try receive(request))") } catch { log.add("receive", "\(error)") }
            request.free()
        }
    }
}

/// Runs a test once with each backend.
func onEachBackend(_ test: (Bench) throws -> Void) throws {
    for backend in EventContext.backends {
        let bench = try Bench(backend)
        defer { if !bench.memory.isFreed { bench.memory.free() } }
        do {
            try test(bench)
        } catch {
            XCTFail("with \(backend): \(error)")
        }
    }
}

/// Work that waits for a while and then returns a number.
struct Delay {
    let value: Int

    static func send(
        _ time: Duration, value: Int = 1, on events: EventContext, under parent: some TallocObject
    ) throws(TeventError) -> Request<Delay> {
        let request = try Request(Delay(value: value), under: parent)
        let timer = request.attempt {
            try events.addTimer(after: time, under: request) { _, _ in request.finish() }
        }
        return timer == nil ? request.post(on: events) : request
    }
}

extension Request<Delay> {
    func receive() throws -> Int { try receive { $0.value } }
}

struct Oops: Error, Equatable {}

extension EventLog {
    /// What acted and what it did, one per line.
    var lines: [String] { entries.map { "\($0.who) \($0.what)" } }
}

/// Calls, in a handler, which cannot throw, a function that cannot fail there.
func sure<Value>(_ body: () throws -> Value) -> Value {
    do { return try body() } catch { fatalError("unexpected: \(error)") }
}
