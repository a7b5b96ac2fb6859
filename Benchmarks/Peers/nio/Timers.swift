import CBench
import NIOCore

/// Counts down on a loop, and returns the nanoseconds per operation at the end.
///
/// All its steps are on one loop.
final class Countdown: @unchecked Sendable {
    private var left: Int
    private let total: Int
    private var start = bench_now()
    private let promise: EventLoopPromise<Double>

    init(from total: Int, on loop: any EventLoop) {
        left = total
        self.total = total
        promise = loop.makePromise()
    }

    var figure: EventLoopFuture<Double> { promise.futureResult }
    var isRunning: Bool { left > 0 }

    func begin() { start = bench_now() }

    func step() {
        left -= 1
        if left == 0 { promise.succeed(Double(bench_now() - start) / Double(total)) }
    }
}

func nanoseconds(per count: Int, on loop: any EventLoop, _ work: () -> Void) -> EventLoopFuture<Double> {
    let start = bench_now()
    work()
    return loop.makeSucceededFuture(Double(bench_now() - start) / Double(count))
}

let immediateAgain = Workload(name: "immediate-again", count: LIVES) { count, loop in
    let countdown = Countdown(from: count, on: loop)
    @Sendable func again() {
        countdown.step()
        if countdown.isRunning { loop.execute(again) }
    }
    countdown.begin()
    loop.execute(again)
    return countdown.figure
}

let timerLife = Workload(name: "timer-life", count: LIVES) { count, loop in
    nanoseconds(per: count, on: loop) {
        for _ in 0..<count { loop.scheduleTask(in: .seconds(100)) {}.cancel() }
    }
}

/// Random times within the first hundred seconds, or a part of that.
private func randomDelays(_ count: Int, fraction: Int64 = 1) -> [TimeAmount] {
    var seed: UInt64 = 1
    return (0..<count).map { _ in .microseconds(Int64(bench_random(&seed) % 100_000_000) / fraction) }
}

let timerInsert = Workload(name: "timer-insert", count: TIMERS) { count, loop in
    let delays = randomDelays(count)
    return nanoseconds(per: count, on: loop) {
        for delay in delays { loop.scheduleTask(in: delay) {} }
    }
}

let timerCancel = Workload(name: "timer-cancel", count: TIMERS) { count, loop in
    let timers = randomDelays(count).map { loop.scheduleTask(in: $0) {} }
    return nanoseconds(per: count, on: loop) {
        for timer in timers { timer.cancel() }
    }
}

let timerWhole = Workload(name: "timer-whole", count: TIMERS) { count, loop in
    let delays = randomDelays(count)
    return nanoseconds(per: count, on: loop) {
        let timers = delays.map { loop.scheduleTask(in: $0) {} }
        for timer in timers { timer.cancel() }
    }
}

/// Due within 200 ms, which then pass.
let timerDispatch = Workload(name: "timer-dispatch", count: TIMERS) { count, loop in
    let countdown = Countdown(from: count, on: loop)
    for delay in randomDelays(count, fraction: 500) { loop.scheduleTask(in: delay) { countdown.step() } }
    var pause = timespec(tv_sec: 0, tv_nsec: 300_000_000)
    nanosleep(&pause, nil)
    countdown.begin()
    return countdown.figure
}

let timerMemory = Workload(name: "timer-memory", count: TIMERS) { count, loop in
    let before = bench_bytes()
    for _ in 0..<count { loop.scheduleTask(in: .seconds(100)) {} }
    return loop.makeSucceededFuture(Double(bench_bytes() - before) / Double(count))
}
