import Talloc
import Tevent

/// The work of an async function, as a request; this is its state.
///
/// ``Tevent/EventContext/task(under:isolation:file:line:_:)`` makes the request.
public struct TaskWork<Value>: ReceivableState {
    fileprivate let owner: TaskOwner
    fileprivate var value: Value?

    /// Takes what the function returned, or throws what it threw.
    public static func receive(_ request: Request<TaskWork<Value>>) throws -> Value { try request.receive() }
}

extension Request {
    /// Takes what the function returned.
    ///
    /// - Throws: What it threw. A `CancellationError` becomes ``Tevent/RequestError/cancelled``. ``TaskError/loopEnded`` if the
    ///   context was freed before the function began.
    public func receive<Value>() throws -> Value where State == TaskWork<Value> {
        try receive { work in
            guard let value = work.value.take() else {
                abort("a request made by task(under:_:) was finished by other code; cancel it instead")
            }
            return value
        }
    }
}

extension TaskWork: CancellableState {
    package static func cancel(_ request: AnyRequest) -> Bool {
        request.request(expecting: Self.self).state.owner.task?.cancel()
        return true
    }
}

/// Cancels its task when the request is received or freed before the task has ended.
private final class TaskOwner {
    var task: Task<Void, Never>?

    deinit { task?.cancel() }
}

extension EventContext {
    /// Begins an async function as a request, for callers that wait with a callback, or await several at once.
    ///
    /// ```swift
    /// let work = try events.task(under: memory) {
    ///     try await events.sleep(for: .seconds(1))
    ///     return 42
    /// }
    /// work.setCallback { work in
    ///     do { print(try work.receive()) } catch { print(error) }
    ///     work.free()
    /// }
    /// ```
    ///
    /// The function begins on the loop's next turn. ``Tevent/RequestProtocol/cancel()`` cancels the task, and the request ends
    /// when the function has returned. Freeing the request cancels the task, too, and its result is dropped; a function that
    /// has not begun by then is never called.
    ///
    /// - Parameters:
    ///   - parent: The owner of the request: freeing it cancels the task.
    ///   - isolation: The actor to which the caller is isolated; leave it to the compiler. It is a trap if there is one, as in
    ///     ``run(isolation:_:)``.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    ///   - body: The function. The task owns it until it has returned.
    /// - Returns: A request in progress.
    /// - Throws: ``Tevent/TeventError/outOfMemory(name:)``, or ``Tevent/TeventError/systemCall(name:code:)`` when descriptors
    ///   are exhausted: the first task of a context opens one.
    ///
    /// C has no counterpart.
    public func task<Value>(
        under parent: some TallocObject, isolation: (any Actor)? = #isolation, file: StaticString = #fileID,
        line: UInt32 = #line, _ body: @escaping () async throws -> Value
    ) throws(TeventError) -> Request<TaskWork<Value>> {
        checkNotIsolated(isolation, "task(under:_:)")
        let executor = try executor("task(under:_:)")
        let owner = TaskOwner()
        let request = try Request(TaskWork<Value>(owner: owner), under: parent, file: file, line: line)
        let work = OnLoop(content: (request: request, body: body))
        executor.record.pointee.liveTasks += 1
        owner.task = Task(executorPreference: executor) {
            await executor.live {
                await work.content.request.carryOut(work.content.body)
            } never: {
                work.content.request.endIfInProgress(with: TaskError.loopEnded)
            }
            executor.record.pointee.liveTasks -= 1
        }
        return request
    }
}

extension Request {
    fileprivate func carryOut<Value>(_ body: () async throws -> Value) async where State == TaskWork<Value> {
        guard !isFreed else { return }
        do {
            let value = try await body()
            guard !isFreed, isInProgress else { return }
            state.owner.task = nil
            state.value = value
            finish()
        } catch {
            endIfInProgress(with: error is CancellationError ? RequestError.cancelled : error)
        }
    }

    fileprivate func endIfInProgress<Value>(with error: any Error) where State == TaskWork<Value> {
        guard !isFreed, isInProgress else { return }
        state.owner.task = nil
        fail(error)
    }
}
