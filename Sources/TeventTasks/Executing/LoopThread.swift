import CLinux
import Glibc
import Synchronization
import Talloc
import Tevent

/// A thread whose loops have tasks; its address identifies the thread, since each of its loops keeps it.
///
/// A task must run on the thread of its loop even if the context was freed, because the memory that it works on may
/// still exist. What cannot run in a loop any more is therefore left here, and runs on this thread: when a loop returns
/// whose context was freed, when a context with tasks is freed outside its loop, after the job of another loop, at the
/// beginning and end of ``Tevent/EventContext/run(isolation:_:)``, and at the end of the thread. Only jobs that arrive
/// later than that run on a thread of Swift's.
final class LoopThread: @unchecked Sendable {
    /// A job of a loop that has ended.
    private struct LeftJob {
        let job: UnownedJob
        let executor: LoopExecutor
    }

    private struct Arrivals {
        var jobs: [LeftJob] = []
        var hasEnded = false
    }

    private let arrivals = Locked(Arrivals())
    private let hasArrivals = Atomic(false)
    /// Counts the jobs that arrived, for ``Tevent/EventContext/run(isolation:_:)``, which may have to wait for one.
    private let signal = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    /// Loops that have ended, with jobs in their rings; only this thread uses it.
    private var ended: [LoopExecutor] = []

    private init() { sem_init(signal, 0, 0) }

    deinit {
        sem_destroy(signal)
        signal.deallocate()
    }

    /// The calling thread, made at the first call.
    static var here: LoopThread {
        if let thread = clinux_tasks_here().pointee.thread {
            return Unmanaged<LoopThread>.fromOpaque(thread).takeUnretainedValue()
        }
        clinux_set_task_functions(resumeTask) { LoopThread.runLeftJobsHere() }
        let thread = LoopThread()
        clinux_tasks_here().pointee.thread = Unmanaged.passRetained(thread).toOpaque()
        end.watchThisThread()
        return thread
    }

    @inline(__always)
    var isCurrent: Bool { clinux_tasks_here().pointee.thread == Unmanaged.passUnretained(self).toOpaque() }

    private static let end = ThreadEnd { _ in
        guard let pointer = clinux_tasks_here().pointee.thread else { return }
        let thread = Unmanaged<LoopThread>.fromOpaque(pointer)
        thread.takeUnretainedValue().finish()
        clinux_tasks_here().pointee.thread = nil
        thread.release()
    }

    /// Runs what is left, if this thread has ever had tasks.
    static func runLeftJobsHere() {
        guard let pointer = clinux_tasks_here().pointee.thread else { return }
        Unmanaged<LoopThread>.fromOpaque(pointer).takeUnretainedValue().runLeftJobs()
    }

    /// Leaves a job of a loop that has ended; called on any other thread.
    func leave(_ job: UnownedJob, of executor: LoopExecutor) {
        let isLeft = arrivals.withLock { arrivals in
            guard !arrivals.hasEnded else { return false }
            arrivals.jobs.append(LeftJob(job: job, executor: executor))
            return true
        }
        guard isLeft else { return Orphanage.run(job, of: executor) }
        hasArrivals.store(true, ordering: .releasing)
        sem_post(signal)
    }

    /// Notes that a loop that has ended has jobs in its ring; called on this thread.
    func noteLeftJobs(of executor: LoopExecutor) {
        if ended.last !== executor { ended.append(executor) }
    }

    /// Whether a job waits that no loop will run.
    @inline(__always)
    var hasLeftJobs: Bool { !ended.isEmpty || hasArrivals.load(ordering: .relaxed) }

    /// Runs what is left, one job after the other; a job may run loops, free contexts, and come here again.
    func runLeftJobs() {
        while hasLeftJobs {
            // It stays in the list meanwhile: a loop inside a job may have to run those that come after it.
            while let executor = ended.last {
                if !executor.runLeftJob() { ended.removeAll { $0 === executor } }
            }
            guard let left = takeArrival() else { continue }
            left.executor.run(left.job)
        }
    }

    private func takeArrival() -> LeftJob? {
        arrivals.withLock { arrivals in
            let left = arrivals.jobs.isEmpty ? nil : arrivals.jobs.removeFirst()
            hasArrivals.store(!arrivals.jobs.isEmpty, ordering: .relaxed)
            return left
        }
    }

    /// Waits until another thread leaves a job, and runs it.
    func waitForLeftJob() {
        while sem_wait(signal) != 0 {}
        runLeftJobs()
    }

    /// The thread ends.
    private func finish() {
        repeat {
            runLeftJobs()
        } while !arrivals.withLock { arrivals in
            arrivals.hasEnded = arrivals.jobs.isEmpty
            return arrivals.hasEnded
        }
    }
}

/// Runs jobs of threads that have ended, one at a time, so that tasks that come back from elsewhere can end.
private actor Orphanage {
    private static let shared = Orphanage()

    static func run(_ job: UnownedJob, of executor: LoopExecutor) {
        Task.detached { await shared.run(job, of: executor) }
    }

    private func run(_ job: UnownedJob, of executor: LoopExecutor) { executor.run(job) }
}

/// Has a task continue that waited for a request: called by the engine.
private func resumeTask(_ waiter: UInt64) {
    unsafeBitCast(waiter, to: UnsafeContinuation<Void, Never>.self).resume()
}
