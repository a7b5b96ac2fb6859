import CLinux
import Talloc
import Tevent

// Where tasks run: on the loop of a context, as immediates do.
//
// A job that is enqueued on the loop's own thread joins the immediates, in its place among them, without a lock, a
// system call or an allocation: jobs lie in a ring, and one record among the immediates stands for those that came one
// after another.
//
//     immediates:  request │ jobs ×2 │ immediate │ jobs ×1          ring:  job │ job │ job
//
// From another thread a job goes through the channel, as a message does.

/// Runs jobs of tasks on the loop of a context.
@usableFromInline
final class LoopExecutor: TaskExecutor, LoopTasks, @unchecked Sendable {
    /// Only the loop's thread uses it.
    let record: LoopPointer
    private let channel: Channel
    let thread: LoopThread

    fileprivate init(_ context: ContextPointer) throws(TeventError) {
        thread = LoopThread.here
        channel = try context.openChannel()
        record = .allocate(capacity: 1)
        guard let slot = HandleSlotPointer.acquire(for: record, kind: .jobs) else {
            record.deallocate()
            throw .outOfMemory(name: "tasks")
        }
        record.initialize(to: LoopRecord(slot: slot, context: context))
        record.pointee.executor = .passUnretained(self)
        record.anchor.beginRing()
    }

    deinit {
        record.pointee.release()
        record.deinitialize(count: 1)
        record.deallocate()
    }

    // MARK: Enqueueing

    @usableFromInline
    func enqueue(_ job: consuming ExecutorJob) { add(UnownedJob(job)) }

    // snippet: enqueue
    @inline(__always)
    func add(_ job: UnownedJob) {
        guard thread.isCurrent else { return addFromElsewhere(job) }
        record.pointee.ring.append(job)
        guard let context = record.pointee.context else { return thread.noteLeftJobs(of: self) }
        if isRecording { recordEnqueued(job, on: context) }
        if let last = record.pointee.lastRun, context.isLast(last.scheduled) {
            last.pointee.count += 1
        } else {
            beginRun(on: context)
        }
    }
    // snippet-end: enqueue

    @inline(never)
    private func beginRun(on context: ContextPointer) {
        let run = record.pointee.spareRuns ?? JobRunPointer.make(for: self)
        record.pointee.spareRuns = run.pointee.nextSpare
        run.pointee.count = 1
        run.scheduled.append(to: context, as: .jobs, JobRun.act)
        record.pointee.lastRun = run
    }

    @inline(never)
    private func addFromElsewhere(_ job: UnownedJob) {
        let letter = JobLetter(executor: .passRetained(self), job: job)
        if !send(letter, opening: JobLetter.opening) { letter.leave() }
    }

    /// Sends something to the loop, on any thread; returns false if the loop has ended.
    func send<Content>(_ content: Content, opening: MessageOpening) -> Bool {
        let size = MemoryLayout<Content>.size
        let receiver = TallocHandle(slot: record.pointee.slot)
        let message = MessagePointer.make(for: receiver, contentSize: size, opening: opening)
        message.content.initializeMemory(as: Content.self, to: content)
        if channel.send(message) { return true }
        message.forgetOpening()
        message.freeMessage(contentSize: size)
        return false
    }

    // MARK: Running

    /// Runs a job until its task suspends; the executor may be released meanwhile.
    @inline(__always)
    func run(_ job: UnownedJob) {
        let here = clinux_tasks_here()!
        let outer = here.pointee.loop
        here.pointee.loop = UnsafeMutableRawPointer(record)
        record.pointee.awaitsLeft = LoopRecord.awaitsPerTurn
        if isRecording {
            runRecorded(job, on: record.pointee.context)
        } else {
            job.runSynchronously(on: UnownedTaskExecutor(ordinary: self))
        }
        here.pointee.loop = outer
    }

    /// Traps if a context was given to another thread after a task was begun on it.
    @inline(__always)
    func checkThread() { if !thread.isCurrent { usedOnAnotherThread() } }

    @inline(never)
    private func usedOnAnotherThread() -> Never {
        abort(
            "a context with tasks was used on another thread than that on which its first task was begun; "
                + "give a context to its thread before you begin a task")
    }

    // MARK: The end

    /// Whether the context has been freed.
    var hasEnded: Bool { record.pointee.context == nil }

    @usableFromInline
    var areAlive: Bool { record.pointee.liveTasks > 0 }

    @usableFromInline
    func contextEnds() {
        record.pointee.context = nil
        checkThread()
        if !record.pointee.ring.isEmpty { thread.noteLeftJobs(of: self) }
        while let waiting = record.anchor.pointee.next, waiting != record.anchor {
            RequestPointer(awaited: waiting).resumeWaiter()
        }
        record.resumeYielding()
    }

    @usableFromInline
    func runLeftJobs() { thread.runLeftJobs() }

    /// Runs the first job of a loop that has ended; returns false if there is none.
    func runLeftJob() -> Bool {
        guard let job = record.pointee.ring.popFirst() else { return false }
        run(job)
        return true
    }
}

/// A job of another thread, on its way to the loop.
private struct JobLetter {
    let executor: Unmanaged<LoopExecutor>
    let job: UnownedJob

