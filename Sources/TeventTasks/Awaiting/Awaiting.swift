import CLinux
import Talloc
import Tevent

// What awaiting a request consists of, for every type of state.

/// How a task awaits a request.
@usableFromInline
enum Awaiting {
    case hasEnded
    /// The request has ended, but other handlers must get their turn.
    case mustYield
    case mustWait
    /// The task was begun with Swift's own means, so that each of its waits needs a cancellation handler.
    case mustWaitAlone
}

/// The chunk of a request, or a trap if it is freed or no request.
@usableFromInline
func chunkToAwait(_ handle: TallocHandle) -> UnsafeMutableRawPointer {
    guard let request = handle.record(as: RequestRecord.self) else {
        guard handle.isStale else { abort("a task awaited something that is not a request") }
        abort("a task awaited a request that was freed; a handle does not keep its object alive")
    }
    return UnsafeMutableRawPointer(request)
}

@usableFromInline
func prepareToAwait(_ chunk: UnsafeMutableRawPointer) -> Awaiting {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    let loop = loopOfTask()
    if request.pointee.status == .inProgress {
        return loop.record.pointee.begun.find(currentTask()) == nil ? .mustWaitAlone : .mustWait
    }
    guard request.pointee.status != .received else {
        abort("a task awaited the request made at \(request.origin), which was received; await it before that")
    }
    // Posted, it would also call its callback.
    if request.isPosted { withExtendedLifetime(request.dropCallback()) {} }
    loop.record.pointee.awaitsLeft -= 1
    return loop.record.pointee.awaitsLeft < 0 ? .mustYield : .hasEnded
}

/// The loop that runs the calling task, or a trap.
@inline(__always)
func loopOfTask() -> LoopExecutor {
    guard let loop = LoopExecutor.here else { awaitedElsewhere() }
    return loop
}

@inline(never)
private func awaitedElsewhere() -> Never {
    abort(
        "a request was awaited outside the tasks of a loop, or by a task that had left its loop's thread; "
            + "begin the task with run(_:), task(under:_:) or addTask(on:_:) of its context, and leave handles out of "
            + "withTaskExecutorPreference(_:) and of other actors")
}

/// Lets other handlers run before a task continues that has awaited much that had ended.
@usableFromInline
func giveWay(_ handle: TallocHandle) async throws(TaskError) {
    await Task.yield()
    try checkEnd(of: handle)
}

@usableFromInline
func beginToAwait(_ handle: TallocHandle, _ continuation: UnsafeContinuation<Void, Never>) {
    let loop = loopOfTask()
    // It may have ended since the task asked, or been freed.
    guard let request = handle.record(as: RequestRecord.self), request.pointee.status == .inProgress, !loop.hasEnded
    else { return continuation.resume() }
    guard request.waiter == 0 else {
        abort(
            "two tasks await the request made at \(request.origin); a request has one result, "
                + "so let one task await it and pass the result on")
    }
    let old = request.await(unsafeBitCast(continuation, to: UInt64.self), in: loop.record.ringOfRequests)
    if let task = loop.record.pointee.begun.find(currentTask()) {
        loop.noteSuspended(task, on: request)
        task.pointee.awaited = handle
        if task.pointee.isCancelled { loop.cancel(OnLoop(content: handle)) }
    }
    withExtendedLifetime(old) {}
}

/// Waits with a cancellation handler of its own.
@usableFromInline
func awaitAlone(_ handle: TallocHandle) async throws(TaskError) {
    let loop = loopOfTask()
    let request = OnLoop(content: handle)
    await withTaskCancellationHandler {
        await withUnsafeContinuation { beginToAwait(request.content, $0) }
    } onCancel: {
        loop.cancel(request)
    }
    try checkEnd(of: handle)
}

/// Throws unless the request has ended, and can be received.
@usableFromInline
func checkEnd(of handle: TallocHandle) throws(TaskError) {
    let loop = loopOfTask()
    loop.noteResumed()
    if let request = handle.record(as: RequestRecord.self) {
        let status = request.pointee.status
        if status != .inProgress, status != .received { return }
    }
    throw loop.hasEnded ? .loopEnded : .freed
}

@usableFromInline
func freeUnlessFreed(_ handle: TallocHandle) {
    if let request = handle.record(as: RequestRecord.self) { AnyRequest(request).free() }
}

/// Frees a request whose result the task does not get, unless other code has received it, and therefore frees it.
@usableFromInline
func freeUnlessReceived(_ handle: TallocHandle) {
    guard let request = handle.record(as: RequestRecord.self), request.pointee.status != .received else { return }
    AnyRequest(request).free()
}
