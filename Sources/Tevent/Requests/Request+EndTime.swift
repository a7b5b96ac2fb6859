import Talloc

extension RequestProtocol {
    /// Lets the request time out at `deadline`, unless it has ended by then.
    ///
    /// Set again, the new time counts, be it earlier or later. On a request that has ended it does nothing. The timer is
    /// freed when the request ends, so a request that timed out is never also done, nor the other way round.
    ///
    /// - Parameters:
    ///   - deadline: A point on the clock of `events`.
    ///   - events: Whose loop ends the request.
    /// - Throws: ``TeventError/outOfMemory(name:)``; the request goes on, with the end time it had.
    ///
    /// The corresponding C function is `tevent_req_set_endtime()`.
    public func setEndTime(at deadline: EventInstant, on events: EventContext) throws(TeventError) {
        // One question to the conformance, whose answers may differ.
        let record = record("setEndTime(at:on:)")
        let request = AnyRequest(record)
        guard record.pointee.status == .inProgress else { return }
        let extras = record.extras
        let old = extras.endTimer.flatMap { $0.isFreed ? nil : $0 }
        if let old, old.context == events {
            old.update(at: deadline)
        } else {
            let timer = try events.addTimer(at: deadline, under: request) { _, _ in request.timeOut() }
            // A trace may have freed the request, and the timers with it, or ended it, and then it needs none.
            if request.isFreed || !request.isInProgress { return timer.freeIfThere() }
            extras.endTimer = timer
            old?.freeIfThere()
        }
    }

    /// Lets the request time out `delay` from now, unless it has ended by then; see ``setEndTime(at:on:)``.
    ///
    /// - Throws: ``TeventError/outOfMemory(name:)``; the request goes on, with the end time it had.
    ///
    /// The corresponding C functions are `tevent_req_set_endtime()` and `tevent_timeval_current_ofs()`.
    public func setEndTime(after delay: Duration, on events: EventContext) throws(TeventError) {
        try setEndTime(at: events.now.advanced(by: max(delay, .zero)), on: events)
    }

    /// Takes the end time away; without effect if there is none.
    ///
    /// The corresponding C function is `tevent_req_reset_endtime()`.
    public func resetEndTime() {
        record().pointee.owned.extras?.endTimer.take()?.freeIfThere()
    }

    /// When the request will time out, or nil without an end time.
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
        // The timer may have been moved away from it.
        guard !isFreed, isInProgress else { return }
        record("timeOut").fail(.timedOut, .error(RequestError.timedOut), file: nil, line: 0)
    }
}
