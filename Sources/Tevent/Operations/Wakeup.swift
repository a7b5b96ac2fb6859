import Talloc

/// Waiting until a point in time, as a request; its state.
///
/// The corresponding C type is hidden behind `tevent_wakeup_send()`.
public struct Wakeup {
    private var timer: TimerEvent?

    /// Begins to wait until `deadline`; if it has passed, until the loop's next turn.
    ///
    /// - Parameters:
    ///   - deadline: A point on the clock of `events`.
    ///   - events: Whose loop ends the request.
    ///   - parent: What the request is freed with.
    /// - Returns: A request that can be cancelled.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing is left behind then.
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
        return request.returned(on: events)
    }

    /// Begins to wait until `delay` from now, as ``send(at:on:under:file:line:)`` does.
    ///
    /// - Parameters:
    ///   - delay: How long from now; a negative one counts as zero.
    ///   - events: Whose loop ends the request.
    ///   - parent: What the request is freed with.
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
    /// Throws unless the time came.
    ///
    /// - Throws: ``RequestError/cancelled``, ``RequestError/timedOut``, or ``TeventError/outOfMemory(name:)``.
    ///
    /// The corresponding C function is `tevent_wakeup_recv()`.
    public func receive() throws { try receive { _ in } }
}
