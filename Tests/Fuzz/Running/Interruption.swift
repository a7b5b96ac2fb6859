import Tevent

/// Handles Ctrl-C and other requests to end: the program stops its children first, and reports what it has found.
final class Interruption: Sendable {
    /// Readable from the moment the program is asked to end.
    let descriptor: Int32
    private let listener: SystemThread<LoopResult>

    init() throws {
        let (reader, writer) = try SystemIO.pipe()
        descriptor = reader
        // Catch signals from here on, and not only once the thread gets to run.
        let events = try EventContext()
        for signal in [Signal.interrupt, .terminate] {
            try events.addSignal(signal) { event, _ in
                SystemIO.close(writer)
                // From now on a signal ends the program as if it were not caught.
                event.context?.free()
            }
        }
        listener = try SystemThread(named: "interruption") { try events.loopOnce() }
    }
}

/// Thrown if a child was stopped because this program has to end.
struct Interrupted: Error {}
