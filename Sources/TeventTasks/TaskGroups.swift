import Talloc
import Tevent

extension ThrowingTaskGroup where Failure == any Error {
    /// Adds a child task that runs on a loop, and may therefore use the handles of its caller.
    ///
    /// ```swift
    /// func sum(_ descriptors: [Int32], on events: EventContext, under memory: TallocContext) async throws -> Int {
    ///     try await withThrowingTaskGroup(of: Int.self) { group in
    ///         for descriptor in descriptors {
    ///             try group.addTask(on: events) {
    ///                 try await Read.send(from: descriptor, on: events, under: memory).value?.count ?? 0
    ///             }
    ///         }
    ///         return try await group.reduce(0, +)
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - events: The context on whose loop it runs: that of the calling task.
    ///   - body: What the child does.
    /// - Throws: ``Tevent/TeventError/outOfMemory(name:)``, or ``Tevent/TeventError/systemCall(name:code:)`` when descriptors
    ///   are exhausted. The child throws ``TaskError/loopEnded`` if the context is freed before it begins.
    ///
    /// C has no counterpart.
    public mutating func addTask(
        on events: EventContext, _ body: @escaping () async throws -> ChildTaskResult
    ) throws(TeventError) {
        let executor = try events.executor("addTask(on:_:)")
        checkSameThread(executor)
        let body = OnLoop(content: body)
        addTask(executorPreference: executor) { try await executor.liveAsChild(body) }
    }
}

extension ThrowingDiscardingTaskGroup where Failure == any Error {
    /// Adds a child task that runs on a loop, and may therefore use the handles of its caller.
    ///
    /// - Parameters:
    ///   - events: The context on whose loop it runs: that of the calling task.
    ///   - body: What the child does.
    /// - Throws: As for a ``Swift/ThrowingTaskGroup``.
    ///
    /// C has no counterpart.
    public mutating func addTask(on events: EventContext, _ body: @escaping () async throws -> Void) throws(TeventError) {
        let executor = try events.executor("addTask(on:_:)")
        checkSameThread(executor)
        let body = OnLoop(content: body)
        addTask(executorPreference: executor) { try await executor.liveAsChild(body) }
    }
}

/// A task of one thread cannot give its handles to a loop of another.
private func checkSameThread(_ executor: LoopExecutor) {
    if !executor.thread.isCurrent { abort("addTask(on:_:) was called with the context of another thread") }
}

extension LoopExecutor {
    fileprivate func liveAsChild<Value>(_ body: OnLoop<() async throws -> Value>) async throws -> Value {
        record.pointee.liveTasks += 1
        defer { record.pointee.liveTasks -= 1 }
        return try await live { try await body.content() } never: { throw TaskError.loopEnded }
    }
}
