import Glibc
import Talloc

@usableFromInline
typealias MessagePointer = UnsafeMutablePointer<MessageRecord>

/// Takes out what is in a message and frees it; runs it if the loop has come to it, and else, without a loop, lets it go.
@usableFromInline
typealias MessageOpening = (_ message: MessagePointer, _ events: EventContext?) -> Void

/// The part of a message that is alike in all; its content follows in the same piece of memory.
///
/// It belongs to its sender until it is sent, and then to whoever takes it from the channel. It is no talloc memory,
/// since no talloc tree may be touched by two threads.
@usableFromInline
struct MessageRecord {
    /// Its place among the immediates once it has arrived; the slot is the receiver's.
    var scheduled: Scheduled
    /// Who shall get it, if it is still there.
    let receiver: TallocHandle
    /// In the channel the message before, later the one behind.
    var neighbour: MessagePointer?
    let open: MessageOpening
}

extension MessagePointer {
    /// Makes a message whose content must be initialised at once; whoever opens it frees it.
    ///
    /// - Parameter contentSize: Bytes for the content and for its alignment.
    @usableFromInline
    static func make(
        for receiver: TallocHandle, contentSize: Int, file: StaticString, line: UInt32, open: @escaping MessageOpening
    ) -> MessagePointer {
        guard let memory = malloc(MemoryLayout<MessageRecord>.stride + contentSize) else {
            abort("out of memory: a message of \(contentSize) bytes could not be made")
        }
        let prefix = EventPrefix(slot: receiver.slot, context: nil, file: file.cString, line: line)
        return memory.initializeMemory(
            as: MessageRecord.self,
            to: MessageRecord(scheduled: Scheduled(prefix: prefix), receiver: receiver, open: open))
    }

    /// Who shall get it.
    @usableFromInline
    var receiver: TallocHandle { pointee.receiver }

    /// Where the content begins, or at the next address that suits its type.
    @usableFromInline
    var content: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self + 1) }

    /// Frees the message, whose content has been taken out.
    @usableFromInline
    func freeMessage() {
        deinitialize(count: 1)
        free(self)
    }

    var scheduled: ScheduledPointer { ScheduledPointer(OpaquePointer(self)) }

    /// The loop has come to the message.
    func run() {
        let context = pointee.scheduled.prefix.context.unsafelyUnwrapped
        scheduled.remove(from: context)
        let open = pointee.open
        open(self, EventContext(context))
    }

    /// Lets go what is in the message; it is in no list any more.
    func discard() {
        let open = pointee.open
        open(self, nil)
    }
}
