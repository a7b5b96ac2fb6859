import Talloc
import Tevent

/// The clock of a loop, for Swift's functions that take any clock: it sleeps with the loop's timers.
///
/// ```swift
/// func pause(on events: EventContext) async throws {
///     try await Task.sleep(for: .seconds(1), clock: events.clock)
/// }
/// ```
///
/// With a ``/Tevent/ManualClock``, such a sleep takes no time. Only tasks of the loop can sleep with it.
public struct LoopClock: Clock, Sendable {
    private let executor: LoopExecutor
    private let manual: OnLoop<ManualClock?>

    fileprivate init(_ executor: LoopExecutor, _ manual: ManualClock?) {
        self.executor = executor
        self.manual = OnLoop(content: manual)
    }

    /// The current time; with a manual clock, it is a trap to ask on another thread.
    public var now: EventInstant {
        guard let manual = manual.content else { return .now }
        guard executor.thread.isCurrent else {
            abort("a manual clock was read on another thread than that of its loop")
        }
        return manual.now
    }

    /// One nanosecond.
    public var minimumResolution: Duration { .nanoseconds(1) }

    /// Waits until a point in time.
    ///
    /// - Parameters:
    ///   - deadline: A point on this clock.
    ///   - tolerance: Not used.
    /// - Throws: ``/Tevent/RequestError/cancelled`` if the task is cancelled; ``TaskError/loopEnded`` if the context
    ///   was freed.
    public func sleep(until deadline: EventInstant, tolerance: Duration? = nil) async throws {
        guard executor.thread.isCurrent else {
            abort("a task of another thread tried to sleep with the clock of a loop")
        }
        guard let context = executor.record.pointee.context else { throw TaskError.loopEnded }
        try await EventContext(context).sleep(until: deadline)
    }
}

extension EventContext {
    /// The clock of this loop, for `Task.sleep(for:clock:)` and other functions that take any clock.
    ///
    /// - Throws: ``/Tevent/TeventError/outOfMemory(name:)``, or ``/Tevent/TeventError/systemCall(name:code:)`` when
    ///   descriptors are exhausted: the first task of a context opens one.
    public var clock: LoopClock {
        get throws(TeventError) { LoopClock(try executor("clock"), record("clock").pointee.manualClock) }
    }

    /// Waits for a length of time on this loop's clock.
    ///
    /// ```swift
    /// func blink(on events: EventContext) async throws {
    ///     print("on")
    ///     try await events.sleep(for: .seconds(1))
    ///     print("off")
    /// }
    /// ```
    ///
    /// - Parameter delay: How long; a negative delay counts as zero.
    /// - Throws: ``/Tevent/RequestError/cancelled`` if the task is cancelled, ``TaskError/loopEnded`` if the context is
    ///   freed, ``/Tevent/TeventError/outOfMemory(name:)``.
    ///
    /// The corresponding C function is `tevent_wakeup_send()`.
    public func sleep(for delay: Duration) async throws {
        try await Wakeup.send(after: delay, on: self, under: self).value
    }

    /// Waits until a point in time on this loop's clock.
    ///
    /// - Parameter deadline: A point on the clock of the context, see ``/Tevent/EventContext/now``.
    /// - Throws: The same errors as ``Tevent/EventContext/sleep(for:)``.
    ///
    /// The corresponding C function is `tevent_wakeup_send()`.
    public func sleep(until deadline: EventInstant) async throws {
        try await Wakeup.send(at: deadline, on: self, under: self).value
    }
}
