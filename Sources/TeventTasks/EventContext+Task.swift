import Talloc
import Tevent

/// The work of an async function, as a request; this is its state.
///
/// ``Tevent/EventContext/task(under:isolation:file:line:_:)`` makes the request.
public struct TaskWork<Value>: ReceivableState {
    @usableFromInline let owner: TaskOwner
    @usableFromInline var value: Value?

    @usableFromInline
    init(owner: TaskOwner) { self.owner = owner }

    /// Takes what the function returned, or throws what it threw.
    @inlinable
    public static func receive(_ request: Request<TaskWork<Value>>) throws -> Value { try request.receive() }
}

extension Request {
    /// Takes what the function returned.
    ///
    /// - Throws: What it threw. A `CancellationError` becomes ``/Tevent/RequestError/cancelled``.
    ///   ``TaskError/loopEnded`` if the context was freed before the function began.
    @inlinable
    public func receive<Value>() throws -> Value where State == TaskWork<Value> {
        try receive { work in
            guard let value = work.value.take() else { lacksTheValue() }
            return value
        }
    }
}

@usableFromInline
func lacksTheValue() -> Never {
    abort("a request made by task(under:_:) was finished by other code; cancel it instead")
}

extension TaskWork: CancellableState {
    package static func cancel(_ request: AnyRequest) -> Bool {
        request.request(expecting: Self.self).state.owner.cancel()
        return true
    }
}

/// Belongs to the request of a task, and cancels the task if the request is received or freed before the task has
/// ended.
@usableFromInline
final class TaskOwner {
    @usableFromInline let executor: LoopExecutor
    @usableFromInline var task: Task<Void, Never>?

    @usableFromInline
    init(on events: EventContext, _ isolation: (any Actor)?) throws(TeventError) {
        checkNotIsolated(isolation, "task(under:_:)")
        executor = try events.executor("task(under:_:)")
    }

    deinit { task?.cancel() }

    func cancel() { task?.cancel() }

    /// The task is about to end, and there is nothing to cancel any more.
    @usableFromInline
    func forgetTask() { task = nil }

    /// Whether a request whose work has returned is still there to take the result.
    @usableFromInline
    static func isWaiting(_ request: TallocHandle) -> Bool {
        request.record(as: RequestRecord.self)?.pointee.status == .inProgress
    }

    /// Ends a request whose work threw, unless it has been freed.
    @usableFromInline
    static func fail(_ request: TallocHandle, _ error: any Error) {
        guard let request = request.record(as: RequestRecord.self), request.pointee.status == .inProgress else {
            return
        }
        AnyRequest(request).fail(error is CancellationError ? RequestError.cancelled : error)
    }
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
    /// The function begins on the loop's next turn. ``/Tevent/RequestProtocol/cancel()`` cancels the task, and the
    /// request ends when the function has returned. Freeing the request cancels the task, too, and its result is
    /// dropped; a function that has not begun by then is never called.
    ///
    /// - Parameters:
    ///   - parent: The owner of the request: freeing it cancels the task.
    ///   - isolation: The actor to which the caller is isolated; leave it to the compiler. It is a trap if there is
    ///     one, as in ``Tevent/EventContext/run(isolation:_:)``.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    ///   - body: The function. The task owns it until it has returned.
    /// - Returns: A request in progress.
    /// - Throws: ``/Tevent/TeventError/outOfMemory(name:)``, or ``/Tevent/TeventError/systemCall(name:code:)`` when
    ///   descriptors are exhausted: the first task of a context opens one.
    ///
    /// C has no counterpart.
    @inlinable
    public func task<Value>(
        under parent: some TallocObject, isolation: (any Actor)? = #isolation, file: StaticString = #fileID,
        line: UInt32 = #line, _ body: @escaping () async throws -> Value
    ) throws(TeventError) -> Request<TaskWork<Value>> {
        // The closure below must not hold the owner, whose end cancels it.
        let owner = try TaskOwner(on: self, isolation)
        let request = try Request(TaskWork<Value>(owner: owner), under: parent, file: file, line: line)
        let work = OnLoop(content: (request: request, body: body))
        let executor = owner.executor
        executor.expectTask()
        owner.task = Task(executorPreference: executor) {
            let request = work.content.request.tallocHandle
            guard let life = executor.beginLife() else { return TaskOwner.fail(request, TaskError.loopEnded) }
            await withTaskCancellationHandler {
                guard TaskOwner.isWaiting(request) else { return }
                do {
                    let value = try await work.content.body()
                    guard TaskOwner.isWaiting(request) else { return }
                    work.content.request.state.owner.forgetTask()
                    work.content.request.state.value = value
                    work.content.request.finish()
                } catch { TaskOwner.fail(request, error) }
            } onCancel: {
                executor.cancel(life)
            }
            executor.end(life)
        }
        return request
    }
}
