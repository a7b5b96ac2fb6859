import CTalloc
import CTevent
import Glibc
import Synchronization
import Talloc
import Tevent

// What threads hold of another thread's loop: a thread proxy, or a threaded context. Both are in a talloc tree of the
// loop's thread, which may free them while another thread is about to send. Therefore each sender first registers in
// the record, and the destructor waits for all that have.

typealias SenderPointer = UnsafeMutablePointer<SenderRecord>

struct SenderRecord: ~Copyable {
    let slot: HandleSlotPointer
    /// The way to the loop; once it is closed, a sender knows that the loop has ended.
    let channel: Channel
    /// The wrapper through which handlers are called, if any.
    let wrapper: TallocHandle?
    /// For a proxy, the receiver that keeps the loop running and receives the messages; nil for a threaded context.
    let receiver: TallocHandle?
    /// The guard below the record.
    fileprivate let end: ChunkGuard.Pointer
    fileprivate let visits = Visits()
}

/// How many threads currently use a record.
///
/// Threads that were about to send at a fork do not exist in the child, so the number belongs to one process only.
private struct Visits: ~Copyable {
    private let isOver = Atomic(false)
    /// The number, with the generation of the process in the upper half.
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

    /// Admits no more threads, and waits for those inside, which stay only briefly and never wait.
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
    /// Creates a sender, or sets `errno`; a proxy keeps the loop running.
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

    /// Lets a thread use the record, unless it is being freed.
    @inline(__always)
    func visit(_ body: () -> Void) {
        guard pointee.visits.enter() else { return }
        defer { pointee.visits.leave() }
        body()
    }
}

/// Called by libtalloc when a sender is about to be freed.
private func destroySender(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    chunk!.assumingMemoryBound(to: SenderRecord.self).pointee.end.disarm()
    return endSender(chunk)
}

/// Ends a sender: the loop no longer receives what was sent through it.
private func endSender(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let sender = chunk!.assumingMemoryBound(to: SenderRecord.self)
    sender.pointee.visits.end()
    if let receiver = sender.pointee.receiver?.object { freeChunk(receiver) }
    sender.pointee.slot.release()
    sender.deinitialize(count: 1)
    return 0
}
