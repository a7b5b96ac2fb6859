import Glibc
import Talloc

// The loop's last stage: pass noted changes to the backend, wait, and sort out what cannot be waited for.

extension ContextPointer {
    /// Waits, at most until the next timer is due and the limit has passed, and fills the batch.
    ///
    /// - Parameter limit: When the longest wait ends; set by the first wait of a turn.
    func wait(until limit: inout EventInstant?) throws(TeventError) -> TurnResult {
        if pointee.descriptors.hasNotedChanges {
            try applyChanges()
            guard pointee.ready.isEmpty else { return .again }
        }

        if limit == nil, let longest = pointee.maximumWait { limit = now.advanced(by: longest) }
        var timeout = timeUntilNext(limit)
        let isAudit = timeout == nil && !pointee.hasAudited && !pointee.fds.isEmpty && !pointee.servesC
        if isAudit { timeout = pointee.auditDelay }
        if timeout == nil, pointee.servesC { timeout = 30_000_000_000 }

        let handle = handle
        let isTraced = pointee.hooks?.loop != nil
        let hasSlept = isTraced ? try tracedSleep(nanoseconds: timeout) : try sleep(nanoseconds: timeout)
        guard hasSlept, !handle.isStale else { return .again }
        if !pointee.alwaysReady.isEmpty { addAlwaysReady() }
        return pointee.ready.isEmpty ? lookAround(isAudit: isAudit, limit) : .handled
    }

    /// What is to be done when the loop has slept in vain.
    @inline(never)
    private func lookAround(isAudit: Bool, _ limit: EventInstant?) -> TurnResult {
        if isAudit || (!pointee.hasAudited && !pointee.servesC && now >= pointee.nextAudit) { audit() }
        if pointee.manualClock != nil { return .timedOut }
        if let limit, now >= limit, pointee.timers.firstDeadline ?? .max > now.nanoseconds { return .timedOut }
        return .again
    }

    // snippet: sleep
    /// Waits in the backend, unless somebody has left something for the loop.
    ///
    /// - Returns: False if it did not wait to the end.
    @inline(__always)
    private func sleep(nanoseconds: Int64?) throws(TeventError) -> Bool {
        guard let waker = pointee.waker else {
            return try fillBatch(nanoseconds: nanoseconds)
        }
        waker.pointee.isSleeping.store(true, ordering: .sequentiallyConsistent)
        defer { waker.pointee.isSleeping.store(false, ordering: .sequentiallyConsistent) }
        guard !waker.pointee.hasSignal.load(ordering: .sequentiallyConsistent), pointee.channel?.hasMessages != true
        else { return false }
        return try fillBatch(nanoseconds: nanoseconds)
    }
    // snippet-end: sleep

    /// Waits with a batch of its own: the rest of the record other threads may use meanwhile, if a C program lets them.
    @inline(__always)
    private func fillBatch(nanoseconds: Int64?) throws(TeventError) -> Bool {
        var batch = pointee.ready
        let hasSlept = try pointee.backend.wait(nanoseconds: nanoseconds, &batch)
        pointee.ready = batch
        return hasSlept
    }

    /// The same between two calls of the trace, which may free the context.
    @inline(never)
    private func tracedSleep(nanoseconds: Int64?) throws(TeventError) -> Bool {
        let handle = handle
        pointee.hooks?.loop?(.beforeWait)
        guard !handle.isStale else { return false }
        defer { pointee.hooks?.loop?(.afterWait) }
        return try sleep(nanoseconds: nanoseconds)
    }

    /// Nanoseconds until something is due without any descriptor; nil means never.
    @inline(__always)
    private func timeUntilNext(_ limit: EventInstant?) -> Int64? {
        if pointee.manualClock != nil || !pointee.alwaysReady.isEmpty { return 0 }
        let first: Int64
        switch (pointee.timers.firstDeadline, limit?.nanoseconds) {
        case (nil, nil): return nil
        case (let deadline?, nil), (nil, let deadline?): first = deadline
        case (let deadline?, let limit?): first = min(deadline, limit)
        }
        let (wait, overflow) = first.subtractingReportingOverflow(now.nanoseconds)
        return overflow ? .max : max(0, wait)
    }

    // MARK: Changes

    private func applyChanges() throws(TeventError) {
        // Each change may put a descriptor into the batch that is not open.
        while !pointee.ready.isFull, let descriptor = pointee.descriptors.takeChanged() {
            do {
                try apply(descriptor)
            } catch {
                pointee.descriptors.noteChange(of: descriptor)
                throw error
            }
        }
        pointee.descriptors.beginRound()
    }

