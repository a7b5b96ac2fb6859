import Glibc
import Talloc

// The last stage of the loop: pass noted changes to the backend, wait, and sort out what the backend cannot wait for.

extension ContextPointer {
    /// Waits, at most until the next timer is due or the limit has passed, and fills the batch.
    ///
    /// - Parameter limit: When the longest wait ends; set by the first wait of a turn.
    func wait(until limit: inout EventInstant?) throws(TeventError) -> TurnResult {
        guard try applyChanges() else { return .again }
        guard pointee.hooks == nil else { return try tracedWait(until: &limit) }
        return try untracedWait(until: &limit)
    }

    @inline(__always)
    private func untracedWait(until limit: inout EventInstant?) throws(TeventError) -> TurnResult {
        let sleep = try prepareToSleep(until: &limit)
        return try self.sleep(nanoseconds: sleep.nanoseconds) ? wakeUp(from: sleep, limit) : .again
    }

    /// Like `wait`, between two calls of the trace, which may free the context, run a nested loop, and change
    /// everything that is waited for.
    ///
    /// Other threads may use a shared context from the first call to the second. Its wait is prepared before the first, and
    /// whatever they change wakes the loop.
    @inline(never)
    private func tracedWait(until limit: inout EventInstant?) throws(TeventError) -> TurnResult {
        let handle = handle
        var sleep = pointee.policies.contains(.sharedWhileWaiting) ? try prepareToSleep(until: &limit) : nil
        pointee.hooks?.loop?(.beforeWait)
        guard !handle.isStale else { return .again }
        var hasSlept = false
        do {
            // The second call may free the context, too.
            defer { if !handle.isStale { pointee.hooks?.loop?(.afterWait) } }
            if sleep == nil, try stillHasToWait() { sleep = try prepareToSleep(until: &limit) }
            if let sleep, !hasForked { hasSlept = try recordedSleep(nanoseconds: sleep.nanoseconds) }
        }
        guard hasSlept, let sleep, !handle.isStale else { return .again }
        guard !hasForked else {
            // What was found belongs to the parent.
            pointee.ready.removeAll()
            return .again
        }
        return wakeUp(from: sleep, limit)
    }

    private func recordedSleep(nanoseconds: Int64?) throws(TeventError) -> Bool {
        addRecord(.waitBegin, self, of: .eventContext, value: nanoseconds ?? -1)
        defer {
            addRecord(.waitEnd, self, of: .eventContext, value: Int64(readyCount), detail: isWoken ? 1 : 0)
        }
        return try sleep(nanoseconds: nanoseconds)
    }

    /// How many descriptors of the program were found ready.
    private var readyCount: Int {
        let own = pointee.waker.map { pointee.ready.contains($0.pointee.eventFD.load(ordering: .relaxed)) } ?? false
        return pointee.ready.count - (own ? 1 : 0)
    }

    /// Whether another thread or a signal has left something.
    private var isWoken: Bool {
        pointee.channel?.hasMessages == true || pointee.waker?.pointee.hasSignal.load(ordering: .relaxed) == true
    }

    /// Whether there is still nothing to do but to wait, and something to wait for.
    private func stillHasToWait() throws(TeventError) -> Bool {
        // A nested loop may have left a batch, whose entries changes must not overtake.
        guard pointee.ready.isEmpty, !hasForked, try applyChanges() else { return false }
        return pointee.immediates.isEmpty && (hasEvents || pointee.policies.contains(.waitsWithoutEvents))
    }

    /// A wait that is about to begin.
    private struct Sleep {
        /// How long it lasts if nothing happens; nil means for any time.
        let nanoseconds: Int64?
        /// Whether it ends early, to look for closed descriptors.
        let isAudit: Bool
    }

    @inline(__always)
    private func prepareToSleep(until limit: inout EventInstant?) throws(TeventError) -> Sleep {
        if limit == nil, let longest = pointee.maximumWait { limit = now.advanced(by: longest) }
        var timeout = timeUntilNext(limit)
        let isAudit =
            timeout == nil && !pointee.hasAudited && !pointee.fds.isEmpty
            && !pointee.policies.contains(.closesBeforeFreeing)
        if isAudit { timeout = pointee.auditDelay }
        if pointee.policies.contains(.waitsWithoutEvents) { timeout = idleTimeout(timeout) }
        if !pointee.watchesWaker, let waker = pointee.waker { try watch(waker) }
        return Sleep(nanoseconds: timeout, isAudit: isAudit)
    }

    @inline(__always)
    private func wakeUp(from sleep: Sleep, _ limit: EventInstant?) -> TurnResult {
        if !pointee.alwaysReady.isEmpty { addAlwaysReady() }
        return pointee.ready.isEmpty ? lookAround(isAudit: sleep.isAudit, limit) : .handled
    }

    /// Nanoseconds until the next timer is due, or the number that the program has set if there is none.
    private func idleTimeout(_ nanoseconds: Int64?) -> Int64? {
        switch pointee.idleSeconds {
        case 0: 0
        case .max: nanoseconds
        case let seconds: nanoseconds ?? Int64(seconds) * 1_000_000_000
        }
    }

