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
    /// - Throws: ``/Tevent/TeventError/outOfMemory(name:)``, or ``/Tevent/TeventError/systemCall(name:code:)`` when
    ///   descriptors are exhausted. The child throws ``TaskError/loopEnded`` if the context is freed before it begins.
    ///
    /// C has no counterpart.
    @inlinable
    public mutating func addTask(
        on events: EventContext, _ body: @escaping () async throws -> ChildTaskResult
    ) throws(TeventError) {
        let executor = try executorOfChild(events)
        let body = OnLoop(content: body)
        addTask(executorPreference: executor) {
            executor.expectTask()
            guard let life = executor.beginLife() else { throw TaskError.loopEnded }
            defer { executor.end(life) }
            return try await withTaskCancellationHandler {
                try await body.content()
            } onCancel: {
                executor.cancel(life)
            }
        }
    }
}

extension ThrowingDiscardingTaskGroup where Failure == any Error {
    /// Adds a child task that runs on a loop, and may therefore use the handles of its caller.
    ///
    /// - Parameters:
    ///   - events: The context on whose loop it runs: that of the calling task.
    ///   - body: What the child does.
    /// - Throws: As for a `ThrowingTaskGroup`.
    ///
    /// C has no counterpart.
    @inlinable
    public mutating func addTask(on events: EventContext, _ body: @escaping () async throws -> Void) throws(TeventError)
    {
        let executor = try executorOfChild(events)
        let body = OnLoop(content: body)
        addTask(executorPreference: executor) {
            executor.expectTask()
            guard let life = executor.beginLife() else { throw TaskError.loopEnded }
            defer { executor.end(life) }
            return try await withTaskCancellationHandler {
                try await body.content()
            } onCancel: {
                executor.cancel(life)
            }
        }
    }
}

/// What a child task runs on.
@usableFromInline
func executorOfChild(_ events: EventContext) throws(TeventError) -> LoopExecutor {
    try events.executor("addTask(on:_:)")
}
