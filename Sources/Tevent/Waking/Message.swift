import Glibc
import Talloc

@usableFromInline
package typealias MessagePointer = UnsafeMutablePointer<MessageRecord>

/// Takes out the content of a message and frees the message; runs the content if the loop has come to it, or releases
/// it if there is no loop.
///
/// A struct around the closure, because Swift wraps a bare closure in another one where the memory's type is generic.
@usableFromInline
package struct MessageOpening {
    @usableFromInline let open: (_ message: MessagePointer, _ events: TallocHandle?) -> Void

    @inlinable
    package init(_ open: @escaping (_ message: MessagePointer, _ events: TallocHandle?) -> Void) { self.open = open }
}

/// The part that all messages have in common; the content follows in the same piece of memory.
///
/// It belongs to its sender until it is sent, and then to the code that takes it from the channel. It is not talloc
/// memory, since no two threads may touch one talloc tree. There may be very many messages, so they contain nothing
/// that could be stored elsewhere.
@usableFromInline
package struct MessageRecord {
    /// In the channel, the message sent before this one; later, the one sent after it.
    var neighbour: MessagePointer?
    /// The receiver, if it still exists.
    let receiver: TallocHandle
    /// Whether it is opened as it arrives, instead of being delivered among the immediates.
    let isCall: Bool
    /// Whether it must be opened, without a context, in the child of a fork, where it belongs to the parent.
    let isOpenedWhenDisowned: Bool
    var opening: MessageOpening
}

extension MessagePointer {
    /// Creates a message whose content the caller must initialise immediately; the code that opens it frees it.
    ///
    /// - Parameter contentSize: Bytes for the content and for its alignment.
    @usableFromInline
    package static func make(
        for receiver: TallocHandle, contentSize: Int, isCall: Bool = false, isOpenedWhenDisowned: Bool = false,
        opening: consuming MessageOpening
    ) -> MessagePointer {
        guard let memory = MessageBlock.allocate(MemoryLayout<MessageRecord>.size + contentSize) else {
            abort("out of memory: a message of \(contentSize) bytes could not be made")
        }
        return memory.initializeMemory(
            as: MessageRecord.self,
            to: MessageRecord(
                receiver: receiver, isCall: isCall, isOpenedWhenDisowned: isOpenedWhenDisowned, opening: opening))
    }

    /// The receiver of the message.
    @usableFromInline
    var receiver: TallocHandle { pointee.receiver }

    /// The address of the content, or the next one that suits its type.
    @usableFromInline
    package var content: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self + 1) }

    /// Opens the message.
    ///
    /// Takes the opening function out instead of copying it: retaining and releasing it would be a good part of the
    /// work.
    package func open(on events: TallocHandle?) { opening.move().open(self, events) }

    /// Releases the opening function of a message that comes back unopened.
    @usableFromInline
    package func forgetOpening() { opening.deinitialize(count: 1) }

    /// Sets the opening function of a message that was opened before.
    func setOpening(_ opening: MessageOpening) { self.opening.initialize(to: opening) }

    private var opening: UnsafeMutablePointer<MessageOpening> {
        (UnsafeMutableRawPointer(self) + MemoryLayout<MessageRecord>.offset(of: \.opening).unsafelyUnwrapped)
            .assumingMemoryBound(to: MessageOpening.self)
    }

    /// Records, on the sender's thread, that the message is about to be sent.
    ///
    /// The record does not name the receiver, which its own thread may be freeing: its arrival does.
    @inline(never)
    func recordSending() {
        addRecord(.sent, nil, of: .receiver, value: Int64(Int(bitPattern: self)))
    }

    /// Forgets a message that is the parent's, in the child of a fork.
    func disown() {
        if !receiver.isStale, pointee.isOpenedWhenDisowned { open(on: nil) }
    }

    /// Frees the message; its opening function and content have been taken out.
    ///
    /// - Parameter contentSize: As when it was made.
    @usableFromInline
    package func freeMessage(contentSize: Int) {
        MessageBlock.free(self, size: MemoryLayout<MessageRecord>.size + contentSize)
    }

    /// This message and those after it, which are not in any list any more.
    var list: [MessagePointer] { Array(sequence(first: self) { $0.pointee.neighbour }) }

    /// The last message of the list.
    var last: MessagePointer {
        var last = self
        while let next = last.pointee.neighbour { last = next }
        return last
    }
}
