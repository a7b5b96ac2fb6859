import Chapter1ContextAndLoops
import Talloc
import Tevent
import XCTest

/// What a test works with: memory that is freed at its end, a context whose clock is moved by hand, and a log.
struct Bench {
    let backend: String
    let memory: TallocContext
    let clock = ManualClock()
    let events: EventContext
    let log = EventLog()

    init(_ backend: String) throws {
        self.backend = backend
        memory = try TallocContext(named: "test")
        events = try EventContext(under: memory, backend: backend, clock: clock)
    }

    /// A pipe that is closed when the test's memory is freed, unless the test closes an end itself.
    func pipe(closing ends: Set<End> = [.reader, .writer]) throws -> (reader: Int32, writer: Int32) {
        let pipe = try SystemIO.pipe()
        try TallocChunk(pipe, under: memory).setDestructor { pipe in
            if ends.contains(.reader) { SystemIO.close(pipe.value.reader) }
            if ends.contains(.writer) { SystemIO.close(pipe.value.writer) }
            return .allow
        }
        return pipe
    }

    enum End { case reader, writer }

    /// Adds an event for a pipe that is always readable; it frees itself after this many calls.
    func addReadyDescriptor(calls: Int = 1, as name: String = "descriptor") throws {
        let pipe = try pipe()
        _ = try SystemIO.write(pipe.writer, [1])
        var left = calls
        try events.addFD(pipe.reader, .read) { event, _ in
            log.add(name, "runs")
            left -= 1
            if left == 0 { event.free() }
        }
    }

    /// Runs the loop until nothing can happen before the clock moves, then moves the clock, until no event is left.
    func run(advancing step: Duration = .milliseconds(1), atMost limit: Int = 10_000) throws {
        for _ in 0..<limit {
            guard try events.loopWait() == .timedOut else { return }
            clock.advance(by: step)
        }
        XCTFail("the loop does not come to an end")
    }
}

/// Runs a test once with each backend.
func onEachBackend(_ test: (Bench) throws -> Void) throws {
    for backend in ["epoll", "poll"] {
        let bench = try Bench(backend)
        defer { if !bench.memory.isFreed { bench.memory.free() } }
        do {
            try test(bench)
        } catch {
            XCTFail("with \(backend): \(error)")
        }
    }
}

/// An object whose deinitialisation a test can see.
final class Witness {}

extension EventLog {
    /// What was done, in order.
    var what: [String] { entries.map(\.what) }
}
