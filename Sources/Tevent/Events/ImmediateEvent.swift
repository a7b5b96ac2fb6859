import Synchronization
import Talloc

/// A handler that runs when an immediate's turn comes; it receives the immediate and the context whose loop runs it.
public typealias ImmediateHandler = (_ immediate: ImmediateEvent, _ events: EventContext) -> Void

/// An event that happens as soon as the loop runs, before timers and descriptors, in the order of scheduling.
///
/// It is created once and may be scheduled again and again, even in its own handler, on any context of its thread.
///
/// ```swift
/// let immediate = try ImmediateEvent(under: memory)
/// immediate.schedule(on: events) { immediate, _ in
///     print("on the loop's next turn")
///     immediate.free()
/// }
/// ```
///
/// The corresponding C type is `struct tevent_immediate`.
public struct ImmediateEvent: Event, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    package init(_ record: ImmediatePointer) { tallocHandle = record.handle }

    /// Creates an immediate that is not scheduled yet.
    ///
    /// - Parameters:
    ///   - parent: The immediate's parent.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Throws: ``TeventError/outOfMemory(name:)``.
    ///
    /// The corresponding C function is `tevent_create_immediate()`.
    public init(
        under parent: some TallocObject, file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) {
        let parent = parent.chunk("init(under:)")
        try self.init(under: parent, file: file.cString, line: line)
    }

    /// Creates an immediate under any chunk, or without a parent.
    @inline(__always)
    package init(
        under parent: UnsafeMutableRawPointer?, file: UnsafePointer<CChar>, line: UInt32, behind: Int = 0
    ) throws(TeventError) {
        self.init(
            try ImmediateRecord.make(under: parent, file: file, line: line, behind: behind) {
                ImmediateRecord(prefix: $0)
            })
    }

    private func record(_ call: StaticString = #function) -> ImmediatePointer {
        record(as: ImmediateRecord.self, call)
    }

    /// Schedules the handler to run once on the loop of `events`, after everything scheduled so far.
    ///
    /// If the immediate is already scheduled, here or on another context, that is cancelled. The call needs no memory
    /// and cannot fail.
    ///
    /// - Parameters:
    ///   - events: The context whose loop runs the handler.
    ///   - handler: The function to run. The immediate owns it until it has run or is cancelled.
    ///
    /// The corresponding C function is `tevent_schedule_immediate()`.
    public func schedule(on events: EventContext, _ handler: consuming @escaping ImmediateHandler) {
        let immediate = record("schedule(on:)")
        guard !immediate.pointee.isEnding else { return }
        let context = events.record("schedule(on:)")
        guard immediate.pointee.prefix.context == nil, context.pointee.hooks == nil else {
            return reschedule(immediate, on: context, handler)
        }
        immediate.append(ImmediateJob(run: handler), to: context)
    }

    /// Schedules an immediate that may be scheduled already, and tells traces.
    @inline(never)
    private func reschedule(
        _ immediate: ImmediatePointer, on context: ContextPointer, _ handler: @escaping ImmediateHandler
    ) {
        let events = context.handle
        // Keep the old handler until everything is consistent: releasing it may run arbitrary deinit code.
        var old = (immediate.unlink(), again: ImmediateJob?.none)
        defer { withExtendedLifetime(old) {} }
        // A trace hook may have run, and freed either.
        guard !isFreed, !events.isStale else { return }
        // Or it may have scheduled the immediate again. It is not called a second time, or that might never end.
        old.again = immediate.unlinkUntraced()
        immediate.append(ImmediateJob(run: handler), to: context)
        if context.pointee.hooks != nil { immediate.trace(.attach, on: context) }
    }

    /// Cancels what was scheduled; does nothing if nothing was.
    ///
    /// The corresponding C call is `tevent_schedule_immediate()` with no context and no handler.
    public func cancel() { record().detach() }

    /// Whether a handler is waiting to run.
    public var isScheduled: Bool { record().pointee.prefix.context != nil }
}

@available(*, unavailable)
extension ImmediateEvent: Sendable {}

extension EventContext {
    /// The scheduled immediates, in the order in which they will run.
    ///
    /// - Complexity: O(*n*).
    public var immediates: [ImmediateEvent] {
        record().pointee.immediates.snapshot.compactMap(\.asImmediate).map(ImmediateEvent.init)
    }
}

/// What an immediate will run.
///
/// A struct around the closure, because Swift wraps a bare closure in an optional in another closure, which it
/// allocates.
struct ImmediateJob {
    let run: ImmediateHandler
}

package typealias ImmediatePointer = UnsafeMutablePointer<ImmediateRecord>

