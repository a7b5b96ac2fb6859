import ArgumentParser
import Talloc
import Tevent

/// What every program of the tutorial lets its user choose about the loop.
public struct LoopOptions: ParsableArguments {
    // snippet: backend-option
    /// The name of the backend, always one of `EventContext.backends`.
    @Option(help: "How the loop waits for descriptors: \(EventContext.backends.joined(separator: " or ")).")
    public var backend = EventContext.defaultBackend

    /// Refuses a backend that does not exist, and lists those that do.
    public func validate() throws {
        guard EventContext.backends.contains(backend) else {
            throw ValidationError("\(TeventError.unknownBackend(name: backend))")
        }
    }
    // snippet-end: backend-option

    /// The options with nothing chosen yet.
    public init() {}

    /// Makes a context with the backend that was chosen.
    ///
    /// - Parameters:
    ///   - parent: What the context is freed with; nil makes a root.
    ///   - clock: A clock to be moved by hand; nil means the system's.
    /// - Throws: What `EventContext.init(under:backend:clock:)` throws.
    public func makeContext(
        under parent: (some TallocObject)? = TallocContext?.none, clock: ManualClock? = nil
    ) throws(TeventError) -> EventContext {
        try EventContext(under: parent, backend: backend, clock: clock)
    }
}
