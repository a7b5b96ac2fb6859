import Talloc
import Tevent

/// One of the moments at which a ``Ticker`` calls its handler.
public struct Tick: Sendable, Equatable {
    /// The first is 1.
    public let number: Int
    /// When it was to happen, counted from when the ticker was made; it never happens earlier.
    public let planned: Duration
    /// Whether the ticker ends with it.
    public let isLast: Bool
}

/// What to do at each tick; the handler may stop the ticker.
public typealias TickHandler = (_ ticker: Ticker, _ tick: Tick) -> Void

/// Repeats every interval for a duration, then ends and is freed.
///
/// The plan does not drift: each tick is planned from the beginning, not from the tick before. Ticks that a busy loop was
/// late for happen one after another as soon as it can; none is left out.
///
/// ```swift
/// try Ticker(on: events, every: .seconds(1), for: .seconds(3)) { _, tick in
///     print(tick.number, tick.planned, tick.isLast)
/// }
/// ```
public struct Ticker: TallocObject, Equatable {
    // snippet: state
    /// What a ticker knows, in a chunk of its own; the chunk owns the timer and the handler.
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
    ///   - interval: The time between two ticks, more than zero.
    ///   - duration: The time from now to the last tick, at least one interval.
    ///   - owner: What the ticker is freed with; by default the context.
    ///   - handler: What to do at each tick. The ticker owns it until it is freed.
    /// - Throws: `TallocError` or `TeventError` when there is no memory; nothing is left behind then.
    @discardableResult
    public init(
        on events: EventContext, every interval: Duration, for duration: Duration,
        under owner: (some TallocObject)? = TallocContext?.none, _ handler: @escaping TickHandler
    ) throws {
        precondition(interval > .zero, "a ticker without time between its ticks would leave no turn to other events")
        precondition(duration >= interval, "a ticker must tick at least once, so its duration is at least one interval")
        let start = events.now
        let plan = State(start: start, interval: interval, duration: duration, handler: handler)
        let ticker = Ticker(
            state: try TallocChunk(plan, under: owner?.tallocContext ?? events.tallocContext, named: "Ticker"))
        do {
            try events.addTimer(at: start.advanced(by: interval), under: ticker) { timer, _ in ticker.tick(timer) }
        } catch {
            ticker.free()
            throw error
        }
        self = ticker
    }
    // snippet-end: init

    private init(state: TallocChunk<State>) { self.state = state }

    /// How many ticks have begun.
    public var ticks: Int { state.value.ticks }

    // snippet: stop
    /// Ends the ticker now: the same as freeing it.
    public func stop() { free() }
    // snippet-end: stop

    // snippet: tick
    /// Runs the handler, then moves the timer to the next tick, or ends.
    private func tick(_ timer: TimerEvent) {
        state.value.ticks += 1
        let plan = state.value
        let planned = plan.interval * plan.ticks
        let next = planned + plan.interval
        let isLast = next > plan.duration
        plan.handler(self, Tick(number: plan.ticks, planned: planned, isLast: isLast))
        // The handler may have stopped the ticker, which has taken the timer with it.
        guard !isFreed else { return }
        if isLast { free() } else { timer.update(at: plan.start.advanced(by: next)) }
    }
    // snippet-end: tick
}
