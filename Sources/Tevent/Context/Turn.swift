import CLinux
import Talloc

// One turn of the loop, in the order in which it is documented. The first stage that runs a handler ends the turn.
//
// A handler may free anything: its own event, others that are about to run, the context. So each stage has everything in
// order before it calls a handler, and touches nothing afterwards.

/// What a turn came to.
package enum TurnResult {
    case handled
    /// Nothing ran, but the loop was woken or interrupted, or time has passed: look again from the beginning.
    case again
    case noEvents
    case timedOut
}

extension ContextPointer {
    @inline(__always)
    package func turn(waitUntil limit: inout EventInstant?) throws(TeventError) -> TurnResult {
        // 1. signals that have arrived
        if let waker = pointee.waker, waker.pointee.hasSignal.load(ordering: .relaxed), runSignal(waker) {
            return .handled
        }
        // 2. immediates sent by other threads join the immediates
        guard receiveMessages() else { return .again }
        // 3. immediates, in the order they were scheduled
        if runImmediate() { return .handled }
        // 4. timers that are due, by deadline
        if pointee.timers.count > 0, runTimer() { return .handled }
        // 5. wait for descriptors, at most until the next timer, and run their handlers
        try noticeFork()
        if pointee.ready.isEmpty {
            guard hasEvents || pointee.servesC else { return .noEvents }
            let handle = handle
            let result = try wait(until: &limit)
            // A trace hook may have freed the context.
            if handle.isStale || pointee.ready.isEmpty { return result }
        }
        return try runDescriptor()
    }

    @inline(never)
    private func runSignal(_ waker: WakerPointer) -> Bool {
        // Cleared before the search: a signal that arrives meanwhile sets it again.
        waker.pointee.hasSignal.store(false, ordering: .sequentiallyConsistent)
        guard let (event, arrival) = nextSignal() else { return false }
        // There may be more for the next turn.
        waker.pointee.hasSignal.store(true, ordering: .sequentiallyConsistent)
        event.run(arrival)
        return true
    }

    /// Searches from where the last search ended, so that a signal that comes in a storm does not hide the others.
    private func nextSignal() -> (SignalPointer, SignalArrival)? {
        let start = pointee.signalCursor ?? pointee.signals.first
        var candidate = start
        while let event = candidate {
            let next = event.pointee.next
            if let arrival = event.takeArrival() {
                pointee.signalCursor = next
                return (event, arrival)
            }
            candidate = next ?? pointee.signals.first
            if candidate == start { break }
        }
        return nil
    }

    /// False if the context is gone.
    @inline(__always)
    package func receiveMessages() -> Bool {
        // Messages that came together run before the loop looks again, unless something has been scheduled behind them,
        // or their handlers have sent more: what other threads send meanwhile is behind them in any case, and each look
        // takes the channel's word from the senders.
        if pointee.immediates.last?.asDelivery != nil, let waker = pointee.waker,
            !waker.pointee.hasOwnMessage.load(ordering: .relaxed)
        {
            return true
        }
        guard pointee.channel?.hasMessages == true else { return true }
        return joinMessages()
    }

    @inline(never)
    private func joinMessages() -> Bool {
        guard let channel = pointee.channel else { return true }
        let unwanted = joinMessages(of: channel)
        guard !unwanted.isEmpty else { return true }
        // Letting them go may run anybody's deinit.
        let handle = handle
        for message in unwanted { message.open(on: nil) }
        return !handle.isStale
    }

    @inline(__always)
    package func runImmediate() -> Bool {
        guard let immediate = pointee.immediates.first else { return false }
        immediate.run()
        return true
    }

    @inline(__always)
    package func runTimer() -> Bool {
        guard let deadline = pointee.timers.firstDeadline else { return false }
        let now = now
        guard deadline <= now.nanoseconds, let timer = pointee.timers.first else { return false }
        debug(.trace, "running the timer made at \(TimerEvent(timer).origin)")
        timer.run(now: now)
        return true
    }

    private func runDescriptor() throws(TeventError) -> TurnResult {
        if runLoneEvent() { return .handled }
        return try runAnyDescriptor()
    }

    /// Runs the first event of the batch if there is nothing special about it, as with nearly all; false if there is.
    private func runLoneEvent() -> Bool {
        // The loop's own waker is not in the table.
        guard let entry = pointee.ready.first, pointee.descriptors.hasEntry(for: entry.descriptor) else { return false }
        let known = pointee.descriptors[entry.descriptor]
        guard known.generation == entry.generation, known.changedInRound != pointee.descriptors.round,
            let event = known.first, event.pointee.sibling == nil
        else { return false }
        // Not ready for what it waits for: a descriptor that is not open, for one.
        let ready = entry.ready.intersection(event.pointee.flags)
        guard !ready.isEmpty else { return false }
        pointee.ready.removeFirst()
        fetchNextEvent()
        event.run(ready)
        return true
    }

    /// Lets the processor fetch the event that runs next while the handler of another runs.
    ///
    /// With 5,000 descriptors, of which a hundred are ready at a time, it saves a twenty-fifth of the time.
    private func fetchNextEvent() {
        guard let entry = pointee.ready.first, let event = pointee.descriptors.first(of: entry.descriptor)
        else { return }
        clinux_prefetch(event)
        clinux_prefetch(UnsafeRawPointer(event) + 64)
    }

    @inline(never)
    private func runAnyDescriptor() throws(TeventError) -> TurnResult {
        while let entry = pointee.ready.first {
            let descriptor = entry.descriptor
            if let waker = pointee.waker, descriptor == waker.pointee.eventFD.load(ordering: .relaxed) {
                pointee.ready.removeFirst()
                waker.drain()
                return .again
            } else if pointee.descriptors.hasChanged(descriptor) {
                // Freed, or changed, since the backend looked: if it is still ready, the next wait says so.
                pointee.ready.removeFirst()
            } else if entry.ready == .notOpen {
                pointee.ready.removeFirst()
                if try reportClosed(descriptor) { return .handled }
            } else if isGhost(entry) {
                debug(.warning, "descriptor \(descriptor) is open elsewhere; the backend begins anew")
                try reinitialise()
            } else if let event = chooseEvent(entry) {
                event.run(entry.ready.intersection(event.pointee.flags))
                return .handled
            }
        }
        return .again
    }

    /// The event whose turn it is; the entry stays in the batch if another waits for what this one does not.
    private func chooseEvent(_ entry: ReadyBatch.Entry) -> FDPointer? {
        var candidate = pointee.descriptors[entry.descriptor].first
        while let event = candidate, event.pointee.flags.isDisjoint(with: entry.ready) {
            candidate = event.pointee.sibling
        }
        guard let event = candidate else {
            pointee.ready.removeFirst()
            return nil
        }
        let others = pointee.descriptors.wanted(entry.descriptor).subtracting(event.pointee.flags)
        pointee.ready.replaceFirst(remaining: entry.ready.intersection(others))
        pointee.descriptors.moveToEnd(event)
        return event
    }
}
