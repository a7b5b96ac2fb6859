import Synchronization
import Talloc

/// What an immediate does when its turn comes: it gets itself and the context whose loop runs it.
public typealias ImmediateHandler = (_ immediate: ImmediateEvent, _ events: EventContext) -> Void

/// An event that happens as soon as the loop runs, before timers and descriptors, in the order scheduled.
///
/// It is made once and may be scheduled again and again, in its own handler too, on any context of its thread.
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

    /// Makes an immediate that is not scheduled yet.
    ///
    /// - Parameters:
    ///   - parent: What it is freed with.
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

    /// Makes an immediate under any chunk, or none.
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

    /// Lets the handler run once, when the loop of `events` comes to it, behind all that are scheduled already.
    ///
    /// If it was scheduled already, there or elsewhere, that is cancelled. It needs no memory and cannot fail.
    ///
    /// - Parameters:
    ///   - events: Whose loop runs the handler.
    ///   - handler: What to do. The immediate owns it until it has run, or is cancelled.
    ///
    /// The corresponding C function is `tevent_schedule_immediate()`.
    public func schedule(on events: EventContext, _ handler: @escaping ImmediateHandler) {
        let immediate = record("schedule(on:)")
        guard !immediate.pointee.isEnding else { return }
        let context = events.record("schedule(on:)")
        // Releasing the old handler may run arbitrary deinit code, so it is kept until everything is in order again.
        var old: [ImmediateJob] = []
        defer { withExtendedLifetime(old) {} }
        while let cancelled = immediate.unlink() {
            old.append(cancelled)
            // A trace hook has run, and may have freed either, or scheduled the immediate again.
            guard !isFreed, !events.isFreed else { return }
        }
        immediate.pointee.job = ImmediateJob(run: handler)
        immediate.scheduled.append(to: context)
        context.pointee.hooks?.immediates?(self, .attach)
    }

    /// Takes back what was scheduled; without effect if nothing was.
    ///
    /// The corresponding C call is `tevent_schedule_immediate()` with no context and no handler.
    public func cancel() { record().detach() }

    /// Whether a handler waits to run.
    public var isScheduled: Bool { record().pointee.prefix.context != nil }
}

@available(*, unavailable)
extension ImmediateEvent: Sendable {}

extension EventContext {
    /// The immediates that are scheduled, in the order they will run.
    ///
    /// - Complexity: O(*n*).
    public var immediates: [ImmediateEvent] {
        record().pointee.immediates.snapshot.compactMap(\.asImmediate).map(ImmediateEvent.init)
    }
}

/// What an immediate has to do.
///
/// A struct around the closure, because Swift keeps a bare closure in an optional behind another one, which it allocates.
struct ImmediateJob {
    let run: ImmediateHandler
}

package typealias ImmediatePointer = UnsafeMutablePointer<ImmediateRecord>

package struct ImmediateRecord: ~Copyable, EventRecord {
    var scheduled: Scheduled
    /// Nil unless scheduled.
    var job: ImmediateJob?
    /// It is being freed: a trace that is told about that cannot schedule it again.
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

    /// Takes the immediate out of its loop, and lets its handler go.
    package func detach() { withExtendedLifetime(unlink()) {} }

    /// Takes the immediate out of its loop and hands over what it had to do.
    func unlink() -> ImmediateJob? {
        pointee.announcement.store(0, ordering: .relaxed)
        guard let context = pointee.prefix.context else { return nil }
        let job = pointee.job.take()
        scheduled.remove(from: context)
        context.pointee.hooks?.immediates?(ImmediateEvent(self), .detach)
        return job
    }

    /// Puts the immediate after all others if it is scheduled on this context and immediates are not traced; false if not.
    package func moveBack(on context: ContextPointer) -> Bool {
        guard pointee.prefix.context == context, context.pointee.hooks?.immediates == nil else { return false }
        context.pointee.immediates.remove(scheduled)
        context.pointee.immediates.append(scheduled)
        return true
    }

    /// Notes that a message will schedule the immediate; false if it is scheduled, or about to be, already.
    ///
    /// Safe on any thread, as long as the loop's own does nothing with the immediate meanwhile.
    package func announce(_ message: MessagePointer) -> Bool {
        guard pointee.prefix.context == nil else { return false }
        let message = UInt(bitPattern: message)
        return pointee.announcement.compareExchange(expected: 0, desired: message, ordering: .relaxed).exchanged
    }

    /// Whether it is still this message that shall schedule the immediate; it is not any more then.
    package func takeAnnouncement(_ message: MessagePointer) -> Bool {
        let message = UInt(bitPattern: message)
        return pointee.announcement.compareExchange(expected: message, desired: 0, ordering: .relaxed).exchanged
    }

    /// Runs the handler; the immediate can be scheduled again from then on.
    @inline(__always)
    package func run() {
        let context = pointee.prefix.context.unsafelyUnwrapped
        let events = EventContext(context)
        let immediate = ImmediateEvent(self)
        if let hook = context.pointee.hooks?.immediates {
            hook(immediate, .beforeHandler)
            // It may have freed either, cancelled the immediate, or scheduled it again behind others.
            guard !immediate.isFreed, !events.isFreed, context.pointee.immediates.first == scheduled else { return }
        }
        // Taken out, not copied: the record may be gone before the handler has ended.
        let job = unlink()
        guard !immediate.isFreed, !events.isFreed else { return }
        job?.run(immediate, events)
    }
}
