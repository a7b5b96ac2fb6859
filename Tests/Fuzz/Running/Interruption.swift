import Tevent

/// Ctrl-C, and what asks the program to end: it stops its children first, and says what it has found.
final class Interruption: Sendable {
    /// Is readable from the moment the program is asked to end.
    let descriptor: Int32
    private let listener: SystemThread<LoopResult>

    init() throws {
        let (reader, writer) = try SystemIO.pipe()
        descriptor = reader
        // Caught from here on, not from whenever the thread gets to run.
        let events = try EventContext()
        for signal in [Signal.interrupt, .terminate] {
            try events.addSignal(signal) { event, _ in
                SystemIO.close(writer)
                // From now on a signal ends the program as if nothing caught it.
                event.context?.free()
            }
        }
        listener = try SystemThread(named: "interruption") { try events.loopOnce() }
    }
}

/// What is thrown where a child was stopped because this program has to end.
struct Interrupted: Error {}
