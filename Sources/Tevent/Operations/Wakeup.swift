import Talloc

/// Waits until a point in time, as a request; this is its state.
///
/// Use it where a step of some work is to wait: a timer calls a handler, a wakeup ends like any other subrequest.
///
/// ```swift
/// let pause = try Wakeup.send(after: .seconds(1), on: events, under: memory)
/// pause.setCallback { pause in
///     do {
///         try pause.receive()
///         print("a second later")
///     } catch { print(error) }
///     pause.free()
/// }
/// ```
///
/// The corresponding C type is hidden inside `tevent_wakeup_send()`.
public struct Wakeup {
    private var timer: TimerEvent?

    /// Begins to wait until a point in time.
    ///
    /// - Parameters:
    ///   - deadline: A point on the clock of `events`, see ``EventContext/now``. If it has passed, the request ends on
    ///     the loop's next turn.
    ///   - events: The context whose loop ends the request.
    ///   - parent: The owner of the request: freeing it frees the request.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request in progress, which can be cancelled.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing was made then.
    ///
    /// The corresponding C function is `tevent_wakeup_send()`.
    public static func send(
        at deadline: EventInstant, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<Wakeup> {
        let request = try Request(Wakeup(), under: parent, file: file, line: line)
        request.setCleanup { request, _ in
            if let timer = request.state.timer.take(), !timer.isFreed { timer.free() }
        }
        request.allowCancelling()
        do throws(TeventError) {
            let timer = try events.addTimer(at: deadline, under: request) { _, _ in
                if !request.isFreed, request.isInProgress { request.finish() }
            }
            // A trace may have freed the request, or ended it.
            if request.isFreed || !request.isInProgress { timer.freeIfThere() } else { request.state.timer = timer }
        } catch { request.fail(error) }
        return request.postIfEnded(on: events)
    }

    /// Begins to wait for a length of time.
    ///
    /// - Parameters:
    ///   - delay: How long to wait, counted from now; a negative delay counts as zero.
    ///   - events: The context whose loop ends the request.
    ///   - parent: The owner of the request: freeing it frees the request.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request in progress, which can be cancelled.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing was made then.
    ///
    /// The corresponding C functions are `tevent_wakeup_send()` and `tevent_timeval_current_ofs()`.
    public static func send(
        after delay: Duration, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<Wakeup> {
        let deadline = events.now.advanced(by: max(delay, .zero))
        return try send(at: deadline, on: events, under: parent, file: file, line: line)
    }
}

extension Request<Wakeup> {
    /// Returns if the time has come, and throws if the request ended before.
    ///
    /// - Throws: ``RequestError/cancelled``, ``RequestError/timedOut``, or ``TeventError/outOfMemory(name:)``.
    ///
    /// The corresponding C function is `tevent_wakeup_recv()`.
    public func receive() throws { try receive { _ in } }
}

extension Wakeup: ReceivableState {
    /// Takes the result, as the request's own `receive()` does.
    @inlinable
    public static func receive(_ request: Request<Wakeup>) throws { try request.receive() }
}
