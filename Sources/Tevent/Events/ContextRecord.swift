import CTalloc
import Talloc

package typealias ContextPointer = UnsafeMutablePointer<ContextRecord>

/// The record of an event context: the lists of its events, in its own talloc chunk.
///
/// Only the context's thread uses the record. Other threads and signal handlers reach what is marked *shared* through
/// pointers of their own. There is one exception: while the loop waits, a C program's other threads may add and remove
/// events under a lock of the program's own. A wait therefore works with a copy of `ready`, and reads nothing else here
/// but `backend`.
package struct ContextRecord: ~Copyable, ObjectRecord {
    package static let name: StaticString = "struct tevent_context"
    package static var kinds: ObjectKinds { ObjectKinds(.eventContext) }
    package static var description: StaticString { "a context" }

    /// Begins with the slot; all handles to the context are copies of this one, which stays unchanged while the context
    /// is being freed.
    let handle: TallocHandle

    // The events by kind; each list is in the order in which its events are served.
    package var signals = List<SignalRecord>()
    package var immediates = List<Scheduled>()
    package var timers = TimerHeap()
    package var fds = List<FDRecord>()
    /// How many of them wait for something; the others are quiet.
    package internal(set) var watchingFDs = 0

    // The path of a descriptor: noted changes → backend → what the backend found ready.
    var descriptors = DescriptorTable()
    var backend: OwnedBackend
    var ready: ReadyBatch
    /// Descriptors that the backend cannot wait for.
    var alwaysReady: [Int32] = []
    var readBuffer = ReadBuffer()
    /// Whether the watched descriptors have been checked and were open, and nothing has happened since.
    var hasAudited = false
    /// How long a wait without end lasts before the loop checks the descriptors, in nanoseconds.
    var auditDelay: Int64 = 2_000_000_000
    /// Between timers, the loop does not check them before this.
    var nextAudit = EventInstant.zero

    /// Where the next search for a signal to serve starts.
    var signalCursor: SignalPointer?
    /// Shared: lets other threads and signal handlers wake the loop; created when first needed, with only atomic fields.
    var waker: WakerPointer?
    /// Whether the backend watches the waker; false if a restarted backend could not be told about it.
    var watchesWaker = false
    /// Shared: where other threads leave messages, which only this thread takes out; created with the first receiver.
    var channel: Channel?
    /// The delivery for the next messages; there is rarely more than one at a time.
    var spareDelivery: DeliveryPointer?
    /// The receivers of messages from other threads.
    package var receivers = List<ReceiverRecord>()

    /// The tasks that run on the loop; nil before the first.
    package var tasks: (any LoopTasks)?

    /// Nil means the system's monotonic clock.
    package let manualClock: ManualClock?
    /// The level of nesting at which a loop with a manual clock waits for descriptors and other threads when there is no
    /// timer; 0 for none.
    package var levelThatSleepsWithManualClock = 0
    var maximumWait: Duration?
    package var policies: ContextPolicies = [] {
        didSet { ready.limit = policies.contains(.oneDescriptorPerWait) ? 1 : ReadyBatch.usualLimit }
    }
    /// How many seconds a loop with the policy `waitsWithoutEvents` sleeps if there is no timer: 0 means that it never
    /// sleeps, `max` that it sleeps until something happens.
    package var idleSeconds = ContextRecord.usualIdleSeconds
    /// Keeps the engine's own memory while everything else below the context is freed.
    fileprivate var keeper: UnsafeMutableRawPointer?
    var stopRequested = false
    package var nesting = Nesting()
    var hooks: Hooks?
    /// What another API of the engine, such as the C API, keeps with the context: a chunk below it.
    package var attachment: UnsafeMutableRawPointer?
    var debug: ((DebugLevel, String) -> Void)?
    /// Less important messages are never formatted.
    package var maximumDebugLevel = DebugLevel.trace
    var forkGeneration = Fork.generation

    /// As in libtevent.
    private static var usualIdleSeconds: Int32 { 30 }

    /// The state of loops that run inside each other.
    package struct Nesting {
        package var level = 0
        package var isAllowed = false
        var hook: NestingHook?
    }

    init(slot: HandleSlotPointer, backend: any Backend, ready: ReadyBatch, manualClock: ManualClock?) {
        handle = TallocHandle(slot: slot)
        self.backend = OwnedBackend(backend)
        self.ready = ready
        self.manualClock = manualClock
    }
}

extension ContextPointer {
    package static func make(
        under parent: UnsafeMutableRawPointer?, backend: any Backend, clock: ManualClock?
    ) throws(TeventError) -> ContextPointer {
        prepareEngine()
        do throws(TallocError) {
            let (chunk, slot) = try allocateChunk(
                size: MemoryLayout<ContextRecord>.size, name: ContextRecord.name.cString, under: parent,
                kind: .eventContext)
            guard
                let batch = allocatePrivateChunk(
                    size: ReadyBatch.chunkSize, name: ReadyBatch.name.cString, under: chunk)
            else {
                slot.release()
                freeChunk(chunk)
                throw TallocError.outOfMemory(name: "\(ReadyBatch.name)")
            }
            let record = ContextRecord(
                slot: slot, backend: backend, ready: ReadyBatch(memory: batch), manualClock: clock)
            let context = chunk.initializeMemory(as: ContextRecord.self, to: record)
            _talloc_set_destructor(chunk, destroyContext)
            if isRecording {
                context.pointee.hooks = Hooks()
                recordMade(chunk, kind: .eventContext, name: ContextRecord.name.cString)
            }
            return context
        } catch { throw TeventError(error) }
    }

