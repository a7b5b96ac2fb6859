/// How a loop ended.
public enum LoopResult: Sendable, Equatable {
    /// One handler ran.
    case handled
    /// There is no event left that could ever happen.
    case noEvents
    /// The longest wait passed without an event; with a ``ManualClock``, nothing can happen until the clock moves.
    case timedOut
    /// A handler called ``EventContext/stop()``.
    case stopped
    /// The condition of ``EventContext/loop(until:)`` came true.
    case finished
    /// A handler freed the context.
    case contextFreed
}
