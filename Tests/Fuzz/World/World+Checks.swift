import Talloc
import Tevent

extension Kind {
    /// Checks whether anything has been lost so far.
    static let check = Kind("check", "look whether anything was lost") { world, _ in world.check() }
}

extension World {
    /// Lets all loops do what there is to do, without any foreign code, and checks whether anything is left over.
    func check() {
        guard loops == 0, !isOver, !programClass.usesRealClock else { return }
        isQuiet = true
        let contexts = allContexts.filter { !$0.isFreed }
        // The work of one context may concern another one that was served earlier.
        while contexts.contains(where: { !$0.isFreed && drain($0) }) {}
        for events in contexts where !events.isFreed { checkNothingIsLeft(events) }
        checkSignals()
        checkMessages()
        // A child may be in the middle of ending a request, or of starting an entry.
        if !isInChild {
            checkRequests()
            checkQueues()
            checkLines()
            checkTasks()
        }
        for (event, flags) in quieted where !event.isFreed { event.flags = flags }
        quieted = []
        isQuiet = false
    }

    /// Runs a loop until there is nothing more to do at this moment; returns whether it did anything.
    private func drain(_ events: EventContext) -> Bool {
        for turn in 0..<5000 {
            guard !events.isFreed else { return turn > 0 }
            do {
                let result = try events.loopOnce()
                guard result == .handled else {
                    let isRight = result == .noEvents ? !events.hasEvents : result == .timedOut && events.hasEvents
                    expect(isRight || events.isFreed, "a loop came to \(result)")
                    return turn > 0
                }
            } catch {
                // The descriptor of an event was closed, or a hook refuses.
                if case .badDescriptor = error { continue }
                complain("a loop threw \(error)")
                return false
            }
        }
        complain("a loop does not come to rest")
        return false
    }

    private func checkNothingIsLeft(_ events: EventContext) {
        expect(events.immediates.isEmpty, "an immediate was not run")
        expect(events.nextDeadline.map { $0 > events.now } != false, "a timer that is due was not run")
        checkDescriptors(events)
    }

    /// Asks a new context whether a descriptor is ready that a drained loop did not report.
    private func checkDescriptors(_ events: EventContext) {
        let open = Set(allPipes.flatMap { [$0.reader, $0.writer] }.filter(\.isOpen).map(\.descriptor))
        let watched = events.descriptors.filter { event in
            !event.flags.isEmpty && open.contains(event.descriptor) && !surprising.contains(event.descriptor)
        }
        guard !watched.isEmpty, let judge = try? EventContext(backend: "poll", clock: ManualClock()) else { return }
        for event in watched {
            _ = try? judge.addFD(event.descriptor, event.flags) { [unowned self] _, ready in
                complain(
                    "descriptor \(event.descriptor) is ready (\(ready)), and the event made at \(event.origin) missed it"
                )
            }
        }
        for _ in watched { _ = try? judge.loopOnce() }
        judge.free()
    }

    private func checkSignals() {
        guard !programClass.hasThreads else { return }
        for model in allSignals {
            guard let event = model.event, !event.isFreed, event.context != nil else { continue }
            let expected = (raised[model.signal.rawValue] ?? 0) - model.start
            expect(model.told == expected, "\(model.signal) was raised \(expected) times, reported \(model.told) times")
        }
    }

    /// Checks that each request that has ended has called its callback, unless its loop was freed.
    private func checkRequests() {
        for model in allRequests where !model.request.isFreed {
            let status = model.request.status
            guard status != .inProgress, status != .received, let callback = model.callback else { continue }
            let isExcused = callback.isExcused || model.loops.contains(where: \.isFreed)
            expect(
                callback.calls > 0 || isExcused, "\(callback.words): the request is \(status), and nothing was called")
        }
        allRequests.removeAll { $0.request.isFreed }
    }

    /// Checks that the first entry of each running queue has been started, unless its loop was freed.
    private func checkQueues() {
        for queue in allQueues where !queue.isFreed {
            let entries = queue.entries
            expect(entries.count == queue.length, "a queue miscounts its entries")
            guard queue.isRunning, let first = entries.first, let events = contextsOfEntries[first.tag] else {
                continue
            }
            expect(first.isTriggered || events.isFreed, "the first entry of a queue was not started")
        }
    }

    /// Checks that each message to an inbox that was not freed has been received.
    private func checkMessages() {
        guard !programClass.hasThreads else { return }
        for inbox in allInboxes where !inbox.object.isFreed && !inbox.context.isFreed {
            let counts = board.counts(of: inbox.number)
            expect(
                counts.received == counts.accepted && counts.dropped == 0,
                "of \(counts.accepted) messages, \(counts.received) were received and \(counts.dropped) released")
        }
    }
}
