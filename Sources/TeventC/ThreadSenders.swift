import CTalloc
import CTevent
import Glibc
import Synchronization
import Talloc
import Tevent

// What threads hold of another thread's loop: a thread proxy, or a threaded context. Both lie in a talloc tree of the loop's
// thread, which may free them while another thread is about to send: so whoever sends announces himself in the record, and
// the destructor waits for all who have.

typealias SenderPointer = UnsafeMutablePointer<SenderRecord>

struct SenderRecord: ~Copyable {
    let slot: HandleSlotPointer
    /// The way to the loop; its end is how a sender learns that the loop is gone.
    let channel: Channel
    /// The wrapper that handlers are called through, if there is one.
    let wrapper: TallocHandle?
    /// What keeps the loop going, and gets the messages, of a proxy; nil for a threaded context.
    let receiver: TallocHandle?
    /// The guard below the record.
    fileprivate let end: ChunkGuard.Pointer
    fileprivate let visits = Visits()
}

/// How many threads use a record at the moment.
///
/// Who was about to send when the process forked is not in the child, so the number is that of one process only.
private struct Visits: ~Copyable {
    private let isOver = Atomic(false)
    /// How many, and in the upper half the generation of the process.
    private let count = Atomic<UInt64>(0)

    private static let most = UInt64(UInt32.max)

    private var generation: UInt64 { UInt64(Fork.generation) << 32 }

    /// Whether the record may be used, until `leave`.
    func enter() -> Bool {
        let generation = generation
        var seen = count.load(ordering: .relaxed)
        while true {
            let others = seen & ~Self.most == generation ? seen : generation
            let (isDone, found) = count.weakCompareExchange(
                expected: seen, desired: others + 1, ordering: .sequentiallyConsistent)
            if isDone { break }
            seen = found
        }
        guard isOver.load(ordering: .sequentiallyConsistent) else { return true }
        leave()
        return false
    }

    func leave() { count.wrappingSubtract(1, ordering: .sequentiallyConsistent) }

    /// Lets nobody in any more, and waits for those who are; what they do is short, and ends.
    func end() {
        isOver.store(true, ordering: .sequentiallyConsistent)
        let generation = generation
        while true {
            let count = count.load(ordering: .sequentiallyConsistent)
            if count & ~Self.most != generation || count == generation { return }
            sched_yield()
        }
    }
}

extension SenderPointer {
    /// Makes a sender, or sets `errno`; a proxy's keeps the loop going.
    static func make(
        on ev: OpaquePointer?, under parent: UnsafeMutableRawPointer?, name: StaticString, keepsLoopGoing: Bool,
        call: StaticString = #function
    ) -> SenderPointer? {
        let context = context(ev, call)
        let made = object { () throws(TeventError) in
            let channel = try context.openChannel()
            do throws(TallocError) {
                let (chunk, slot) = try allocateChunk(
                    size: MemoryLayout<SenderRecord>.size, name: name.cString, under: parent, kind: .threadSender)
                func giveUp() -> TallocError {
                    slot.release()
                    freeChunk(chunk)
                    return TallocError.outOfMemory(name: "\(name)")
                }
                var receiver: TallocHandle?
                if keepsLoopGoing {
                    guard let made = try? ReceiverRecord.make(on: context, under: chunk, file: name.cString, line: 0)
                    else { throw giveUp() }
                    receiver = made.handle
                }
                guard let end = ChunkGuard.make(below: chunk, endSender) else { throw giveUp() }
                chunk.initializeMemory(
                    as: SenderRecord.self,
                    to: SenderRecord(slot: slot, channel: channel, wrapper: wrapper(ev), receiver: receiver, end: end))
                _talloc_set_destructor(chunk, destroySender)
                return TallocHandle(slot: slot)
            } catch { throw TeventError(error) }
        }
        return made.map { SenderPointer($0) }
    }

    /// Lets a thread use the record, unless that is just going.
    @inline(__always)
    func visit(_ body: () -> Void) {
        guard pointee.visits.enter() else { return }
        defer { pointee.visits.leave() }
        body()
    }
}

/// What libtalloc calls when a sender is about to be freed.
private func destroySender(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    chunk!.assumingMemoryBound(to: SenderRecord.self).pointee.end.disarm()
    return endSender(chunk)
}

/// Ends a sender: the loop no longer receives what it has sent.
private func endSender(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let sender = chunk!.assumingMemoryBound(to: SenderRecord.self)
    sender.pointee.visits.end()
    if let receiver = sender.pointee.receiver?.object { freeChunk(receiver) }
    sender.pointee.slot.release()
    sender.deinitialize(count: 1)
    return 0
}
