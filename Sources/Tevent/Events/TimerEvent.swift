import CLinux
import CTalloc
import Talloc

/// What a timer does when it is due: it gets itself and the time its turn began.
public typealias TimerHandler = (_ timer: TimerEvent, _ now: EventInstant) -> Void

/// An event that happens once, at a point in time, and is then freed.
///
/// To go on, the handler calls ``update(after:)`` on its own timer, or adds another. Freeing a timer cancels it.
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

    /// When the timer is due, or nil while its handler runs and has not updated it.
    public var deadline: EventInstant? {
        let record = record()
        guard let context = record.pointee.prefix.context, context.pointee.timers.contains(record)
        else { return nil }
        return EventInstant(nanoseconds: context.pointee.timers.deadline(of: record))
    }

    /// Moves the timer to another time; it goes behind all others that are due then.
    ///
    /// In the timer's own handler this makes it happen again. On a timer whose context is gone it does nothing.
    ///
    /// - Complexity: O(log *n*) in the number of timers.
    ///
    /// The corresponding C function is `tevent_update_timer()`.
    public func update(at deadline: EventInstant) { record("update(at:)").update(deadline) }

    /// Moves the timer to `delay` from now; it goes behind all others that are due then.
    ///
    /// In the timer's own handler this makes it happen again. On a timer whose context is gone it does nothing.
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
    /// Adds a timer that is due at `deadline`; one that has passed is due at once.
    ///
    /// - Parameters:
    ///   - deadline: A point on the monotonic clock, see ``now``.
    ///   - parent: What the timer is freed with; by default the context.
    ///   - handler: What to do. The timer owns it until it has run, or is freed.
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

    /// Adds a timer that is due `delay` from now; a delay of zero means on the loop's next turn.
    ///
    /// - Parameters:
    ///   - delay: How long from now; a negative one counts as zero.
    ///   - parent: What the timer is freed with; by default the context.
    ///   - handler: What to do. The timer owns it until it has run, or is freed.
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

    /// The timers that wait, in the order they will run.
    ///
    /// - Complexity: O(*n* log *n*).
    public var timers: [TimerEvent] { record().pointee.timers.sorted.map(TimerEvent.init) }
}

extension ContextPointer {
    /// Adds a timer under any chunk, or none.
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
        pointee.hooks?.timers?(handle, .attach)
        return handle
    }
}

package typealias TimerPointer = UnsafeMutablePointer<TimerRecord>

package struct TimerRecord: EventRecord {
    package var prefix: EventPrefix
    /// Given by the heap, which keeps all else.
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
        context.pointee.hooks?.timers?(TimerEvent(self), .detach)
    }

    func update(_ deadline: EventInstant) {
        guard let context = pointee.prefix.context else { return }
        context.pointee.timers.update(self, deadline: deadline.nanoseconds)
    }

    /// Runs the handler of a timer that is due, then frees it unless the handler updated it.
    package func run(now: EventInstant) {
        let context = pointee.prefix.context!
        let timer = TimerEvent(self)
        if context.pointee.policies.contains(.keepsRunningDeadline) { context.pointee.timers.noteDeadline(of: self) }
        context.pointee.timers.beginRunning(self)
        context.pointee.timers.fetchAhead()
        if let hook = context.pointee.hooks?.timers { hook(timer, .beforeHandler) }
        // The hook may have freed the timer or its context, or updated the timer, which then runs when that time has come.
        if !timer.isFreed, pointee.prefix.context != nil, !isWaiting {
            let handler = pointee.handler
            handler(timer, now)
        }
        if !timer.isFreed, !isWaiting { freeChunk(self) }
    }

    /// Whether the timer is due at some time to come.
    @inline(__always)
    private var isWaiting: Bool { pointee.prefix.context?.pointee.timers.contains(self) ?? false }

    /// Lets the processor fetch what running and freeing the timer will touch.
    ///
    /// That is the timer, talloc's words before it, and the sizes of the two chunks behind it, at which malloc looks.
    func fetchAhead() {
        for offset in [-104, -64, 0, 56, 216] { clinux_prefetch(UnsafeRawPointer(self) + offset) }
    }

    /// Lets the processor fetch the slot of a timer that has been fetched.
    func fetchSlotAhead() { clinux_prefetch(pointee.prefix.slot) }
}
