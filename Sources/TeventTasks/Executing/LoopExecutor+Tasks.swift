import Talloc
import Tevent

/// Something that is not Sendable, in a closure that only ever runs on the loop's thread.
@usableFromInline
struct OnLoop<Content>: @unchecked Sendable {
    @usableFromInline let content: Content

    @inlinable
    init(content: Content) { self.content = content }
}

/// The life of a task that runs on a loop: the handle of its record.
@usableFromInline
struct Life: @unchecked Sendable {
    fileprivate let task: TallocHandle

    fileprivate static var opening: MessageOpening {
        MessageOpening { message, events in
            let life = message.content.assumingMemoryBound(to: Life.self).move()
            message.freeMessage(contentSize: MemoryLayout<Life>.size)
            guard events != nil, let task = life.task.object?.assumingMemoryBound(to: BegunTask.self) else { return }
            task.pointee.isCancelled = true
            if let request = task.pointee.awaited { cancelIfAwaited(request) }
        }
    }
}

/// The handle of a request that a task waits for, for a message.
private struct RequestToCancel: @unchecked Sendable {
    let request: TallocHandle

    static var opening: MessageOpening {
        MessageOpening { message, events in
            let letter = message.content.assumingMemoryBound(to: RequestToCancel.self).move()
            message.freeMessage(contentSize: MemoryLayout<RequestToCancel>.size)
            if events != nil { cancelIfAwaited(letter.request) }
        }
    }
}

/// Asks a request to stop if a task still waits for it; one that refuses goes on.
private func cancelIfAwaited(_ handle: TallocHandle) {
    guard let request = handle.record(as: RequestRecord.self), request.pointee.status == .inProgress,
        request.waiter != 0
    else { return }
    AnyRequest(request).cancel()
}

extension LoopExecutor {
    /// Begins a task on this loop, on whose thread it is called.
    ///
    /// - Parameters:
    ///   - body: What the task does.
    ///   - never: What happens instead if the context is freed before the task begins.
    func begin(_ body: @escaping () async -> Void, never: @escaping () -> Void = {}) -> Task<Void, Never> {
        let work = OnLoop(content: (body, never))
        expectTask()
        return Task(executorPreference: self) {
            guard let life = self.beginLife() else { return work.content.1() }
            await withTaskCancellationHandler {
                await work.content.0()
            } onCancel: {
                self.cancel(life)
            }
            self.end(life)
        }
    }

    // A task begins with `expectTask()`, and what it runs lies between `beginLife()` and `end(_:)`. These functions are
    // not generic, and their callers are inlined: generic code would look up its types again in each task.
    //
    // One cancellation handler serves all that the task awaits. It may run on any thread and under the task's lock, so
    // that all it does is send a message; what the task waits for is then cancelled by the loop.

    /// A task is about to be made, which keeps the loop from ending for lack of events.
    @usableFromInline
    func expectTask() { record.pointee.liveTasks += 1 }

    /// A task has begun to run; nil if its context was freed before, and it must end.
    @usableFromInline
    func beginLife() -> Life? {
        guard !hasEnded else {
            record.pointee.liveTasks -= 1
            return nil
        }
        let task = record.pointee.begun.add(currentTask())
        return Life(task: TallocHandle(slot: task.pointee.slot))
    }

    /// Has the loop cancel what a task waits for; safe on any thread.
    @usableFromInline
    func cancel(_ life: Life) { _ = send(life, opening: Life.opening) }

    /// A task is about to end.
    @usableFromInline
    func end(_ life: Life) {
        let task = life.task.slot.pointee.object.unsafelyUnwrapped.assumingMemoryBound(to: BegunTask.self)
        if isRecording { task.recordEnd() }
        record.pointee.begun.remove(task)
        record.pointee.liveTasks -= 1
    }

    /// Has the loop cancel a request that a task waits for; safe on any thread.
    func cancel(_ request: OnLoop<TallocHandle>) {
        _ = send(RequestToCancel(request: request.content), opening: RequestToCancel.opening)
    }
}