    /// Handles a sleep in which nothing happened.
    @inline(never)
    private func lookAround(isAudit: Bool, _ limit: EventInstant?) -> TurnResult {
        let audits = !pointee.policies.contains(.closesBeforeFreeing)
        if isAudit || (audits && !pointee.hasAudited && now >= pointee.nextAudit) { audit() }
        let neverSleeps = pointee.policies.contains(.waitsWithoutEvents) && pointee.idleSeconds == 0
        let isOver = pointee.manualClock != nil || neverSleeps || limit.map { now >= $0 } ?? false
        return isOver && !isAnythingDue ? .timedOut : .again
    }

    /// Whether there is something to do that the loop did not wait for, or that a trace has made since.
    private var isAnythingDue: Bool {
        !pointee.immediates.isEmpty || pointee.channel?.hasMessages == true
            || pointee.waker?.pointee.hasSignal.load(ordering: .relaxed) == true
            || pointee.timers.firstDeadline.map { $0 <= now.nanoseconds } ?? false
    }

    // snippet: sleep
    /// Waits in the backend, unless another thread or a signal has left something for the loop.
    ///
    /// - Returns: False if it did not wait to the end.
    @inline(__always)
    private func sleep(nanoseconds: Int64?) throws(TeventError) -> Bool {
        guard let waker = pointee.waker else {
            return try fillBatch(nanoseconds: nanoseconds)
        }
        pointee.channel?.noteThread()
        waker.pointee.isSleeping.store(true, ordering: .sequentiallyConsistent)
        defer { waker.pointee.isSleeping.store(false, ordering: .sequentiallyConsistent) }
        guard !waker.pointee.hasSignal.load(ordering: .sequentiallyConsistent), pointee.channel?.hasMessages != true
        else { return false }
        return try fillBatch(nanoseconds: nanoseconds)
    }
    // snippet-end: sleep

    /// Waits with a separate batch: other threads may use the rest of the record meanwhile, if a C program lets them.
    @inline(__always)
    private func fillBatch(nanoseconds: Int64?) throws(TeventError) -> Bool {
        var batch = pointee.ready
        let hasSlept = try pointee.backend.wait(nanoseconds: nanoseconds, &batch)
        pointee.ready = batch
        return hasSlept
    }

    /// Nanoseconds until something is due without any descriptor; nil means never.
    @inline(__always)
    private func timeUntilNext(_ limit: EventInstant?) -> Int64? {
        if pointee.manualClock != nil || !pointee.alwaysReady.isEmpty { return timeToSleepAnyway }
        let first: Int64
        switch (pointee.timers.firstDeadline, limit?.nanoseconds) {
        case (nil, nil): return nil
        case (let deadline?, nil), (nil, let deadline?): first = deadline
        case (let deadline?, let limit?): first = min(deadline, limit)
        }
        return max(0, now.nanoseconds.distanceClamped(to: first))
    }

    /// Zero, unless a loop with a manual clock is to wait for other threads.
    private var timeToSleepAnyway: Int64? {
        let mustSleep = pointee.nesting.level == pointee.levelThatSleepsWithManualClock
        return mustSleep && pointee.timers.count == 0 && pointee.alwaysReady.isEmpty ? nil : 0
    }

    // MARK: Changes

    /// Passes noted changes to the backend.
    ///
    /// - Returns: Whether the loop may wait now: the batch is empty, and the context still exists.
    @inline(__always)
    private func applyChanges() throws(TeventError) -> Bool {
        pointee.descriptors.hasNotedChanges ? try applyNotedChanges() : pointee.ready.isEmpty
    }

    private func applyNotedChanges() throws(TeventError) -> Bool {
        let round = pointee.descriptors.round
        // Each change may add a descriptor that is not open to the batch.
        while !pointee.ready.isFull, let descriptor = pointee.descriptors.takeChanged() {
            let change: BackendChange?
            do { change = try apply(descriptor) } catch {
                pointee.descriptors.noteChange(of: descriptor)
                throw error
            }
            if change == .alwaysReady {
                let name = pointee.backend.name
                let isThere = debug(
                    .trace, "\(name) cannot wait for descriptor \(descriptor); it counts as always ready")
                // The debug function may do anything. A loop that it ran may have left a batch of a later round.
                guard isThere, !hasForked, pointee.descriptors.round == round else { return false }
            }
        }
        pointee.descriptors.beginRound()
        return pointee.ready.isEmpty
    }

