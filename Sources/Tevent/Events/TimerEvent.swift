import CLinux
import CTalloc
import Talloc

/// A handler that runs when a timer is due; it receives the timer and the time at which its turn began.
public typealias TimerHandler = (_ timer: TimerEvent, _ now: EventInstant) -> Void

/// An event that happens once, at a given time, and is then freed.
///
/// To repeat, the handler calls ``update(after:)`` on its own timer, or adds another. Freeing a timer cancels it.
///
/// ```swift
/// var ticks = 0
/// try events.addTimer(after: .seconds(1)) { timer, _ in
///     ticks += 1
///     if ticks < 3 { timer.update(after: .seconds(1)) }
/// }
/// ```
///
/// The corresponding C type is `struct tevent_timer`.
public struct TimerEvent: Event, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    package init(_ record: TimerPointer) { tallocHandle = record.handle }

    private func record(_ call: StaticString = #function) -> TimerPointer { record(as: TimerRecord.self, call) }

    /// When the timer is due; nil while its handler runs and has not updated it.
    public var deadline: EventInstant? {
        let record = record()
        guard let context = record.pointee.prefix.context, context.pointee.timers.contains(record)
        else { return nil }
        return EventInstant(nanoseconds: context.pointee.timers.deadline(of: record))
    }

    /// Moves the timer to another time, after all other timers due then.
    ///
    /// When called in the timer's own handler, the timer happens again. It does nothing if the timer's context was
    /// freed.
    ///
    /// - Complexity: O(log *n*) in the number of timers.
    ///
    /// The corresponding C function is `tevent_update_timer()`.
    public func update(at deadline: EventInstant) { record("update(at:)").update(deadline) }

    /// Moves the timer to `delay` from now, after all other timers due then.
    ///
    /// When called in the timer's own handler, the timer happens again. It does nothing if the timer's context was
    /// freed.
    ///
    /// - Complexity: O(log *n*) in the number of timers.
    ///
    /// The corresponding C functions are `tevent_update_timer()` and `tevent_timeval_current_ofs()`.
    public func update(after delay: Duration) {
        let record = record("update(after:)")
        guard let context = record.pointee.prefix.context else { return }
        record.update(context.now.advanced(by: delay))
    }
}

@available(*, unavailable)
extension TimerEvent: Sendable {}

extension EventContext {
    /// Adds a timer that is due at `deadline`; if that has passed, it is due immediately.
    ///
    /// - Parameters:
    ///   - deadline: A point on the context's clock, see ``now``.
    ///   - parent: The timer's parent; by default the context.
    ///   - handler: Runs when the timer is due. The timer owns it until it has run, or the timer is freed.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Throws: ``TeventError/outOfMemory(name:)``.
    /// - Complexity: O(log *n*) in the number of timers.
    ///
    /// The corresponding C function is `tevent_add_timer()`.
    @inlinable
    @discardableResult
    public func addTimer(
        at deadline: EventInstant, under parent: (some TallocObject)? = TallocContext?.none,
        file: StaticString = #fileID, line: UInt32 = #line, _ handler: @escaping TimerHandler
    ) throws(TeventError) -> TimerEvent {
        try addTimer(at: deadline, parent: parent?.tallocHandle, file: file, line: line, handler)
    }

    /// Adds a timer that is due `delay` from now; zero means on the loop's next turn.
    ///
    /// - Parameters:
    ///   - delay: How long from now; a negative delay counts as zero.
    ///   - parent: The timer's parent; by default the context.
    ///   - handler: Runs when the timer is due. The timer owns it until it has run, or the timer is freed.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Throws: ``TeventError/outOfMemory(name:)``.
    /// - Complexity: O(log *n*) in the number of timers.
    ///
    /// The corresponding C functions are `tevent_add_timer()` and `tevent_timeval_current_ofs()`.
    @inlinable
    @discardableResult
    public func addTimer(
        after delay: Duration, under parent: (some TallocObject)? = TallocContext?.none,
        file: StaticString = #fileID, line: UInt32 = #line, _ handler: @escaping TimerHandler
    ) throws(TeventError) -> TimerEvent {
        let deadline = now.advanced(by: max(delay, .zero))
        return try addTimer(at: deadline, parent: parent?.tallocHandle, file: file, line: line, handler)
    }

    @usableFromInline
    func addTimer(
        at deadline: EventInstant, parent: TallocHandle?, file: StaticString, line: UInt32,
        _ handler: @escaping TimerHandler
    ) throws(TeventError) -> TimerEvent {
        let context = record("addTimer")
        let parent = chunk(of: parent, "addTimer")
        return try context.addTimer(at: deadline, under: parent, file: file.cString, line: line, handler)
    }