package struct ImmediateRecord: ~Copyable, EventRecord {
    var scheduled: Scheduled
    /// Nil unless the immediate is scheduled.
    var job: ImmediateJob?
    /// Whether it is being freed: a trace that is notified of that cannot schedule it again.
    var isEnding = false
    /// Shared: the message of another thread that is going to schedule it, or 0.
    fileprivate let announcement = Atomic<UInt>(0)

    package static var name: StaticString { "struct tevent_immediate" }
    package static var kind: ObjectKind { .immediate }
    package static var description: StaticString { "an immediate" }
    package static let destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { chunk in
        let immediate = chunk!.assumingMemoryBound(to: ImmediateRecord.self)
        immediate.pointee.isEnding = true
        // Release the handler last: the record must outlive whatever the handler's deinit does.
        let job = immediate.unlink()
        immediate.endRecord()
        withExtendedLifetime(job) {}
        return 0
    }

    package var prefix: EventPrefix {
        get { scheduled.prefix }
        _modify { yield &scheduled.prefix }
    }

    init(prefix: EventPrefix) { scheduled = Scheduled(prefix: prefix) }
}

extension ImmediatePointer {
    var scheduled: ScheduledPointer { ScheduledPointer(OpaquePointer(self)) }

    /// Adds an immediate that is not scheduled to the queue of a context.
    @inline(__always)
    fileprivate func append(_ job: consuming ImmediateJob, to context: ContextPointer) {
        pointee.announcement.store(0, ordering: .relaxed)
        // Initialised, not assigned: there is none to release.
        withUnsafeMutablePointer(to: &pointee.job) { $0.initialize(to: job) }
        scheduled.append(to: context)
    }

    /// Takes the immediate out of its loop, and releases its handler.
    package func detach() { withExtendedLifetime(unlink()) {} }

    /// Takes the immediate out of its loop, and returns what it was going to run.
    func unlink() -> ImmediateJob? {
        let context = pointee.prefix.context
        let job = unlinkUntraced()
        if let context, context.pointee.hooks != nil { trace(.detach, on: context) }
        return job
    }

    @inline(__always)
    fileprivate func unlinkUntraced() -> ImmediateJob? {
        pointee.announcement.store(0, ordering: .relaxed)
        guard let context = pointee.prefix.context else { return nil }
        let job = pointee.job.take()
        scheduled.remove(from: context)
        return job
    }

    /// Moves the immediate after all others if it is scheduled on this context and immediates are not traced; otherwise
    /// returns false.
    package func moveBack(on context: ContextPointer) -> Bool {
        guard pointee.prefix.context == context, context.pointee.hooks == nil else { return false }
        context.pointee.immediates.remove(scheduled)
        context.pointee.immediates.append(scheduled)
        return true
    }

    /// Notes that a message will schedule the immediate; returns false if it is scheduled already, or about to be.
    ///
    /// Safe on any thread, as long as the loop's thread does not use the immediate meanwhile.
    package func announce(_ message: MessagePointer) -> Bool {
        guard pointee.prefix.context == nil else { return false }
        let message = UInt(bitPattern: message)
        return pointee.announcement.compareExchange(expected: 0, desired: message, ordering: .relaxed).exchanged
    }

    /// Whether this message is still the one that should schedule the immediate; clears the note.
    package func takeAnnouncement(_ message: MessagePointer) -> Bool {
        let message = UInt(bitPattern: message)
        return pointee.announcement.compareExchange(expected: message, desired: 0, ordering: .relaxed).exchanged
    }

    /// Runs the handler; from then on the immediate can be scheduled again.
    @inline(__always)
    package func run() {
        let context = pointee.prefix.context.unsafelyUnwrapped
        guard context.pointee.hooks == nil else { return runTraced(on: context) }
        // Take the handler out instead of copying it: the record may be freed before the handler returns.
        guard let run = pointee.job.take()?.run else { return }
        pointee.announcement.store(0, ordering: .relaxed)
        scheduled.remove(from: context)
        run(ImmediateEvent(self), EventContext(context))
    }

    @inline(never)
    private func runTraced(on context: ContextPointer) {
        let events = EventContext(context)
        let immediate = ImmediateEvent(self)
        trace(.beforeHandler, on: context)
        defer { if isRecording { recordEnd() } }
        // The trace may have freed either, cancelled the immediate, or moved it after others.
        guard !immediate.isFreed, !events.isFreed, context.pointee.immediates.first == scheduled else { return }
        let job = unlink()
        guard !immediate.isFreed, !events.isFreed else { return }
        job?.run(immediate, events)
    }
}
