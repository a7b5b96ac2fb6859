import Talloc
import Tevent

extension Kind {
    /// Event contexts that are created and freed.
    static let contexts: [Kind] = [
        Kind("event-context", "e{a} = an event context with {b:epoll|poll}", share: 3) { world, step in
            try world.makeContext(step, under: nil)
        },
        Kind("event-context-below", "e{a} = an event context with {b:epoll|poll} under {c@}") { world, step in
            try world.makeContext(step, under: world.parent(step.c))
        },
        Kind("free-context", "free e{a}", share: 1) { world, step in
            if let events = world.context(step.a) { world.free(events.tallocContext) }
        },
    ]

    /// Loops, and what they depend on.
    static let loops: [Kind] = [
        Kind("loop-once", "run one turn of the loop of e{a}", share: 6) { world, step in
            guard let events = world.context(step.a) else { return }
            try world.loop { try events.loopOnce() }
        },
        Kind("loop-wait", "run the loop of e{a}", share: 2) { world, step in
            guard let events = world.context(step.a) else { return }
            try world.loop { try events.loopWait() }
        },
        Kind("loop-until", "run the loop of e{a} {b#} turns at most, and before each a part of:", share: 1, .kept) {
            world, step in
            guard let events = world.context(step.a) else { return }
            let foreign = Foreign(world, step)
            var turns = 0
            try world.loop {
                try events.loop {
                    turns += 1
                    foreign.runPart()
                    return turns > step.b % 8
                }
            }
        },
        Kind("stop", "stop the loop of e{a}", share: 1) { world, step in world.context(step.a)?.stop() },
        Kind("advance", "let {b#} ns pass", share: 4) { world, step in
            world.clock.advance(by: .nanoseconds(step.b % 5))
        },
        Kind("reinitialise", "let e{a} begin again with its backend", share: 1) { world, step in
            try world.context(step.a)?.reinitialise()
        },
        Kind("maximum-wait", "let e{a} wait for {b#} µs at most", share: 1) { world, step in
            guard let events = world.context(step.a) else { return }
            events.maximumWait = .microseconds(step.b)
            world.expect(events.maximumWait == .microseconds(step.b), "the longest wait is another")
        },
        Kind("look-at-context", "look at e{a} from all sides", share: 1) { world, step in
            guard let events = world.context(step.a) else { return }
            world.lookAt(events)
        },
    ]

    /// Loops inside loops.
    static let nesting: [Kind] = [
        Kind("allow-nesting", "let the loops of e{a} run inside each other", share: 3) { world, step in
            world.context(step.a)?.allowNesting()
        },
        Kind(
            "nesting-hook", "the nesting hook of e{a} {b:agrees|refuses at times|is taken away} and does a part of:",
            .kept
        ) { world, step in
            guard let events = world.context(step.a) else { return }
            guard step.b % 3 < 2 else { return events.setNestingHook(nil) }
            let foreign = Foreign(world, step)
            events.setNestingHook { [unowned world] events, level, _ in
                world.expect(level > 0 && !events.isFreed, "a nesting hook gets wrong arguments")
                foreign.runPart()
                return world.isQuiet || step.b % 3 == 0 || foreign.model.calls % 3 > 0
            }
        },
    ]
}

extension World {
    fileprivate func makeContext(_ step: Operation, under parent: TallocContext?) throws {
        guard allContexts.count < 12 else { return }
        let events = try EventContext(
            under: parent, backend: EventContext.backends[step.b % 2],
            clock: programClass.usesRealClock ? nil : clock)
        everything.append(events.tallocContext)
        allContexts.append(events)
        registers.contexts[step.a % Register.count] = events
        if programClass.usesRealClock { events.maximumWait = .microseconds(step.d * 8) }
        expect(events.backend == EventContext.backends[step.b % 2], "a context has another backend")
        _ = try TallocChunk(Signpost(world: self), under: events)
    }

    /// Runs a loop, unless it could free a value that is being changed.
    func loop(_ body: () throws -> LoopResult) throws {
        guard loops < 3, isCareless || changing.isEmpty else { return }
        loops += 1
        defer { loops -= 1 }
        let result = try programClass.isStrict ? body() : releasing(body)
        if mode.traces { trace("  came to \(result)") }
    }

    fileprivate func lookAt(_ events: EventContext) {
        let timers = events.timers
        expect(timers.allSatisfy { !$0.isFreed && $0.context == events }, "a list of timers is wrong")
        expect(timers.first?.deadline == events.nextDeadline, "the first deadline is not the first timer's")
        let deadlines = timers.compactMap(\.deadline)
        expect(zip(deadlines, deadlines.dropFirst()).allSatisfy { $0 <= $1 }, "the timers are not in order")
        expect(
            events.immediates.allSatisfy { !$0.isFreed && $0.context == events && $0.isScheduled },
            "a list of immediates is wrong")
        expect(events.signals.allSatisfy { !$0.isFreed && $0.context == events }, "a list of signals is wrong")
        expect(events.descriptors.allSatisfy { !$0.isFreed && $0.context == events }, "a list of descriptors is wrong")
        let waits =
            !timers.isEmpty || !events.immediates.isEmpty || !events.signals.isEmpty
            || events.descriptors.contains { !$0.flags.isEmpty }
        expect(!waits || events.hasEvents, "a context denies that it has events")
    }
}
