import CTalloc
import Talloc

/// What all kinds of events have in common.
///
/// An event is one talloc chunk. Freeing it, or a parent, takes it out of the loop and releases what its handler holds.
/// A handler may do that at any time, even with its own event.
public protocol Event: TallocObject {}

extension Event {
    private func prefix(_ call: StaticString = #function) -> UnsafeMutablePointer<AnyEventRecord> {
        record(as: AnyEventRecord.self, call)
    }

    /// The context whose loop serves the event; nil if the context was freed, or the event is an unscheduled immediate.
    public var context: EventContext? {
        // While a context is being freed, its events leave it one by one.
        prefix().pointee.prefix.context.map(EventContext.init).flatMap { $0.isFreed ? nil : $0 }
    }

    /// A number for the program's own use, initially 0; traces can identify events by it.
    ///
    /// The corresponding C functions are `tevent_fd_set_tag()`, `tevent_timer_set_tag()` and their counterparts.
    public var tag: UInt64 {
        get { prefix().pointee.prefix.tag }
        nonmutating set {
            let event = prefix()
            event.pointee.prefix.tag = newValue
            if isRecording { recordTag(event, newValue) }
        }
    }

    /// The line of the program that created the event, such as "main/Ticker.swift:12".
    public var origin: String { prefix().pointee.prefix.origin }
}

/// The first bytes of every event's record.
package struct EventPrefix {
    package let slot: HandleSlotPointer
    /// Nil if the event is in no loop.
    package var context: ContextPointer?
    package let file: UnsafePointer<CChar>
    package var tag: UInt64 = 0
    /// 0 if `file` includes the line, like C's `__location__`.
    let line: UInt32

    package init(slot: HandleSlotPointer, file: UnsafePointer<CChar>, line: UInt32) {
        self.slot = slot
        self.line = line
        self.file = file
    }

    /// The line that created it, as text.
    package var origin: String { line == 0 ? String(cString: file) : "\(String(cString: file)):\(line)" }
}

/// An event of any kind, of which only the first bytes are known.
private struct AnyEventRecord: ObjectRecord {
    var prefix: EventPrefix

    static var kinds: ObjectKinds { ObjectKinds(from: .timer, to: .receiver) }
    static var description: StaticString { "an event" }
}

/// The record of an event, as stored in its chunk.
package protocol EventRecord: ObjectRecord, ~Copyable {
    /// The name in talloc reports, as in C.
    static var name: StaticString { get }
    static var kind: ObjectKind { get }
    /// Called by talloc when the chunk is freed: takes the event out of its loop and ends its handles.
    static var destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt { get }
    var prefix: EventPrefix { get set }
}

extension EventRecord where Self: ~Copyable {
    package static var kinds: ObjectKinds { ObjectKinds(kind) }

    /// Creates a chunk with a record in it; leaves nothing behind if it throws.
    ///
    /// - Parameter behind: How many bytes to reserve after the record, for another API of the engine to fill.
    @inline(__always)
    package static func make(
        under parent: UnsafeMutableRawPointer?, file: UnsafePointer<CChar>, line: UInt32, behind: Int = 0,
        _ record: (EventPrefix) -> Self
    ) throws(TeventError) -> UnsafeMutablePointer<Self> {
        let made: (chunk: UnsafeMutableRawPointer, slot: HandleSlotPointer)
        do {
            made = try allocateChunk(
                size: behind == 0 ? MemoryLayout<Self>.size : MemoryLayout<Self>.stride + behind, name: name.cString,
                under: parent, kind: kind)
        } catch { throw TeventError(error) }
        let pointer = made.chunk.initializeMemory(
            as: Self.self, to: record(EventPrefix(slot: made.slot, file: file, line: line)))
        _talloc_set_destructor(made.chunk, destructor)
        if isRecording { recordMade(made.chunk, kind: kind, name: name.cString, file: file, line: line) }
        return pointer
    }
}

extension UnsafeMutablePointer where Pointee: EventRecord & ~Copyable {
    package func tag(_ tag: UInt64) {
        pointee.prefix.tag = tag
        if isRecording { recordTag(self, tag) }
    }

    /// The last step of every destructor: ends the handles, then releases what the record holds, then frees what is
    /// below it.
    ///
    /// The order matters: the release may run any deinit or handler, which must find the event freed.
    @inline(__always)
    func endRecord() {
        pointee.prefix.slot.release()
        deinitialize(count: 1)
        freeChildrenIfAny(of: UnsafeMutableRawPointer(self))
    }

    package var handle: TallocHandle { TallocHandle(slot: pointee.prefix.slot) }

    /// The memory after the record.
    @inlinable package var placeBehindRecord: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self + 1) }
}
