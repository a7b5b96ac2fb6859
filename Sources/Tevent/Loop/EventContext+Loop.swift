import CLinux
import Talloc

extension EventContext {
    /// Waits for one event and runs its handler; exactly one, even if more are ready.
    ///
    /// - Returns: ``LoopResult/handled``; ``LoopResult/noEvents`` if nothing can ever happen; ``LoopResult/timedOut``
    ///   if the longest wait passed; ``LoopResult/contextFreed`` if the handler freed the context.
    /// - Throws: ``TeventError/nestedLoop`` in a handler, unless nesting is allowed; ``TeventError/badDescriptor(_:)``
    ///   if an event's descriptor is not open; ``TeventError/systemCall(name:code:)``. The loop can be run again.
    ///
    /// The corresponding C function is `tevent_loop_once()`.
    @discardableResult
    public func loopOnce() throws(TeventError) -> LoopResult {
        try run("loopOnce()") { context throws(TeventError) in try context.once() }
    }

    /// Runs handlers for as long as there are events.
    ///
    /// - Returns: ``LoopResult/noEvents`` if none is left; ``LoopResult/stopped`` after ``stop()``;
    ///   ``LoopResult/timedOut`` if the longest wait passed; ``LoopResult/contextFreed`` if a handler freed the
    ///   context.
    /// - Throws: The same errors as ``loopOnce()``. The loop can be run again.
    ///
    /// The corresponding C function is `tevent_loop_wait()`.
    @discardableResult
    public func loopWait() throws(TeventError) -> LoopResult {
        try loop("loopWait()") { false }
    }

    /// Runs handlers until a condition holds; checks it before each handler.
    ///
    /// - Parameter isFinished: The condition.
    /// - Returns: ``LoopResult/finished`` if the condition holds, otherwise what ``loopWait()`` returns.
    /// - Throws: The same errors as ``loopOnce()``. The loop can be run again.
    ///
    /// The corresponding C function is `tevent_loop_until()`.
    @discardableResult
    public func loop(until isFinished: () -> Bool) throws(TeventError) -> LoopResult {
        try loop("loop(until:)", isFinished)
    }

    @inline(__always)
    private func loop(_ call: StaticString, _ isFinished: () -> Bool) throws(TeventError) -> LoopResult {
        try run(call) { context throws(TeventError) in
            // A stop applies to the loop that runs the handler which requests it, not to one inside it or after it.
            let outerStop = context.pointee.nesting.level > 1 && context.pointee.stopRequested
            context.pointee.stopRequested = false
            defer { if !isFreed { context.pointee.stopRequested = outerStop } }
            while true {
                if isFinished() { return .finished }
                guard !isFreed else { return .contextFreed }
                let result = try context.once()
                guard result == .handled, !isFreed else { return result }
                if context.pointee.stopRequested { return .stopped }
            }
        }
    }

    /// Ends the innermost running ``loopWait()`` or ``loop(until:)`` once the current handler has returned.
    ///
    /// Outside a handler it does nothing. C's tevent has no counterpart; programs there check a flag of their own.
    public func stop() { record().pointee.stopRequested = true }

    /// The longest time a loop waits for an event before it gives up; nil, the default, means no limit.
    ///
    /// The corresponding C function is `tevent_context_set_wait_timeout()`.
    public var maximumWait: Duration? {
        get { record().pointee.maximumWait }
        nonmutating set { record().pointee.maximumWait = newValue }
    }

    /// Lets handlers run the loop of their own context again.
    ///
    /// This is rarely a good idea: a handler inside another handler finds the program in the middle of something.
    ///
    /// The corresponding C function is `tevent_loop_allow_nesting()`.
    public func allowNesting() { record().pointee.nesting.isAllowed = true }

    /// Sets a function that is called when a loop of this context begins, and again when it ends; nil removes it.
    ///
    /// If it returns false at the beginning, the loop throws ``TeventError/loopRefused(level:)``.
    ///
    /// The corresponding C function is `tevent_loop_set_nesting_hook()`.
    public func setNestingHook(_ hook: NestingHook?) {
        // Swap instead of assigning: releasing the old hook may run any deinit, which must find the new one in place.
        var hook = hook
        swap(&record("setNestingHook(_:)").pointee.nesting.hook, &hook)
    }

    /// Runs a loop under the rules for nesting.
    ///
    /// Inlined, as all of a turn is: a loop that takes one turn at a time spends a third of its time here otherwise.
    @inline(__always)
    private func run(
        _ call: StaticString, _ body: (ContextPointer) throws(TeventError) -> LoopResult
    ) throws(TeventError) -> LoopResult {
        let context = record(call)
        let level = context.pointee.nesting.level + 1
        guard level == 1 || context.pointee.nesting.isAllowed else { throw .nestedLoop }
        if let hook = context.pointee.nesting.hook {
            guard hook(self, level, true) else { throw .loopRefused(level: level) }
            guard !isFreed else { return .contextFreed }
        }
        context.pointee.nesting.level = level
        // The program may have closed a descriptor since the last loop.
        context.pointee.hasAudited = false
        defer {
            if !isFreed {
                context.pointee.nesting.level = level - 1
                _ = context.pointee.nesting.hook?(self, level, false)
            } else {
                clinux_run_left_jobs()
            }
        }
        let result = try body(context)
        return isFreed ? .contextFreed : result
    }
}

extension ContextPointer {
    /// Takes turns until a handler has run, or none can run.
    @inline(__always)
    fileprivate func once() throws(TeventError) -> LoopResult {
        pointee.hooks == nil ? try untracedOnce() : try tracedOnce()
    }

    @inline(__always)
    private func untracedOnce() throws(TeventError) -> LoopResult {
        let handle = handle
        var limit: EventInstant?
        while true {
            let result = try turn(waitUntil: &limit)
            guard !handle.isStale else { return .contextFreed }
            switch result {
            case .handled:
                // The handler may have closed a descriptor.
                pointee.hasAudited = false
                return .handled
            case .again: continue
            case .noEvents: return .noEvents
            case .timedOut: return .timedOut
            }
        }
    }

    /// Like `once`, between two calls of the trace, which may also free the context.
    @inline(never)
    private func tracedOnce() throws(TeventError) -> LoopResult {
        let handle = handle
        recordTurn(of: self, begins: true)
        defer { if isRecording { recordTurn(of: self, begins: false) } }
        pointee.hooks?.loop?(.beforeLoopOnce)
        guard !handle.isStale else { return .contextFreed }
        defer { if !handle.isStale { pointee.hooks?.loop?(.afterLoopOnce) } }
        return try untracedOnce()
    }
}
