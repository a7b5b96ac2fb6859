import Talloc
import Tevent

// What a recording says about tasks. A task is known by its address, which is also that of its jobs.

extension UnownedJob {
    fileprivate var object: UnsafeMutableRawPointer? { unsafeBitCast(self, to: UnsafeMutableRawPointer?.self) }
}

extension LoopExecutor {
    /// A task joins the immediates of a context.
    @inline(never)
    func recordEnqueued(_ job: UnownedJob, on context: ContextPointer) {
        addRecord(.attached, job.object, of: .jobs, on: context)
    }

    /// Runs a task until it suspends, as a handler of the context.
    @inline(never)
    func runRecorded(_ job: UnownedJob, on context: ContextPointer?) {
        addRecord(.begin, job.object, of: .jobs, on: context)
        job.runSynchronously(on: UnownedTaskExecutor(ordinary: self))
        recordEnd()
    }
}

extension BegunTaskPointer {
    private var object: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: pointee.task) }

    /// The task is about to wait for a request.
    @inline(never)
    func recordWait(for request: RequestPointer) {
        addRecord(.awaits, object, of: .jobs, on: UnsafeMutableRawPointer(request))
    }

    /// The task has returned.
    @inline(never)
    func recordEnd() { addRecord(.freed, object, of: .jobs) }
}
