import Talloc
import Tevent

extension Kind {
    /// Traces and the debug function, which may do anything.
    static let hooks: [Kind] = [
        hook("loop-trace", "a trace of e{a}'s loop does a part of:", share: 3) { world, events, foreign in
            events.setLoopTrace { [unowned world] _ in world.traced(events, foreign) }
        },
        hook("timer-trace", "a trace of e{a}'s timers does a part of:", share: 2) { world, events, foreign in
            events.setTimerTrace { [unowned world] in world.traced($0, $1, foreign) }
        },
        hook("immediate-trace", "a trace of e{a}'s immediates does a part of:", share: 2) { world, events, foreign in
            events.setImmediateTrace { [unowned world] in world.traced($0, $1, foreign) }
        },
        hook("signal-trace", "a trace of e{a}'s signals does a part of:", share: 1) { world, events, foreign in
            events.setSignalTrace { [unowned world] in world.traced($0, $1, foreign) }
        },
        hook("fd-trace", "a trace of e{a}'s descriptors does a part of:", share: 3) { world, events, foreign in
            events.setFDTrace { [unowned world] in world.traced($0, $1, foreign) }
        },
        hook("queue-trace", "a trace of e{a}'s queue entries does a part of:", share: 2) { world, events, foreign in
            events.setQueueTrace { [unowned world] entry, _ in
                world.expect(!entry.isFreed, "a trace gets a freed entry")
                foreign.runPart()
            }
        },
        hook("debug", "the debug function of e{a} does a part of:", share: 2) { world, events, foreign in
            events.setDebug { _, _ in foreign.runPart() }
        },
        Kind("no-trace", "take the {b:loop|timer|immediate|descriptor} trace of e{a} away") { world, step in
            guard let events = world.context(step.a) else { return }
            world.releasing {
                switch step.b % 4 {
                case 0: events.setLoopTrace(nil)
                case 1: events.setTimerTrace(nil)
                case 2: events.setImmediateTrace(nil)
                default: events.setFDTrace(nil)
                }
            }
        },
        Kind("no-debug", "take the debug function of e{a} away", share: 1) { world, step in
            guard let events = world.context(step.a) else { return }
            world.releasing { events.setDebug(nil) }
        },
    ]
}

/// A step that sets a context's function, which may release the previous one.
private func hook(
    _ name: String, _ words: String, share: Int,
    _ set: @escaping @Sendable (World, EventContext, Foreign) -> Void
) -> Kind {
    Kind(name, words, share: share, .kept) { world, step in
        guard let events = world.context(step.a) else { return }
        let foreign = Foreign(world, step)
        world.releasing { set(world, events, foreign) }
    }
}

extension World {
    /// What the trace of a loop does.
    fileprivate func traced(_ events: EventContext, _ foreign: Foreign) {
        expect(!events.isFreed, "the trace of a loop is called after its context was freed")
        foreign.runPart()
    }

    /// What the trace of an event does.
    fileprivate func traced(_ event: some Event, _ point: EventTracePoint, _ foreign: Foreign) {
        expect(!event.isFreed, "a trace gets a freed event")
        if point == .attach, !event.isFreed { expect(event.context != nil, "an event has joined no loop") }
        // Traces can reach requests that are still being created.
        if !event.isFreed, let request = event.parent.flatMap(AnyRequest.init) { registers.operations[3] = request }
        foreign.runPart()
    }
}
