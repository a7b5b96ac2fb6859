import Talloc
import Tevent

extension Kind {
    /// Timers and immediates.
    static let timers: [Kind] = [
        Kind(
            "timer", "t{a} = a timer of e{b} under {c@}, due in {d:0|1|2|3|5|-1|100} ns, whose handler does:", share: 4,
            .kept
        ) { world, step in
            guard let events = world.context(step.b) else { return }
            let delay = [0, 1, 2, 3, 5, -1, 100][step.d % 7] * (world.programClass.usesRealClock ? 10_000 : 1)
            // A trace may free it immediately.
            try world.releasing {
                let foreign = Foreign(world, step, mustBeCalled: true, context: events)
                world.registers.timers[step.a % Register.count] = try events.addTimer(
                    after: .nanoseconds(delay), under: world.parent(step.c)
                ) { timer, _ in world.ran(foreign, timer, in: timer.context) }
            }
        },
        Kind("timer-of-context", "t{a} = a timer of e{b}, due at once, whose handler does:", share: 1, .kept) {
            world, step in
            guard let events = world.context(step.b) else { return }
            try world.releasing {
                let foreign = Foreign(world, step, mustBeCalled: true, context: events)
                world.registers.timers[step.a % Register.count] = try events.addTimer(at: events.now) { timer, _ in
                    world.ran(foreign, timer, in: timer.context)
                }
            }
        },
        Kind("update-timer", "let t{a} be due in {d#} ns", share: 2) { world, step in
            world.timer(step.a)?.update(after: .nanoseconds(step.d))
        },
        Kind("update-timer-at", "let t{a} be due at the beginning of time", share: 1) { world, step in
            world.timer(step.a)?.update(at: .zero)
        },
        Kind("free-timer", "free t{a}") { world, step in
            if let timer = world.timer(step.a) { world.free(timer.tallocContext) }
        },
        Kind("immediate", "i{a} = an immediate under {c@}", share: 2) { world, step in
            let event = try ImmediateEvent(under: world.parent(step.c))
            world.registers.immediates[step.a % Register.count] = ImmediateModel(event)
        },
        Kind("schedule", "schedule i{a} on e{b}, whose handler does:", share: 5, .kept) { world, step in
            guard let immediate = world.immediate(step.a), let events = world.context(step.b) else { return }
            world.releasing { world.schedule(immediate, on: events, step) }
        },
        Kind("cancel-immediate", "cancel i{a}", share: 1) { world, step in
            guard let immediate = world.immediate(step.a) else { return }
            let job = immediate.job
            world.releasing { immediate.event.cancel() }
            job?.isExcused = true
        },
        Kind("free-immediate", "free i{a}", share: 1) { world, step in
            if let immediate = world.immediate(step.a) { world.free(immediate.event.tallocContext) }
        },
        Kind("look-at-event", "look at {a@} as an event", share: 1) { world, step in
            if let timer = world.timer(step.a) {
                timer.tag = UInt64(step.b)
                world.expect(timer.tag == UInt64(step.b), "a tag is lost")
                world.expect(timer.origin.hasPrefix("fuzz/"), "a timer has another origin")
                let isThere = world.servingContext(of: timer).map { $0.timers.contains(timer) } != false
                world.expect(timer.deadline == nil || isThere, "a timer is in no list")
            }
            if let immediate = world.immediate(step.b)?.event {
                immediate.tag &+= 1
                world.expect(immediate.isScheduled == (immediate.context != nil), "an immediate waits nowhere")
            }
        },
    ]

