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
        addTask(executorPreference: executor) { try await executor.runChild(body) }
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
        addTask(executorPreference: executor) { try await executor.runChild(body) }
    }
}

/// What a child task runs on.
@usableFromInline
func executorOfChild(_ events: EventContext) throws(TeventError) -> LoopExecutor {
    try events.executor("addTask(on:_:)")
}

extension LoopExecutor {
    /// Runs what a child task does, with its life around it; inlined, as all of a task's beginning is.
    @inlinable @inline(__always)
    func runChild<Value>(_ body: OnLoop<() async throws -> Value>) async throws -> Value {
        expectTask()
        guard let life = beginLife() else { throw TaskError.loopEnded }
        defer { end(life) }
        return try await withTaskCancellationHandler {
            try await body.content()
        } onCancel: {
            self.cancel(life)
        }
    }
}
