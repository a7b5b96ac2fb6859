import Talloc
import Tevent

/// One of the moments at which a ``Ticker`` calls its handler.
public struct Tick: Sendable, Equatable {
    /// The number of the tick, starting at 1.
    public let number: Int
    /// The planned time, counted from the creation of the ticker; the tick never happens earlier.
    public let planned: Duration
    /// Whether the ticker ends with this tick.
    public let isLast: Bool
}

/// Runs at each tick; it may stop the ticker.
public typealias TickHandler = (_ ticker: Ticker, _ tick: Tick) -> Void

/// Repeats at an interval for a given duration, then ends and is freed.
///
/// The plan does not drift: each tick is planned from the beginning, not from the tick before. If the loop is busy,
/// late ticks happen one after another as soon as it is free; none is skipped.
///
/// ```swift
/// try Ticker(on: events, every: .seconds(1), for: .seconds(3)) { _, tick in
///     print(tick.number, tick.planned, tick.isLast)
/// }
/// ```
public struct Ticker: TallocObject, Equatable {
    // snippet: state
    /// The ticker's state, in its own chunk, which owns the timer and the handler.
    private struct State {
        let start: EventInstant
        let interval: Duration
        let duration: Duration
        let handler: TickHandler
        var ticks = 0
    }

    private let state: TallocChunk<State>
    // snippet-end: state

    /// The checked reference to the ticker's chunk.
    public var tallocHandle: TallocHandle { state.tallocHandle }

    // snippet: init
    /// Starts a ticker; its first tick comes after one interval.
    ///
    /// - Parameters:
    ///   - events: The context whose loop runs the handler.
    ///   - interval: The time between two ticks; must be more than zero.
    ///   - duration: The time from now to the last tick, at least one interval.
    ///   - owner: The ticker's parent; by default the context.
    ///   - handler: Runs at each tick. The ticker owns it until it is freed.
    /// - Throws: `TallocError` or `TeventError` if there is no memory; then nothing is left behind.
    @discardableResult
    public init(
        on events: EventContext, every interval: Duration, for duration: Duration,
        under owner: (some TallocObject)? = TallocContext?.none, _ handler: @escaping TickHandler
    ) throws {
        guard interval > .zero else {
            fatalError("a ticker without time between its ticks would leave no turn to other events")
        }
        guard duration >= interval else {
            fatalError("a ticker must tick at least once, so its duration is at least one interval")
        }
        let start = events.now
        let plan = State(start: start, interval: interval, duration: duration, handler: handler)
        let ticker = Ticker(
            state: try TallocChunk(plan, under: owner?.tallocContext ?? events.tallocContext, named: "Ticker"))
        do {
            try events.addTimer(at: start.advanced(by: interval), under: ticker) { timer, _ in ticker.tick(timer) }
        } catch {
            if !ticker.isFreed { ticker.free() }
            throw error
        }
        self = ticker
    }
    // snippet-end: init

    private init(state: TallocChunk<State>) { self.state = state }

    /// How many ticks have started.
    public var ticks: Int { state.value.ticks }

    // snippet: stop
    /// Ends the ticker now; the same as freeing it.
    public func stop() { free() }
    // snippet-end: stop

    // snippet: tick
    /// Runs the handler, then moves the timer to the next tick, or ends.
    private func tick(_ timer: TimerEvent) {
        // Releasing the handler may run a loop, while the timer below the ticker still exists.
        guard !isFreed else { return }
        state.value.ticks += 1
        let plan = state.value
        let planned = plan.interval * plan.ticks
        let isLast = plan.duration - planned < plan.interval
        plan.handler(self, Tick(number: plan.ticks, planned: planned, isLast: isLast))
        // The handler may have stopped the ticker, which freed the timer as well.
        guard !isFreed else { return }
        if isLast { free() } else { timer.update(at: plan.start.advanced(by: planned + plan.interval)) }
    }
    // snippet-end: tick
}