    /// Signals.
    static let signals: [Kind] = [
        Kind(
            "signal", "s{a} = an event of e{b} for {d:SIGWINCH|SIGUSR1|SIGUSR2|SIGRTMIN}, whose handler does:",
            share: 3, .kept
        ) { world, step in
            guard let events = world.context(step.b) else { return }
            try world.addSignal(step, on: events)
        },
        Kind("raise", "raise {d:SIGWINCH|SIGUSR1|SIGUSR2|SIGRTMIN} {a:once|twice|three times|many times}", share: 4) {
            world, step in
            for _ in 0..<[1, 2, 3, 20][step.a % 4] { world.raise(world.signal(numbered: step.d)) }
        },
        Kind("storm", "raise {d:SIGWINCH|SIGUSR1|SIGUSR2|SIGRTMIN} more often than there is room for", share: 1) {
            world, step in
            for _ in 0..<EventContext.signalInfoCapacity + step.a { world.raise(world.signal(numbered: step.d)) }
        },
        Kind("free-signal", "free s{a}", share: 1) { world, step in
            if let signal = world.signal(step.a) { world.free(signal.tallocContext) }
        },
        Kind("look-at-signal", "look at s{a}", share: 1) { world, step in
            guard let signal = world.signal(step.a) else { return }
            world.expect(World.signals.contains(signal.signal), "a signal event has another signal")
            world.expect(
                world.servingContext(of: signal).map { $0.signals.contains(signal) } != false,
                "a signal event is in no list")
        },
    ]
}

extension World {
    static let signals = [Signal.windowChange, .user1, .user2, .realTime(0)]

    /// The context of an event, unless the event is being freed.
    func servingContext(of event: some Event) -> EventContext? {
        guard let events = event.context else { return nil }
        expect(!events.isFreed, "an event names a context that was freed")
        return events.isFreed ? nil : events
    }

    /// What the handler of an event does.
    func ran(_ foreign: Foreign, _ event: some Event, in events: EventContext?) {
        expect(!event.isFreed, "the handler of \(foreign.model.words) runs after its event was freed")
        if let events { expect(!events.isFreed, "a handler runs after its context was freed") }
        handlerRuns(in: events)
        foreign.run()
    }

    fileprivate func schedule(_ immediate: ImmediateModel, on events: EventContext, _ step: Operation) {
        let old = immediate.job
        let foreign = Foreign(self, step, mustBeCalled: true, context: events)
        let job = foreign.model
        immediate.event.schedule(on: events) { [unowned self] event, runningLoop in
            expect(!job.isExcused, "\(job.words) runs although it was taken back")
            expect(runningLoop == events, "\(job.words) runs in another loop")
            ran(foreign, event, in: runningLoop)
        }
        // A trace may have scheduled it meanwhile; the last call counts.
        immediate.job = job
        old?.isExcused = true
    }

    fileprivate func addSignal(_ step: Operation, on events: EventContext) throws {
        let signal = signal(numbered: step.d)
        let foreign = Foreign(self, step)
        let wantsInfo = step.c % 2 == 0
        let model = SignalModel(signal, start: raised[signal.rawValue] ?? 0)
        let event = try events.addSignal(signal, wantsInfo: wantsInfo, under: parent(step.c / 2)) {
            [unowned self] event, arrival in
            expect(arrival.count > 0 && arrival.signal == signal, "a signal arrived that was not raised")
            let isRight = arrival.info.map { wantsInfo && arrival.count == 1 && $0.code <= 0 } != false
            expect(isRight, "a signal arrives with details that are not its own")
            model.told += arrival.count
            ran(foreign, event, in: event.context)
        }
        model.event = event
        allSignals.append(model)
        registers.signals[step.a % Register.count] = event
    }

    /// The disposition of a signal belongs to the process: with threads, use only a signal that is ignored by default.
    fileprivate func signal(numbered number: Int) -> Signal { Self.signals[programClass.hasThreads ? 0 : number % 4] }

    /// Raises a signal if it is caught, or ignored by default.
    func raise(_ signal: Signal) {
        let isCaught = allContexts.contains { events in
            !events.isFreed && events.signals.contains { $0.signal == signal }
        }
        guard isCaught else { return }
        raised[signal.rawValue, default: 0] += 1
        signal.raise()
    }
}