    static var opening: MessageOpening {
        MessageOpening { message, events in
            let letter = message.content.assumingMemoryBound(to: JobLetter.self).move()
            message.freeMessage(contentSize: MemoryLayout<JobLetter>.size)
            guard events != nil else { return letter.leave() }
            let executor = letter.executor.takeRetainedValue()
            executor.checkThread()
            executor.run(letter.job)
            LoopThread.runLeftJobsHere()
        }
    }

    /// The loop has ended: its thread runs the job.
    func leave() {
        let executor = executor.takeRetainedValue()
        guard executor.thread.isCurrent else { return executor.thread.leave(job, of: executor) }
        executor.add(job)
    }
}

/// What a loop knows about its tasks.
struct LoopRecord {
    /// The beginning of the ring of requests that tasks wait for; it comes first, so that its address is the record's.
    fileprivate var anchor: Scheduled
    let slot: HandleSlotPointer
    /// Nil once it is freed.
    var context: ContextPointer?
    /// Whoever runs a job holds it.
    fileprivate(set) var executor: Unmanaged<LoopExecutor>!
    fileprivate var ring = JobRing()
    /// The place of the jobs enqueued last.
    fileprivate var lastRun: JobRunPointer?
    fileprivate var spareRuns: JobRunPointer?
    var begun = BegunTasks()
    /// How many tasks were begun here and have not ended.
    var liveTasks = 0
    /// Tasks that have given way, until a turn comes to the descriptor below.
    var yielding: [UnsafeContinuation<Void, Never>] = []
    /// A descriptor that is always readable, made when a task first gives way.
    var alwaysReadable: Int32?
    /// How often the running task may still await what has ended before others get their turn.
    var awaitsLeft = LoopRecord.awaitsPerTurn

    static var awaitsPerTurn: Int { 64 }

    fileprivate init(slot: HandleSlotPointer, context: ContextPointer) {
        let file: StaticString = #fileID
        anchor = Scheduled(prefix: EventPrefix(slot: slot, file: file.cString, line: #line))
        self.slot = slot
        self.context = context
    }

    fileprivate mutating func release() {
        slot.release()
        if let alwaysReadable { SystemIO.close(alwaysReadable) }
        ring.free()
        begun.free()
        while let run = spareRuns {
            spareRuns = run.pointee.nextSpare
            run.deallocate()
        }
    }
}

typealias LoopPointer = UnsafeMutablePointer<LoopRecord>

extension LoopPointer {
    /// The loop whose job runs on this thread; nil in handlers, and where no loop runs.
    @inline(__always)
    static var here: LoopPointer? { clinux_tasks_here().pointee.loop?.assumingMemoryBound(to: LoopRecord.self) }

    /// The beginning of the ring of requests that tasks wait for.
    @inline(__always)
    var anchor: ScheduledPointer { ScheduledPointer(OpaquePointer(self)) }
}

typealias JobRunPointer = UnsafeMutablePointer<JobRun>

/// Jobs that came one after another, as one entry among a context's immediates.
struct JobRun {
    var scheduled: Scheduled
    fileprivate var count = 0
    fileprivate let executor: Unmanaged<LoopExecutor>
    fileprivate var nextSpare: JobRunPointer?

    fileprivate static let act: ScheduledAct = { object, leftBehind in
        let run = object.unsafelyUnwrapped.assumingMemoryBound(to: JobRun.self)
        if leftBehind == nil { run.runFirst() } else { run.leave() }
    }
}

extension JobRunPointer {
    fileprivate static func make(for executor: LoopExecutor) -> JobRunPointer {
        let run = allocate(capacity: 1)
        let file: StaticString = #fileID
        let prefix = EventPrefix(slot: executor.record.pointee.slot, file: file.cString, line: #line)
        run.initialize(to: JobRun(scheduled: Scheduled(prefix: prefix), executor: .passUnretained(executor)))
        return run
    }

    fileprivate var scheduled: ScheduledPointer { ScheduledPointer(OpaquePointer(self)) }

    // snippet: run
    /// The loop has come to the first job.
    @inline(__always)
    fileprivate func runFirst() {
        pointee.executor._withUnsafeGuaranteedRef { executor in
            let job = executor.record.pointee.ring.removeFirst()
            pointee.count -= 1
            if pointee.count == 0 { leave() }
            executor.checkThread()
            executor.run(job)
        }
        // The job may have ended what the executor is for.
        let thread = clinux_tasks_here().pointee.thread.unsafelyUnwrapped
        Unmanaged<LoopThread>.fromOpaque(thread)._withUnsafeGuaranteedRef { if $0.hasLeftJobs { $0.runLeftJobs() } }
    }
    // snippet-end: run

    /// Takes the entry out of its context; the jobs stay in the ring.
    fileprivate func leave() {
        scheduled.remove(from: pointee.scheduled.prefix.context.unsafelyUnwrapped)
        pointee.executor._withUnsafeGuaranteedRef { executor in
            if executor.record.pointee.lastRun == self { executor.record.pointee.lastRun = nil }
            pointee.nextSpare = executor.record.pointee.spareRuns
            executor.record.pointee.spareRuns = self
        }
    }
}

extension EventContext {
    /// What the tasks of the loop run on, made at the first call.
    func executor(_ call: StaticString) throws(TeventError) -> LoopExecutor {
        let context = record(call)
        if let tasks = context.pointee.tasks {
            let executor = unsafeDowncast(tasks, to: LoopExecutor.self)
            executor.checkThread()
            return executor
        }
        let executor = try LoopExecutor(context)
        context.pointee.tasks = executor
        return executor
    }
}
