import Talloc
import Tevent

extension EventContext {
    /// The times of a clock that ticks at an interval, without drift; there is no end.
    ///
    /// ```swift
    /// func beat(on events: EventContext, under memory: TallocContext) async throws {
    ///     for try await time in events.ticks(every: .seconds(1), under: memory).prefix(3) { print(time) }
    /// }
    /// ```
    ///
    /// The first tick comes after one interval. Each is planned from the beginning; ticks that the task has missed come
    /// one after the other as soon as it asks.
    ///
    /// - Parameters:
    ///   - interval: The time between two ticks; more than zero, or the call traps.
    ///   - parent: The owner of the requests that wait: freeing it ends the iteration with ``TaskError/freed``.
    /// - Returns: For each tick, the time for which it was planned.
    ///
    /// The corresponding C function is `tevent_wakeup_send()`.
    public func ticks(every interval: Duration, under parent: some TallocObject) -> LoopSequence<EventInstant> {
        guard interval > .zero else { abort("ticks without time between them would leave no turn to other events") }
        let parent = parent.tallocContext
        var next = now
        return LoopSequence {
            try parent.checkExists()
            next = next.advanced(by: interval)
            try await Wakeup.send(at: next, on: self, under: parent).value
            return next
        }
    }

    /// The arrivals of a signal; there is no end.
    ///
    /// ```swift
    /// func untilInterrupted(on events: EventContext, under memory: TallocContext) async throws {
    ///     for try await arrival in try events.signals(.interrupt, under: memory) {
    ///         print("\(arrival.signal) has arrived \(arrival.count) times")
    ///         return
    ///     }
    /// }
    /// ```
    ///
    /// The signal is caught from this call on, until the parent is freed. Arrivals that come before a task asks count
    /// as one element.
    ///
    /// - Parameters:
    ///   - signal: The signal.
    ///   - parent: The owner of the event: freeing it ends the iteration with ``TaskError/freed``.
    /// - Throws: What ``/Tevent/EventContext/addSignal(_:wantsInfo:under:file:line:_:)`` throws.
    ///
    /// The corresponding C function is `tevent_add_signal()`.
    public func signals(
        _ signal: Signal, under parent: some TallocObject
    ) throws(TeventError) -> LoopSequence<SignalArrival> {
        let arrivals = Arrivals<SignalArrival>()
        let event = try addSignal(signal, under: parent) { _, arrival in
            arrivals.add(arrival) { SignalArrival(signal: $1.signal, count: $0.count + $1.count) }
        }
        return LoopSequence { try await arrivals.next(under: event) }
    }
}
