import CLinux
import Glibc
import Talloc
import Tevent

// How a task gives way. A task that is enqueued again is an immediate, and immediates come before timers and descriptors,
// so that it would keep them waiting for as long as it does that. It therefore waits for a descriptor that is always
// readable: a turn comes to descriptors last, and serves all that are ready before it looks again.

extension EventContext {
    /// Lets everything run that is ready: handlers of signals, immediates, due timers and descriptors, and other tasks.
    ///
    /// ```swift
    /// func sum(_ numbers: [Int], on events: EventContext) async throws -> Int {
    ///     var sum = 0
    ///     for (place, number) in numbers.enumerated() {
    ///         sum += number
    ///         if place.isMultiple(of: 10_000) { try await events.yield() }
    ///     }
    ///     return sum
    /// }
    /// ```
    ///
    /// Swift's `Task.yield()` gives way to immediates and other tasks only, since a task is an immediate itself.
    ///
    /// It is a trap to call it outside the tasks of this loop.
    ///
    /// - Throws: ``TaskError/loopEnded`` if the context is freed meanwhile.
    /// - Complexity: Two system calls and one turn of the loop.
    ///
    /// C programs return to the loop instead, and continue in an event.
    public func yield() async throws(TaskError) {
        guard loopOfTask().pointee.context == record("yield()") else {
            abort("yield() was called for another loop than that which runs the task")
        }
        await giveWay()
        if isFreed { throw .loopEnded }
    }
}

/// Suspends the running task until a turn has come to the descriptors that are ready now.
func giveWay() async {
    await withUnsafeContinuation { loopOfTask().giveWay($0) }
}

extension LoopPointer {
    fileprivate func giveWay(_ continuation: UnsafeContinuation<Void, Never>) {
        pointee.yielding.append(continuation)
        guard pointee.yielding.count == 1 else { return }
        // Without a descriptor it gives way to other tasks, at least.
        guard let context = pointee.context, let descriptor = alwaysReadable else { return resumeYielding() }
        let turn = TurnOfOthers(pointee.executor.takeUnretainedValue())
        do {
            try EventContext(context).addFD(descriptor, .read) { event, _ in
                event.free()
                turn.end()
            }
        } catch { turn.end() }
    }

    /// Lets the tasks go on that have given way.
    func resumeYielding() {
        let yielding = pointee.yielding
        pointee.yielding = []
        for continuation in yielding { continuation.resume() }
    }

    private var alwaysReadable: Int32? {
        if pointee.alwaysReadable == nil {
            let descriptor = eventfd(1, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
            pointee.alwaysReadable = try? StandardDescriptors.avoid("eventfd", descriptor)
        }
        return pointee.alwaysReadable
    }
}

/// The turn to which tasks have given way; it also ends when its event is freed, such as with all that is below the
/// context.
private final class TurnOfOthers {
    private var executor: LoopExecutor?

    init(_ executor: LoopExecutor) { self.executor = executor }

    deinit { end() }

    func end() { executor.take()?.record.resumeYielding() }
}