    /// Tells the backend what is wanted of a descriptor now.
    private func apply(_ descriptor: Int32) throws(TeventError) {
        let table = pointee.descriptors
        let wanted = table.wanted(descriptor)
        // A new event gives up the place that an earlier one had among those that are ready: a C program may count on
        // being told by another descriptor first that this one is to be left alone. If it waits for something else than
        // the earlier one, nobody counts on that, and one system call for two saves a quarter of an echo.
        if pointee.servesC, table[descriptor].isNew, !wanted.isDisjoint(with: table[descriptor].registered) {
            forget(descriptor)
        }
        let registered = table[descriptor].registered
        if table[descriptor].isAlwaysReady {
            table[descriptor].isAlwaysReady = false
            pointee.alwaysReady.removeAll { $0 == descriptor }
        }
        // A number that nobody watched in between may be another file by now: the backend is told again.
        guard wanted != registered || (table[descriptor].isNew && !wanted.isEmpty) else { return }
        if registered.isEmpty || table[descriptor].isNew { table[descriptor].generation &+= 1 }
        switch pointee.backend.change(
            descriptor, from: registered, to: wanted, generation: table[descriptor].generation)
        {
        case .done:
            table[descriptor].registered = wanted
        case .alwaysReady:
            table[descriptor].registered = []
            // Errors do not happen to it: whoever wants only those waits for ever, as with poll.
            guard !wanted.isDisjoint(with: [.read, .write]) else { break }
            table[descriptor].isAlwaysReady = true
            pointee.alwaysReady.append(descriptor)
            debug(
                .trace,
                "\(pointee.backend.name) cannot wait for descriptor \(descriptor); it counts as always ready")
        case .badDescriptor:
            table[descriptor].registered = []
            reportNotOpen(descriptor)
        case .failed(let call, let code):
            throw .systemCall(name: call, code: code)
        }
        table[descriptor].isNew = false
    }

    /// Takes a descriptor out of the backend at once.
    func forget(_ descriptor: Int32) {
        let table = pointee.descriptors
        guard !hasForked, !table[descriptor].registered.isEmpty else { return }
        _ = pointee.backend.change(
            descriptor, from: table[descriptor].registered, to: [], generation: table[descriptor].generation)
        table[descriptor].registered = []
    }

    // MARK: Descriptors that cannot be waited for

    /// Puts descriptors into the batch that the backend cannot wait for, as far as there is room.
    private func addAlwaysReady() {
        for (index, descriptor) in pointee.alwaysReady.enumerated() {
            guard !pointee.ready.isFull else {
                // Those left out are first next time.
                pointee.alwaysReady = Array(pointee.alwaysReady[index...] + pointee.alwaysReady[..<index])
                return
            }
            let generation = pointee.descriptors[descriptor].generation
            pointee.ready.append(descriptor, [.read, .write], generation: generation)
        }
    }

    /// Whether the backend reports something that was registered for a file nobody watches any more.
    func isGhost(_ entry: ReadyBatch.Entry) -> Bool {
        let known = pointee.descriptors[entry.descriptor]
        return entry.generation != known.generation || (known.registered.isEmpty && !known.isAlwaysReady)
    }

    /// Looks for descriptors that were closed under the loop's feet, which epoll forgets without a word.
    ///
    /// One call of poll, when the loop has slept in vain: after a while, and before it sleeps without end.
    private func audit() {
        pointee.hasAudited = true
        pointee.nextAudit = now.advanced(by: .nanoseconds(pointee.auditDelay))
        var watched = pointee.fds.snapshot.map { pollfd(fd: $0.pointee.descriptor, events: 0, revents: 0) }
        guard poll(&watched, nfds_t(watched.count), 0) > 0 else { return }
        // What does not fit is found by the next audit.
        for entry in watched where Int32(entry.revents) & POLLNVAL != 0 && !pointee.ready.isFull {
            reportNotOpen(entry.fd)
        }
    }

    private func reportNotOpen(_ descriptor: Int32) {
        pointee.ready.append(descriptor, .notOpen, generation: pointee.descriptors[descriptor].generation)
    }

    /// Takes an event out of the loop whose descriptor is not open; it is told if it asked for errors.
    ///
    /// - Returns: Whether a handler ran.
    /// - Throws: ``TeventError/badDescriptor(_:)`` if it did not ask.
    func reportClosed(_ descriptor: Int32) throws(TeventError) -> Bool {
        guard let event = pointee.descriptors[descriptor].first else { return false }
        debug(
            .error, "descriptor \(descriptor) is not open; the event made at \(FDEvent(event).origin) leaves the loop")
        // If others watch it too, they are registered anew before the next wait, which finds them out in turn.
        forget(descriptor)
        let wantsErrors = event.pointee.flags.contains(.error)
        let handle = FDEvent(event)
        event.detach()
        guard wantsErrors, !handle.isFreed else { throw .badDescriptor(descriptor) }
        event.callHandler(.error)
        return true
    }
}
