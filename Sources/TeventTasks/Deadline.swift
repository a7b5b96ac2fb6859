import Talloc
import Tevent

/// Calls an async function, and cancels it if it has not returned in time.
///
/// ```swift
/// func answer(_ descriptor: Int32, on events: EventContext, under memory: TallocContext) async throws -> [UInt8]? {
///     try await withDeadline(after: .seconds(5), on: events) {
///         try await Read.send(from: descriptor, on: events, under: memory).value
///     }
/// }
/// ```
///
/// It waits until the function has returned in any case, so that nothing of its work is left. A function that does not
/// let itself be cancelled may therefore take longer.
///
/// - Parameters:
///   - delay: How long the function may take.
///   - events: The context whose clock counts, and whose loop runs the function.
///   - isolation: The actor to which the caller is isolated; leave it to the compiler. It is a trap if there is one.
///   - body: The function, which runs as a task of its own.
/// - Returns: What the function returned, even if that was late.
/// - Throws: ``/Tevent/RequestError/timedOut`` if the time was over and the function threw. Otherwise what the function
///   threw, or ``TaskError/loopEnded``.
///
/// The corresponding C function is `tevent_req_set_endtime()`.
public func withDeadline<Value>(
    after delay: Duration, on events: EventContext, isolation: (any Actor)? = #isolation,
    _ body: @escaping () async throws -> Value
) async throws -> Value {
    checkNotIsolated(isolation, "withDeadline(after:on:_:)")
    let executor = try events.executor("withDeadline(after:on:_:)")
    let outcome = Outcome<Value>()
    let task = executor.begin {
        do { outcome.result = .success(try await body()) } catch { outcome.result = .failure(error) }
    }
    let timer: TimerEvent
    do {
        timer = try events.addTimer(after: delay) { _, _ in
            outcome.isLate = true
            task.cancel()
        }
        // Freeing all that is below the context would free it, too, and the function might never end.
        timer.moveToRoot()
    } catch {
        task.cancel()
        await task.value
        throw error
    }
    await withTaskCancellationHandler {
        await task.value
    } onCancel: {
        task.cancel()
    }
    if !timer.isFreed { timer.free() }
    do { return try outcome.result.get() } catch { throw outcome.isLate ? RequestError.timedOut : error }
}

/// What became of a function with a deadline.
private final class Outcome<Value> {
    var result = Result<Value, any Error>.failure(TaskError.loopEnded)
    var isLate = false
}
