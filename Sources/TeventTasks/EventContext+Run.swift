import Talloc
import Tevent

extension EventContext {
    /// Runs an async function on this loop, and the loop until the function has returned.
    ///
    /// ```swift
    /// nonisolated func start() throws {
    ///     let events = try EventContext()
    ///     defer { events.free() }
    ///     try events.run {
    ///         try await events.sleep(for: .seconds(1))
    ///         print("a second later")
    ///     }
    /// }
    /// ```
    ///
    /// The function runs on the calling thread, and so does all that it calls, except ``aside(_:)`` and the main actor.
    /// Handlers and other tasks of the loop run whenever it waits. With a ``/Tevent/ManualClock``, time passes by
    /// itself: when nothing can happen before a timer, the clock moves to its deadline.
    ///
    /// If the loop is stopped, waits longer than ``/Tevent/EventContext/maximumWait``, or reports an error, the
    /// function is cancelled, and runs on until it returns.
    ///
    /// It is a trap to call it in code that is isolated to an actor, such as `static func main()`: the function would
    /// wait for the actor, which waits for it. Declare `nonisolated static func main()`.
    ///
    /// - Parameters:
    ///   - isolation: The actor to which the caller is isolated; leave it to the compiler.
    ///   - body: The function. It is never called if the loop refuses to run.
    /// - Returns: What the function returned.
    /// - Throws: What the function threw; ``TaskError/loopEnded`` if the context was freed before it began;
    ///   ``/Tevent/TeventError/nestedLoop`` in a handler or a task of this loop, unless nesting is allowed; what
    ///   ``/Tevent/EventContext/loopOnce()`` throws.
    ///
    /// C has no counterpart: there `tevent_loop_wait()` runs callbacks.
    public func run<Value>(
        isolation: (any Actor)? = #isolation, _ body: () async throws -> Value
    ) throws -> Value {
        checkNotIsolated(isolation, "run(_:)")
        let context = record("run(_:)")
        guard context.pointee.nesting.level == 0 || context.pointee.nesting.isAllowed else {
            throw TeventError.nestedLoop
        }
        let executor = try executor("run(_:)")
        LoopThread.runLeftJobsHere()
        return try withoutActuallyEscaping(body) { body in
            let run = RunningFunction(body)
            defer { run.body = nil }
            run.task = executor.begin({ await run.call() }, never: { run.end(.failure(TaskError.loopEnded)) })
            try finish(run, executor)
            return try run.outcome.unsafelyUnwrapped.get()
        }
    }

    /// Runs the loop until a function has returned.
    private func finish(_ run: Running, _ executor: LoopExecutor) throws {
        let context = record("run(_:)")
        let outer = context.pointee.levelThatSleepsWithManualClock
        context.pointee.levelThatSleepsWithManualClock = context.pointee.nesting.level + 1
        defer { if !isFreed { context.pointee.levelThatSleepsWithManualClock = outer } }
        var failure: TeventError?
        let hasEnded = run.hasEnded
        while !hasEnded.pointee {
            guard !isFreed else {
                executor.thread.waitForLeftJob()
                continue
            }
            do throws(TeventError) {
                run.carryOn(after: try loop { hasEnded.pointee }, on: self)
            } catch {
                guard run.hasBegun else { throw error }
                if failure != nil { abort("run(_:) could not end its function, since the loop fails: \(error)") }
                failure = error
                run.task?.cancel()
            }
        }
        LoopThread.runLeftJobsHere()
        if let failure, run.hasFailed { throw failure }
    }
}

/// The function that a call of `run` waits for, whatever it returns.
private class Running {
    var hasBegun = false
    var hasFailed = false
    /// Asked before each handler, and therefore plain memory.
    let hasEnded = UnsafeMutablePointer<Bool>.allocate(capacity: 1)
    var task: Task<Void, Never>?
    private var hasGivenUp = false

    init() { hasEnded.initialize(to: false) }

    deinit { hasEnded.deallocate() }

    /// Decides what happens after the loop has returned.
    func carryOn(after result: LoopResult, on events: EventContext) {
        switch result {
        case .handled, .finished, .contextFreed: break
        case .stopped: task?.cancel()
        case .timedOut:
            if let clock = events.record("run(_:)").pointee.manualClock {
                guard let deadline = events.nextDeadline else { break }
                clock.advance(by: max(.zero, clock.now.duration(to: deadline)))
            } else {
                guard !hasGivenUp else {
                    abort("run(_:) gave up: its function has not returned, although it was cancelled after maximumWait")
                }
                hasGivenUp = true
                task?.cancel()
            }
        case .noEvents: abort("run(_:) has nothing to wait for, and its function has not returned")
        }
    }
}

private final class RunningFunction<Value>: Running {
    /// Nil once it must not be called any more.
    var body: (() async throws -> Value)?
    private(set) var outcome: Result<Value, any Error>?

    init(_ body: @escaping () async throws -> Value) { self.body = body }

    func call() async {
        guard let body = body.take() else { return }
        hasBegun = true
        do { end(.success(try await body())) } catch { end(.failure(error)) }
    }

    func end(_ outcome: Result<Value, any Error>) {
        if case .failure = outcome { hasFailed = true }
        self.outcome = outcome
        hasEnded.pointee = true
    }
}

/// Traps if a function that is to run on a loop would wait for the actor that waits for the loop.
func checkNotIsolated(_ isolation: (any Actor)?, _ call: StaticString) {
    guard let isolation else { return }
    abort(
        "\(call) was called in code that is isolated to \(type(of: isolation)); its function would wait for the actor, "
            + "which waits for the loop. Call it in a nonisolated function: 'nonisolated static func main()' in a program"
    )
}
