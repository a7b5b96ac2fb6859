import Glibc
import Talloc

typealias MessagePointer = UnsafeMutablePointer<MessageRecord>

/// The part of a message that is alike in all; what its kind needs follows it in the same piece of memory.
///
/// It belongs to its sender until it is sent, and then to whoever takes it from the channel. It is no talloc memory,
/// since no talloc tree may be touched by two threads.
struct MessageRecord {
    /// Its place among the immediates once it has arrived; the slot is the receiver's.
    var scheduled: Scheduled
    /// Who shall get it, if it is still there.
    let receiver: TallocHandle
    /// In the channel the message before, later the one behind.
    var neighbour: MessagePointer?
    let kind: any MessageKind.Type
}

/// What becomes of a message when it has arrived; exactly one of the two is called, on one thread.
protocol MessageKind {
    /// What follows the record in memory.
    associatedtype Content
    /// The receiver is there, and its loop has come to the message.
    static func deliver(_ message: MessagePointer, on events: EventContext)
    /// Nobody will ever receive it.
    static func discard(_ message: MessagePointer)
}

extension MessageKind {
    private static var offset: Int {
        let alignment = MemoryLayout<Content>.alignment
        return (MemoryLayout<MessageRecord>.size + alignment - 1) / alignment * alignment
    }

    /// Makes a message, which whoever delivers or discards it frees.
    static func make(
        for receiver: TallocHandle, _ content: consuming Content, file: StaticString, line: UInt32
    ) -> MessagePointer {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: offset + MemoryLayout<Content>.size,
            alignment: max(MemoryLayout<MessageRecord>.alignment, MemoryLayout<Content>.alignment))
        let prefix = EventPrefix(slot: receiver.slot, context: nil, file: file.cString, line: line)
        let message = memory.initializeMemory(
            as: MessageRecord.self,
            to: MessageRecord(scheduled: Scheduled(prefix: prefix), receiver: receiver, kind: Self.self))
        self.content(of: message).initialize(to: content)
        return message
    }

    static func content(of message: MessagePointer) -> UnsafeMutablePointer<Content> {
        (UnsafeMutableRawPointer(message) + offset).assumingMemoryBound(to: Content.self)
    }

    /// Frees the message, and hands over what was in it.
    static func open(_ message: MessagePointer) -> Content {
        let content = content(of: message).move()
        message.deinitialize(count: 1)
        message.deallocate()
        return content
    }
}

extension MessagePointer {
    var scheduled: ScheduledPointer { ScheduledPointer(OpaquePointer(self)) }

    /// The loop has come to the message.
    func run() {
        let context = pointee.scheduled.prefix.context.unsafelyUnwrapped
        scheduled.remove(from: context)
        pointee.kind.deliver(self, on: EventContext(context))
    }

    /// Lets go what is in the message; it is in no list any more.
    func discard() { pointee.kind.discard(self) }
}
