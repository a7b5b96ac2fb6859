import CTalloc
import Glibc
import Talloc
import Tevent

/// Records what the loops of its thread do, from when it is made until it is freed.
///
/// It is a chunk of talloc memory like any other; freeing it, or its parent, ends the recording. It keeps the newest
/// records, in memory that is reserved when it is made: nothing is allocated while it records.
///
/// ```swift
/// let recorder = try EventRecorder(on: events, under: memory)
/// recorder.note("here it begins")
/// try events.loopWait()
/// try recorder.recording.write(to: "run.html")
/// recorder.free()
/// ```
///
/// To record a whole program with all its threads, use ``ProgramRecording``. C's tevent has no counterpart.
public struct EventRecorder: TallocObject, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    /// How many records a recorder keeps unless you say otherwise.
    public static var usualCapacity: Int { 65_536 }

    /// How many bytes each record takes.
    public static var bytesPerRecord: Int { MemoryLayout<Record>.stride }

    /// Begins to record this thread: the events of `events`, those of contexts made later, all requests and memory.
    ///
    /// What exists already is recorded as if it were made now: the events of `events`, and the tree of memory that
    /// it belongs to.
    ///
    /// A thread has one recorder at a time; making a second one is a trap. While ``ProgramRecording`` records the whole
    /// program, a recorder is a part of that: it keeps as many records as the program's recording does.
    ///
    /// - Parameters:
    ///   - events: The context to record.
    ///   - parent: The recorder's parent.
    ///   - capacity: How many records to keep, 64 bytes each; the oldest are overwritten.
    /// - Throws: ``/Tevent/TeventError/outOfMemory(name:)``.
    public init(
        on events: EventContext, under parent: some TallocObject, capacity: Int = usualCapacity
    ) throws(TeventError) {
        guard capacity > 0 else { abort("a recorder of \(capacity) records cannot be made; give it at least one") }
        let isProgramRecorded = RecordRings.isRecordingAll
        guard isProgramRecorded || !RecordRingPointer.isThreadRecorded else {
            abort("this thread is recorded already; free its recorder before you make another")
        }
        do throws(TallocError) {
            let ring = isProgramRecorded ? RecordRingPointer.here : nil
            let box = try TallocChunk(
                RingBox(ring, capacity: capacity), under: parent, named: "struct tevent_recorder")
            tallocHandle = box.tallocHandle
        } catch { throw TeventError(error) }
        // Everything that exists is in the program's recording.
        if isProgramRecorded { return }
        RecordRingPointer.setHere(box.ring)
        let context = events.record("init(on:under:capacity:)")
        for step in walkTree(from: rootChunk(above: context)) where step.chunk != tallocHandle.object {
            recordExisting(step.chunk)
        }
        context.recordExistingEvents()
    }

    private var box: RingBox { tallocContext.chunk(expecting: RingBox.self).value }

    /// What has been recorded so far; the recorder goes on.
    public var recording: EventRecording { EventRecording(merging: [self]) }

    /// Records a remark of the program, which the player and Perfetto show at this moment.
    public func note(_ text: String) { box.ring.addNote(text) }

    var thread: RecordedThread { RecordedThread(box.ring, name: threadName(of: box.ring, number: 0)) }
}

@available(*, unavailable)
extension EventRecorder: Sendable {}

/// Owns a ring; the value of a recorder's chunk.
private final class RingBox {
    let ring: RecordRingPointer

    /// Whether the ring belongs to the recording of the whole program.
    private let isShared: Bool

    init(_ shared: RecordRingPointer?, capacity: Int) {
        ring = shared ?? .make(capacity: capacity)
        isShared = shared != nil
    }

    deinit {
        if isShared { return }
        // A ring that another thread frees stays: its own thread may be adding to it.
        guard ring.pointee.thread == pthread_self() else { return }
        // A new thread may have the number of one that has ended, and a recorder of its own.
        if RecordRingPointer.isThreadRecorded, RecordRingPointer.here == ring { RecordRingPointer.setHere(nil) }
        ring.free()
    }
}

extension RecordRingPointer {
    func addNote(_ text: String) {
        var text = text
        text.withUTF8 { add(.note, text: UnsafeRawBufferPointer($0)) }
    }
}

/// The name that the program gave to a ring's thread, or its number.
func threadName(of ring: RecordRingPointer, number: Int) -> String {
    let name = ring.pointee.threadName
    return name.isEmpty ? "thread \(number)" : name
}

/// The root of the tree that a chunk belongs to.
private func rootChunk(above chunk: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    var root = chunk
    while let parent = talloc_parent(root) { root = parent }
    return root
}
