import CBench
import Talloc
import Tevent

// Immediates and timers.

extension Workload {
    static let immediateAgain = Workload("immediate-again") {
        let events = try EventContext()
        let immediate = try ImmediateEvent(under: events)
        return try nanoseconds(per: IMMEDIATES) {
            Repeater.start(IMMEDIATES, immediate, events)
            try events.loopWait()
        }
    }

    static let immediateLife = Workload("immediate-life") {
        let events = try EventContext()
        return try nanoseconds(per: LIVES) {
            for _ in 0..<LIVES {
                try ImmediateEvent(under: events).schedule(on: events) { immediate, _ in immediate.free() }
                try events.loopOnce()
            }
        }
    }

    static let timerLife = Workload("timer-life") {
        let events = try EventContext()
        let later = events.now.advanced(by: .seconds(100))
        return try nanoseconds(per: LIVES) {
            for _ in 0..<LIVES { try events.addTimer(at: later) { _, _ in }.free() }
        }
    }

    static let timerInsert = Workload("timer-insert") {
        let events = try EventContext()
        let deadlines = randomDeadlines(on: events, from: 100)
        return try nanoseconds(per: TIMERS) {
            for deadline in deadlines { try events.addTimer(at: deadline) { _, _ in } }
        }
    }

    static let timerCancel = Workload("timer-cancel") {
        let events = try EventContext()
        let timers = try randomDeadlines(on: events, from: 100).map { try events.addTimer(at: $0) { _, _ in } }
        return nanoseconds(per: TIMERS) {
            for timer in timers { timer.free() }
        }
    }

    static let timerDispatch = Workload("timer-dispatch") {
        let events = try EventContext()
        let countdown = Countdown(from: TIMERS)
        for deadline in randomDeadlines(on: events, from: -200) {
            try events.addTimer(at: deadline) { _, _ in countdown.step() }
        }
        return try nanoseconds(per: TIMERS) { try countdown.run(events) }
    }

    static let timerMemory = Workload("timer-memory") {
        let events = try EventContext()
        let later = events.now.advanced(by: .seconds(100))
        return try bytes(per: TIMERS) {
            for _ in 0..<TIMERS { try events.addTimer(at: later) { _, _ in } }
        }
    }

    /// Random times within the hundred seconds that begin `offset` seconds from now.
    private static func randomDeadlines(on events: EventContext, from offset: Int) -> [EventInstant] {
        var seed: UInt64 = 1
        let base = events.now.advanced(by: .seconds(offset))
        return (0..<TIMERS).map { _ in base.advanced(by: .microseconds(bench_random(&seed) % 100_000_000)) }
    }

    static let signal = Workload("signal") {
        let events = try EventContext()
        let countdown = Countdown(from: SIGNALS)
        try events.addSignal(.user1) { _, _ in countdown.step() }
        return try nanoseconds(per: SIGNALS) {
            for _ in 0..<SIGNALS {
                Signal.user1.raise()
                try events.loopOnce()
            }
        }
    }
}

/// An immediate that schedules itself, with a handler that captures nothing, as in C.
private enum Repeater {
    private nonisolated(unsafe) static var left = 0

    static func start(_ count: Int, _ immediate: ImmediateEvent, _ events: EventContext) {
        left = count
        immediate.schedule(on: events, again)
    }

    private static func again(_ immediate: ImmediateEvent, _ events: EventContext) {
        left -= 1
        if left > 0 { immediate.schedule(on: events, again) }
    }
}
