import Chapter1ContextAndLoops
import Talloc
import Tevent
import XCTest

/// What a test works with: memory that is freed at its end, a context with one of the backends, and a log.
struct Bench {
    let backend: String
    let memory: TallocContext
    let events: EventContext
    let log = EventLog()

    /// Makes another context on the same backend.
    func anotherContext(clock: ManualClock? = nil) throws -> EventContext {
        try EventContext.impatient(under: memory, backend: backend, clock: clock)
    }

    /// Makes a pipe with a byte in it, so that its reading end is ready; it is closed when the memory is freed.
    func readyPipe() throws -> Int32 {
        let pipe = try SystemIO.pipe()
        _ = try SystemIO.write(pipe.writer, [1])
        let ends = try TallocChunk(pipe, under: memory)
        ends.setDestructor { ends in
            SystemIO.close(ends.value.reader)
            SystemIO.close(ends.value.writer)
            return .allow
        }
        return pipe.reader
    }

    /// Adds an event of a kind that is ready immediately, logs when it is served, and is then freed.
    @discardableResult
    func addReady(
        _ kind: EventLists.Kind, to events: EventContext? = nil, as name: String? = nil,
        then more: @escaping () throws -> Void = {}
    ) throws -> TallocContext {
        let events = events ?? self.events
        let serve: (TallocContext) -> Void = { [log] event in
            log.add(name ?? kind.rawValue, "served")
            event.free()
            do { try more() } catch { XCTFail("\(error)") }
        }
        switch kind {
        case .signal:
            let event = try events.addSignal(.user1) { event, _ in serve(event.tallocContext) }
            Signal.user1.raise()
            return event.tallocContext
        case .immediate:
            let event = try ImmediateEvent(under: events)
            event.schedule(on: events) { event, _ in serve(event.tallocContext) }
            return event.tallocContext
        case .timer:
            return try events.addTimer(at: .zero) { event, _ in serve(event.tallocContext) }.tallocContext
        case .descriptor:
            return try events.addFD(try readyPipe(), .read) { event, _ in serve(event.tallocContext) }.tallocContext
        }
    }
}

extension EventContext {
    /// A context whose loop stops waiting for what never comes, so that a test fails instead of hanging.
    fileprivate static func impatient(
        under memory: TallocContext, backend: String, clock: ManualClock? = nil
    ) throws -> EventContext {
        let events = try EventContext(under: memory, backend: backend, clock: clock)
        events.maximumWait = .seconds(1)
        return events
    }
}

/// Runs a test once with each backend.
func onEachBackend(_ test: (Bench) throws -> Void) throws {
    for backend in EventContext.backends {
        let memory = try TallocContext(named: "test")
        defer { if !memory.isFreed { memory.free() } }
        let events = try EventContext.impatient(under: memory, backend: backend)
        do {
            try test(Bench(backend: backend, memory: memory, events: events))
        } catch {
            XCTFail("with \(backend): \(error)")
        }
    }
}
