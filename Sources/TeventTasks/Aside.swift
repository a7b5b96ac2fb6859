/// Does work that takes long on a thread of Swift's pool, while the loop goes on.
///
/// ```swift
/// func digest(_ bytes: [UInt8]) async throws -> Int {
///     try await aside { bytes.reduce(0) { ($0 &* 31 &+ Int($1)) } }
/// }
/// ```
///
/// A function that is marked `@concurrent` does not leave the loop's thread, since its task prefers the loop: this
/// does. The compiler makes sure that the work uses no handles.
///
/// If the task is cancelled, the work finds that with `Task.isCancelled`. If the context is freed meanwhile, the task
/// continues on the thread of its loop as soon as another loop there runs or returns, or the thread ends.
///
/// - Parameter work: What to do; it must not wait for anything for long.
/// - Returns: What the work returned.
/// - Throws: What the work threw.
///
/// C's counterpart is a pool of threads of the program's own.
public func aside<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    let task = Task(executorPreference: globalConcurrentExecutor) { try work() }
    return try await withTaskCancellationHandler {
        try await task.value
    } onCancel: {
        task.cancel()
    }
}
