import ArgumentParser
import Talloc
import Tevent

/// The loop options that every program of the tutorial has.
public struct LoopOptions: ParsableArguments {
    // snippet: backend-option
    /// The name of the backend, always one of `EventContext.backends`.
    @Option(help: "How the loop waits for descriptors: \(EventContext.backends.joined(separator: " or ")).")
    public var backend = EventContext.defaultBackend

    /// Rejects a backend that does not exist, and lists those that do.
    public func validate() throws {
        guard EventContext.backends.contains(backend) else {
            throw ValidationError("\(TeventError.unknownBackend(name: backend))")
        }
    }
    // snippet-end: backend-option

    /// Creates the default options.
    public init() {}

    /// Creates a context with the chosen backend.
    ///
    /// - Parameters:
    ///   - parent: The context's parent; nil makes a root.
    ///   - clock: A clock that is moved by hand; nil, the default, means the system's.
    /// - Throws: The same errors as `EventContext.init(under:backend:clock:)`.
    public func makeContext(
        under parent: (some TallocObject)? = TallocContext?.none, clock: ManualClock? = nil
    ) throws(TeventError) -> EventContext {
        try EventContext(under: parent, backend: backend, clock: clock)
    }
}