    package var handle: TallocHandle { pointee.handle }

    /// Whether a job may join the last of the immediates instead of lining up after it.
    @inline(__always)
    package func isLast(_ scheduled: ScheduledPointer) -> Bool { pointee.immediates.last == scheduled }

    package var now: EventInstant {
        pointee.manualClock?.now ?? (pointee.policies.contains(.wallClock) ? .wallClockNow : .now)
    }

    /// Whether anything can ever happen in this loop.
    var hasEvents: Bool { pointee.watchingFDs > 0 || hasEventsBesideDescriptors }

    package var hasEventsBesideDescriptors: Bool {
        !pointee.immediates.isEmpty || pointee.timers.count > 0 || !pointee.signals.isEmpty
            || !pointee.receivers.isEmpty || pointee.tasks?.areAlive == true
    }

    /// Takes all events out of the loop, and returns what remains to be released; the events belong to their parents.
    fileprivate func detachEvents() -> [LeftBehind] {
        var leftBehind: [LeftBehind] = []
        while let event = pointee.fds.first { event.detach() }
        while let timer = pointee.timers.any { timer.detach() }
        while let scheduled = pointee.immediates.first { scheduled.leave(&leftBehind) }
        while let signal = pointee.signals.first { signal.detach() }
        return leftBehind
    }

    /// The parent of the tables of events.
    ///
    /// An attachment is freed after the events below the context, which need the tables.
    var tableParent: UnsafeMutableRawPointer {
        pointee.keeper ?? pointee.attachment ?? UnsafeMutableRawPointer(self)
    }

    /// Frees the C program's chunks below a context while it still works but has no events; destructors may create
    /// requests that never run.
    fileprivate func freeChildren() {
        guard let keeper = talloc_named_const(nil, 0, ReadyBatch.name.cString) else { return }
        pointee.keeper = keeper
        discardEvents()
        for memory in [pointee.ready.memory, pointee.attachment] { _ = _talloc_steal_loc(keeper, memory, nil) }
        talloc_free_children(self)
    }

    /// Whether a chunk is a context that is about to be freed, and is freeing what is below it.
    package static func isFreeingChildren(_ chunk: UnsafeMutableRawPointer) -> Bool {
        guard talloc_get_name(chunk) == ContextRecord.name.cString else { return false }
        return ContextPointer(OpaquePointer(chunk)).pointee.keeper != nil
    }

    /// Takes all events out of the loop and drops everything scheduled, before a C context starts over.
    ///
    /// This may happen inside a handler: a server's child stays in the handler in which it was forked, and its loop
    /// becomes the outermost.
    package func dropEvents() {
        pointee.nesting.level = 0
        discardEvents()
    }

    private func discardEvents() { for release in detachEvents() { release() } }

    /// Calls the program's debug function, if there is one; it may do anything.
    ///
    /// - Returns: Whether the context still exists.
    @discardableResult
    package func debug(_ level: DebugLevel, _ message: @autoclosure () -> String) -> Bool {
        guard let debug = pointee.debug, level <= pointee.maximumDebugLevel else { return true }
        let handle = handle
        debug(level, message())
        return !handle.isStale
    }
}

/// Releases what a freed context held: first what its events left behind, then the rest.
private func release(_ record: consuming ContextRecord, _ leftBehind: inout [LeftBehind]) {
    for release in leftBehind { release() }
    leftBehind.removeAll()
    _ = consume record
}

/// Called by libtalloc when a context is about to be freed: its events leave it but still belong to their parents.
package func destroyContext(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let context = chunk!.assumingMemoryBound(to: ContextRecord.self)
    if context.pointee.policies.contains(.freesChildrenFirst) { context.freeChildren() }
    let keeper = context.pointee.keeper
    defer { if let keeper { freeChunk(keeper) } }
    // Traces are notified of each event's end and must find the context freed, so that they cannot add anything to it.
    context.pointee.handle.slot.release()
    // Release handlers last, when the context can no longer be used: releasing one may run any deinit.
    var leftBehind = context.closeChannel()
    let tasks = context.pointee.tasks.take()
    tasks?.contextEnds()
    leftBehind += context.detachEvents()
    if let tasks, context.pointee.nesting.level == 0 { leftBehind.append { tasks.runLeftJobs() } }
    while let receiver = context.pointee.receivers.first { receiver.detach() }
    context.pointee.spareDelivery?.free()
    context.closeWaker()
    release(context.move(), &leftBehind)
    freeChildrenIfAny(of: chunk.unsafelyUnwrapped)
    return 0
}
