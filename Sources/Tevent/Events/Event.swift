import CTalloc
import Talloc

/// What all kinds of event have in common.
///
/// An event is one talloc chunk. Freeing it, or a parent, takes it out of the loop and lets go what its handler holds;
/// a handler may do so at any time, with its own event too.
public protocol Event: TallocObject {}

extension Event {
    private func prefix(_ call: StaticString = #function) -> UnsafeMutablePointer<EventPrefix> {
        chunk(call).assumingMemoryBound(to: EventPrefix.self)
    }

    /// The context whose loop serves the event, or nil: it is gone, or an immediate is not scheduled.
    public var context: EventContext? { prefix().pointee.context.map(EventContext.init) }

    /// A number for the program's own use, 0 until it is set; traces can tell events apart by it.
    ///
    /// The corresponding C functions are `tevent_fd_set_tag()`, `tevent_timer_set_tag()` and their likes.
    public var tag: UInt64 {
        get { prefix().pointee.tag }
        nonmutating set { prefix().pointee.tag = newValue }
    }

    /// The line of the program that made the event, such as "main/Ticker.swift:12".
    public var origin: String { prefix().pointee.origin }
}

/// The first bytes of every event's record.
package struct EventPrefix {
    let slot: HandleSlotPointer
    /// Nil when the event is in no loop.
    package var context: ContextPointer?
    package let file: UnsafePointer<CChar>
    package var tag: UInt64 = 0
    /// 0 if `file` tells the line as well, as with C's `__location__`.
    let line: UInt32

    /// The line that made it, in words.
    package var origin: String { line == 0 ? String(cString: file) : "\(String(cString: file)):\(line)" }
}

/// A record of an event, as it lies in its chunk.
package protocol EventRecord: ~Copyable {
    /// The name in talloc reports, as in C.
    static var name: StaticString { get }
    static var kind: ObjectKind { get }
    /// Called by talloc when the chunk is freed: takes the event out of its loop and ends its handles.
    static var destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt { get }
    var prefix: EventPrefix { get set }
}

extension EventRecord where Self: ~Copyable {
    /// Makes a chunk with a record in it; nothing is left behind when it throws.
    ///
    /// - Parameter behind: How many bytes there shall be behind the record, which another face of the engine fills.
    @inline(__always)
    package static func make(
        under parent: UnsafeMutableRawPointer?, file: UnsafePointer<CChar>, line: UInt32, behind: Int = 0,
        _ record: (EventPrefix) -> Self
    ) throws(TeventError) -> UnsafeMutablePointer<Self> {
        let prefix: (chunk: UnsafeMutableRawPointer, slot: HandleSlotPointer)
        do {
            prefix = try allocateChunk(
                size: behind == 0 ? MemoryLayout<Self>.size : MemoryLayout<Self>.stride + behind, name: name.cString,
                under: parent, kind: kind)
        } catch { throw TeventError(error) }
        let pointer = prefix.chunk.initializeMemory(
            as: Self.self, to: record(EventPrefix(slot: prefix.slot, file: file, line: line)))
        _talloc_set_destructor(prefix.chunk, destructor)
        return pointer
    }
}

extension UnsafeMutablePointer where Pointee: EventRecord & ~Copyable {
    /// The last step of every destructor: the handles end, then what the record holds is let go.
    ///
    /// In this order, because letting go may run anybody's deinit, which must find the event gone.
    @inline(__always)
    func endRecord() {
        pointee.prefix.slot.release()
        deinitialize(count: 1)
    }

    package var handle: TallocHandle { TallocHandle(slot: pointee.prefix.slot) }

    /// The memory behind the record.
    @inlinable package var placeBehindRecord: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self + 1) }
}
