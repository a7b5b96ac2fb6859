import Talloc

extension RequestProtocol {
    /// Makes the request time out at `deadline` unless it ends before.
    ///
    /// A request that times out has the status ``RequestStatus/timedOut``, and receiving it throws
    /// ``RequestError/timedOut``. The timer is freed when the request ends; a request that timed out is therefore never
    /// also done. If you set the end time again, only the new one counts, earlier or later. On a request that has ended
    /// the call has no effect.
    ///
    /// - Parameters:
    ///   - deadline: A point on the clock of `events`.
    ///   - events: The context whose loop ends the request.
    /// - Throws: ``TeventError/outOfMemory(name:)``; the request continues with the end time it had.
    ///
    /// The corresponding C function is `tevent_req_set_endtime()`.
    public func setEndTime(at deadline: EventInstant, on events: EventContext) throws(TeventError) {
        // Ask the conformance only once: its answers may differ.
        let record = record("setEndTime(at:on:)")
        let request = AnyRequest(record)
        guard record.pointee.status == .inProgress else { return }
        let extras = record.extras
        let old = extras.endTimer.flatMap { $0.isFreed ? nil : $0 }
        if let old, old.context == events {
            old.update(at: deadline)
        } else {
            let timer = try events.addTimer(at: deadline, under: request) { _, _ in request.timeOut() }
            // A trace may have freed the request, and the timers with it, or ended it, in which case it needs no timer.
            if request.isFreed || !request.isInProgress { return timer.freeIfThere() }
            // A trace may also have set another end time; the outer call comes last.
            let earlier = extras.endTimer
            extras.endTimer = timer
            earlier?.freeIfThere()
        }
    }

    /// Makes the request time out after `delay` unless it ends before; see ``setEndTime(at:on:)``.
    ///
    /// ```swift
    /// let request = try Read.send(from: descriptor, on: events, under: memory)
    /// try request.setEndTime(after: .seconds(5), on: events)
    /// ```
    ///
    /// - Parameters:
    ///   - delay: How long the request may take, counted from now; a negative delay counts as zero.
    ///   - events: The context whose loop ends the request.
    /// - Throws: ``TeventError/outOfMemory(name:)``; the request continues with the end time it had.
    ///
    /// The corresponding C functions are `tevent_req_set_endtime()` and `tevent_timeval_current_ofs()`.
    public func setEndTime(after delay: Duration, on events: EventContext) throws(TeventError) {
        try setEndTime(at: events.now.advanced(by: max(delay, .zero)), on: events)
    }

    /// Removes the end time; no effect if there is none.
    ///
    /// The corresponding C function is `tevent_req_reset_endtime()`.
    public func resetEndTime() {
        record().pointee.owned.extras?.endTimer.take()?.freeIfThere()
    }

    /// The time at which the request will time out; nil without an end time.
    public var endTime: EventInstant? {
        guard let timer = record().pointee.owned.extras?.endTimer, !timer.isFreed else { return nil }
        return timer.deadline
    }
}

extension Event {
    func freeIfThere() { if !isFreed { free() } }
}

extension AnyRequest {
    fileprivate func timeOut() {
        // The timer may have been moved away from its request.
        guard !isFreed, isInProgress else { return }
        record("timeOut").fail(.timedOut, .error(RequestError.timedOut), file: nil, line: 0)
    }
}
