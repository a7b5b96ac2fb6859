import Talloc
import Tevent

/// Something that is not Sendable, in a closure that only ever runs on the loop's thread.
struct OnLoop<Content>: @unchecked Sendable {
    let content: Content
}

/// The handle of a task's record, for a message.
private struct TaskToCancel: @unchecked Sendable {
    let task: TallocHandle

    static var opening: MessageOpening {
        MessageOpening { message, events in
            let letter = message.content.assumingMemoryBound(to: TaskToCancel.self).move()
            message.freeMessage(contentSize: MemoryLayout<TaskToCancel>.size)
            guard events != nil, let task = letter.task.object?.assumingMemoryBound(to: BegunTask.self) else { return }
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
        record.pointee.liveTasks += 1
        return Task(executorPreference: self) {
            await self.live { await work.content.0() } never: { work.content.1() }
            self.record.pointee.liveTasks -= 1
        }
    }

    /// What a task does that begins on this loop.
    ///
    /// One cancellation handler serves all that the task awaits. It may run on any thread and under the task's lock, so that
    /// all it does is send a message; what the task waits for is then cancelled by the loop.
    @inline(__always)
    func live<Value>(_ body: () async throws -> Value, never: () throws -> Value) async rethrows -> Value {
        if hasEnded { return try never() }
        let task = record.pointee.begun.add(currentTask())
        record.noteBegun(task)
        defer {
            record.noteEnded(task)
            record.pointee.begun.remove(task)
        }
        let letter = TaskToCancel(task: TallocHandle(slot: task.pointee.slot))
        return try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            _ = send(letter, opening: TaskToCancel.opening)
        }
    }

    /// Has the loop cancel a request that a task waits for; safe on any thread.
    func cancel(_ request: OnLoop<TallocHandle>) {
        _ = send(RequestToCancel(request: request.content), opening: RequestToCancel.opening)
    }
}
