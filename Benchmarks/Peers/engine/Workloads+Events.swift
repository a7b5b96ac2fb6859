import CBench
import Talloc
import Tevent

// Immediates and timers.

extension Workload {
    static let immediateAgain = Workload("immediate-again", IMMEDIATES) { count in
        let events = try EventContext()
        let immediate = try ImmediateEvent(under: events)
        return try nanoseconds(per: count) {
            Repeater.start(count, immediate, events)
            try events.loopWait()
        }
    }

    static let immediateLife = Workload("immediate-life", LIVES) { count in
        let events = try EventContext()
        return try nanoseconds(per: count) {
            for _ in 0..<count {
                try ImmediateEvent(under: events).schedule(on: events) { immediate, _ in immediate.free() }
                try events.loopOnce()
            }
        }
    }

    static let timerLife = Workload("timer-life", LIVES) { count in
        let events = try EventContext()
        let later = events.now.advanced(by: .seconds(100))
        return try nanoseconds(per: count) {
            for _ in 0..<count { try events.addTimer(at: later) { _, _ in }.free() }
        }
    }

    static let timerInsert = Workload("timer-insert", TIMERS) { count in
        let events = try EventContext()
        let deadlines = randomDeadlines(count, on: events, from: 100)
        return try nanoseconds(per: count) {
            for deadline in deadlines { try events.addTimer(at: deadline) { _, _ in } }
        }
    }

    static let timerCancel = Workload("timer-cancel", TIMERS) { count in
        let events = try EventContext()
        let timers = try randomDeadlines(count, on: events, from: 100).map { try events.addTimer(at: $0) { _, _ in } }
        return nanoseconds(per: count) {
            for timer in timers { timer.free() }
        }
    }

    static let timerWhole = Workload("timer-whole", TIMERS) { count in
        let events = try EventContext()
        let deadlines = randomDeadlines(count, on: events, from: 100)
        var timers: [TimerEvent] = []
        timers.reserveCapacity(count)
        return try nanoseconds(per: count) {
            for deadline in deadlines { timers.append(try events.addTimer(at: deadline) { _, _ in }) }
            for timer in timers { timer.free() }
        }
    }

    static let timerDispatch = Workload("timer-dispatch", TIMERS) { count in
        let events = try EventContext()
        let countdown = Countdown(from: count)
        for deadline in randomDeadlines(count, on: events, from: -200) {
            try events.addTimer(at: deadline) { _, _ in countdown.step() }
        }
        return try nanoseconds(per: count) { try countdown.run(events) }
    }

    static let timerMemory = Workload("timer-memory", TIMERS) { count in
        let events = try EventContext()
        let later = events.now.advanced(by: .seconds(100))
        return try bytes(per: count) {
            for _ in 0..<count { try events.addTimer(at: later) { _, _ in } }
        }
    }

    /// Random times within the hundred seconds that begin `offset` seconds from now.
    private static func randomDeadlines(_ count: Int, on events: EventContext, from offset: Int) -> [EventInstant] {
        var seed: UInt64 = 1
        let base = events.now.advanced(by: .seconds(offset))
        return (0..<count).map { _ in base.advanced(by: .microseconds(bench_random(&seed) % 100_000_000)) }
    }

    static let signal = Workload("signal", SIGNALS) { count in
        let events = try EventContext()
        let countdown = Countdown(from: count)
        try events.addSignal(.user1) { _, _ in countdown.step() }
        return try nanoseconds(per: count) {
            for _ in 0..<count {
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