    /// Tells the backend what is now wanted of a descriptor; returns nil if there is nothing to tell.
    ///
    /// No foreign code runs in here, so that the entry stays where it is.
    private func apply(_ descriptor: Int32) throws(TeventError) -> BackendChange? {
        let wanted = pointee.descriptors.wanted(descriptor)
        let entry = pointee.descriptors.pointer(to: descriptor)
        if wanted == entry.pointee.registered, entry.pointee.isSettled { return nil }
        // A program may rely on another descriptor's handler running first and telling it to ignore this one. If an
        // event waits for other flags than the earlier one did, it keeps the place: no program relies on that order,
        // and one system call instead of two saves a quarter of an echo's time.
        if pointee.policies.contains(.newEventsLineUp), entry.pointee.isNew,
            !wanted.isDisjoint(with: entry.pointee.registered)
        {
            forget(descriptor)
        }
        let registered = entry.pointee.registered
        if entry.pointee.isAlwaysReady {
            entry.pointee.isAlwaysReady = false
            pointee.alwaysReady.removeAll { $0 == descriptor }
        }
        let isInDoubt = entry.pointee.isInDoubt
        guard wanted != registered || (isInDoubt && !wanted.isEmpty) else { return nil }
        if registered.isEmpty || isInDoubt { entry.pointee.generation &+= 1 }
        let change = pointee.backend.change(
            descriptor, from: registered, to: wanted, generation: entry.pointee.generation)
        switch change {
        case .done: entry.pointee.registered = wanted
        case .alwaysReady:
            entry.pointee.registered = []
            // Errors never happen on it: an event that wants only those waits without end, as with poll.
            if !wanted.isDisjoint(with: [.read, .write]) {
                entry.pointee.isAlwaysReady = true
                pointee.alwaysReady.append(descriptor)
            }
        case .badDescriptor:
            entry.pointee.registered = []
            reportNotOpen(descriptor)
        case .failed(let call, let code): throw .systemCall(name: call, code: code)
        }
        entry.pointee.isInDoubt = false
        entry.pointee.isNew = false
        return change
    }

    /// Takes a descriptor out of the backend immediately.
    func forget(_ descriptor: Int32) {
        let entry = pointee.descriptors.pointer(to: descriptor)
        guard !hasForked, !entry.pointee.registered.isEmpty else { return }
        _ = pointee.backend.change(
            descriptor, from: entry.pointee.registered, to: [], generation: entry.pointee.generation)
        entry.pointee.registered = []
    }

    // MARK: Descriptors that cannot be waited for

    /// Adds descriptors that the backend cannot wait for to the batch, while it has room.
    private func addAlwaysReady() {
        for (index, descriptor) in pointee.alwaysReady.enumerated() {
            guard !pointee.ready.isFull else {
                // Those left out come first next time.
                pointee.alwaysReady = Array(pointee.alwaysReady[index...] + pointee.alwaysReady[..<index])
                return
            }
            let generation = pointee.descriptors[descriptor].generation
            pointee.ready.append(descriptor, [.read, .write], generation: generation)
        }
    }

    /// Whether the backend reports a registration for a file that no event watches any more.
    func isGhost(_ entry: ReadyBatch.Entry) -> Bool {
        let known = pointee.descriptors[entry.descriptor]
        return entry.generation != known.generation || (known.registered.isEmpty && !known.isAlwaysReady)
    }

    /// Looks for descriptors that were closed while being watched, which epoll forgets silently.
    ///
    /// It makes one call of poll when the loop has slept and nothing happened: after a while, and before a sleep
    /// without end.
    private func audit() {
        pointee.hasAudited = true
        pointee.nextAudit = now.advanced(by: .nanoseconds(pointee.auditDelay))
        var watched = pointee.fds.snapshot.map { pollfd(fd: $0.pointee.descriptor, events: 0, revents: 0) }
        let count = poll(&watched, nfds_t(watched.count), 0)
        // A failed check has shown nothing, and a loop that sleeps without end would never check again.
        if count < 0 { pointee.hasAudited = false }
        guard count > 0 else { return }
        // The next audit finds what does not fit.
        for entry in watched where Int32(entry.revents) & POLLNVAL != 0 && !pointee.ready.isFull {
            reportNotOpen(entry.fd)
        }
    }

    /// Adds a descriptor that is not open to the batch; if it does not fit, the next wait or audit finds it.
    private func reportNotOpen(_ descriptor: Int32) {
        guard !pointee.ready.isFull else { return }
        pointee.ready.append(descriptor, .notOpen, generation: pointee.descriptors[descriptor].generation)
    }

    /// Takes an event whose descriptor is not open out of the loop, and calls its handler if it waits for errors.
    ///
    /// - Returns: Whether the turn is over: a handler ran, or foreign code freed the context.
    /// - Throws: ``TeventError/badDescriptor(_:)`` if the event does not wait for errors.
    func reportClosed(_ descriptor: Int32) throws(TeventError) -> Bool {
        guard let record = pointee.descriptors[descriptor].first else { return false }
        let context = handle
        let event = FDEvent(record)
        let wantsErrors = record.pointee.flags.contains(.error) || record.pointee.borrower != nil
        let message = "descriptor \(descriptor) is not open; the event made at \(event.origin) leaves the loop"
        // If other events watch it, they are registered again before the next wait, which finds each of them in turn.
        forget(descriptor)
        record.detach()
        guard !context.isStale, debug(.error, message) else { return true }
        guard wantsErrors else { throw .badDescriptor(descriptor) }
        // A trace or the debug function may have freed the event, or taken errors from what it waits for.
        guard !event.isFreed, event.flags.contains(.error) || record.pointee.borrower != nil else { return true }
        record.callHandler(.error)
        return true
    }
}