    /// The waiting timers, in the order in which they will run.
    ///
    /// - Complexity: O(*n* log *n*).
    public var timers: [TimerEvent] { record().pointee.timers.sorted.map(TimerEvent.init) }
}

extension ContextPointer {
    /// Adds a timer under any chunk, or without a parent.
    @inline(__always)
    package func addTimer(
        at deadline: EventInstant, under parent: UnsafeMutableRawPointer?, file: UnsafePointer<CChar>, line: UInt32,
        behind: Int = 0, _ handler: @escaping TimerHandler
    ) throws(TeventError) -> TimerEvent {
        guard pointee.timers.reserve(under: tableParent) else { throw .outOfMemory(name: "\(TimerRecord.name)") }
        let timer = try TimerRecord.make(under: parent, file: file, line: line, behind: behind) {
            TimerRecord(prefix: $0, handler: handler)
        }
        timer.pointee.prefix.context = self
        pointee.timers.add(timer, deadline: deadline.nanoseconds)
        let handle = TimerEvent(timer)
        if pointee.hooks != nil {
            timer.trace(.attach, on: self, deadline: deadline.nanoseconds, detail: nanoseconds(until: deadline))
        }
        return handle
    }
}

package typealias TimerPointer = UnsafeMutablePointer<TimerRecord>

package struct TimerRecord: EventRecord {
    package var prefix: EventPrefix
    /// Given by the heap, which stores everything else.
    var number: UInt32 = 0
    let handler: TimerHandler

    package static var name: StaticString { "struct tevent_timer" }
    package static var kind: ObjectKind { .timer }
    package static var description: StaticString { "a timer" }
    package static let destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { chunk in
        let timer = chunk!.assumingMemoryBound(to: TimerRecord.self)
        timer.detach()
        timer.endRecord()
        return 0
    }
}

extension TimerPointer {
    /// Takes the timer out of its loop.
    package func detach() {
        guard let context = pointee.prefix.context else { return }
        context.pointee.timers.remove(self)
        pointee.prefix.context = nil
        if context.pointee.hooks != nil { trace(.detach, on: context) }
    }

    func update(_ deadline: EventInstant) {
        guard let context = pointee.prefix.context else { return }
        context.pointee.timers.update(self, deadline: deadline.nanoseconds)
        if isRecording { recordUpdate(deadline, on: context) }
    }

    /// Runs the handler of a due timer, then frees the timer unless the handler updated it.
    package func run(now: EventInstant) {
        let context = pointee.prefix.context!
        let timer = TimerEvent(self)
        if context.pointee.policies.contains(.keepsRunningDeadline) { context.pointee.timers.noteDeadline(of: self) }
        let hooks = context.pointee.hooks
        let deadline = hooks == nil ? 0 : context.pointee.timers.deadline(of: self)
        context.pointee.timers.beginRunning(self)
        context.pointee.timers.fetchAhead()
        if hooks == nil {
            let handler = pointee.handler
            handler(timer, now)
        } else {
            runTraced(now: now, deadline: deadline, on: context)
        }
        if !timer.isFreed, !isWaiting { freeChunk(self) }
    }

    @inline(never)
    private func runTraced(now: EventInstant, deadline: Int64, on context: ContextPointer) {
        let timer = TimerEvent(self)
        trace(
            .beforeHandler, on: context, deadline: deadline,
            detail: deadline.distanceClamped(to: now.nanoseconds))
        defer { if isRecording { recordEnd() } }
        // The trace may have freed the timer or its context. It may also have updated the timer, which then runs at its
        // new time.
        guard !timer.isFreed, pointee.prefix.context != nil, !isWaiting else { return }
        let handler = pointee.handler
        handler(timer, now)
    }

    /// Whether the timer is due at some later time.
    @inline(__always)
    private var isWaiting: Bool { pointee.prefix.context?.pointee.timers.contains(self) ?? false }

    /// Prefetches the memory that running and freeing the timer will touch.
    ///
    /// That is the timer, talloc's header before it, and the sizes of the two chunks after it, which malloc reads.
    func fetchAhead() {
        for offset in [-104, -64, 0, 56, 216] { clinux_prefetch(UnsafeRawPointer(self) + offset) }
    }

    /// Prefetches the slot of a timer that has been prefetched.
    func fetchSlotAhead() { clinux_prefetch(pointee.prefix.slot) }
}
