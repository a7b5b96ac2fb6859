import CLinux
import Talloc
import Tevent

// What awaiting a request consists of, for every type of state.

/// How a task awaits a request: a word, which comes back in a register.
@usableFromInline
struct Wait {
    /// The address of the task's record, or one of the numbers below.
    fileprivate let word: UInt

    /// The request has ended.
    fileprivate static var none: Wait { Wait(word: 0) }
    /// The request has ended, but other handlers must get their turn.
    fileprivate static var yield: Wait { Wait(word: 1) }
    /// The task was begun with Swift's own means, so that each of its waits needs a cancellation handler.
    fileprivate static var alone: Wait { Wait(word: 2) }

    @usableFromInline var isNecessary: Bool { word != 0 }
    @usableFromInline var isOfBegunTask: Bool { word > 2 }

    fileprivate var task: BegunTaskPointer? { isOfBegunTask ? BegunTaskPointer(bitPattern: word) : nil }
}

@inline(never)
private func awaitedUnusable(_ handle: TallocHandle) -> Never {
    guard handle.isStale else { abort("a task awaited something that is not a request") }
    abort("a task awaited a request that was freed; a handle does not keep its object alive")
}

/// Finds out how to wait for a request, and has it call no function if it has ended.
@usableFromInline
func prepareToAwait(_ handle: TallocHandle) -> Wait {
    guard let request = handle.record(as: RequestRecord.self) else { awaitedUnusable(handle) }
    let loop = loopOfTask()
    if request.pointee.status == .inProgress {
        return loop.pointee.begun.find(currentTask()).map { Wait(word: UInt(bitPattern: $0)) } ?? .alone
    }
    guard request.pointee.status != .received else {
        abort("a task awaited the request made at \(request.origin), which was received; await it before that")
    }
    // Posted, it would also call its callback.
    if request.pointee.scheduled.prefix.context != nil { withExtendedLifetime(request.dropCallback()) {} }
    loop.pointee.awaitsLeft -= 1
    return loop.pointee.awaitsLeft < 0 ? .yield : .none
}

/// The loop that runs the calling task, or a trap.
@inline(__always)
func loopOfTask() -> LoopPointer {
    guard let loop = LoopPointer.here else { awaitedElsewhere() }
    return loop
}

@inline(never)
private func awaitedElsewhere() -> Never {
    abort(
        "a request was awaited outside the tasks of a loop, or by a task that had left its loop's thread; "
            + "begin the task with run(_:), task(under:_:) or addTask(on:_:) of its context, and leave handles out of "
            + "withTaskExecutorPreference(_:) and of other actors")
}

@usableFromInline
func beginToAwait(_ handle: TallocHandle, _ wait: Wait, _ continuation: UnsafeContinuation<Void, Never>) {
    let loop = loopOfTask()
    // It may have ended since the task asked, or been freed.
    guard let request = handle.record(as: RequestRecord.self), request.pointee.status == .inProgress,
        loop.pointee.context != nil
    else { return continuation.resume() }
    guard request.waiter == 0 else {
        abort(
            "two tasks await the request made at \(request.origin); a request has one result, "
                + "so let one task await it and pass the result on")
    }
    let old = request.await(unsafeBitCast(continuation, to: UInt64.self), in: loop.anchor)
    if let task = wait.task {
        if isRecording { task.recordWait(for: request) }
        task.pointee.awaited = handle
        if task.pointee.isCancelled {
            loop.pointee.executor._withUnsafeGuaranteedRef { $0.cancel(OnLoop(content: handle)) }
        }
    }
    withExtendedLifetime(old) {}
}

/// Waits with a cancellation handler of its own, or lets other handlers run after much that had ended was awaited.
@usableFromInline
func awaitSpecially(_ wait: Wait, _ handle: TallocHandle) async throws(TaskError) {
    guard wait.word == Wait.alone.word else {
        await giveWay()
        return try checkEnd(of: handle)
    }
    let executor = loopOfTask().pointee.executor.takeUnretainedValue()
    let request = OnLoop(content: handle)
    await withTaskCancellationHandler {
        await withUnsafeContinuation { beginToAwait(request.content, wait, $0) }
    } onCancel: {
        executor.cancel(request)
    }
    try checkEnd(of: handle)
}

/// Throws unless the request has ended, and can be received.
@usableFromInline
func checkEnd(of handle: TallocHandle) throws(TaskError) {
    let loop = loopOfTask()
    if let request = handle.record(as: RequestRecord.self) {
        let status = request.pointee.status
        if status != .inProgress, status != .received { return }
    }
    throw loop.pointee.context == nil ? .loopEnded : .freed
}

/// Frees a request whose result the task does not get, unless other code has received it, and therefore frees it.
@usableFromInline
func freeUnlessReceived(_ handle: TallocHandle) {
    guard let request = handle.record(as: RequestRecord.self), request.pointee.status != .received else { return }
    AnyRequest(request).free()
}
