import Glibc
import Talloc

@usableFromInline
package typealias MessagePointer = UnsafeMutablePointer<MessageRecord>

/// Takes out what is in a message and frees it; runs it if the loop has come to it, and else, without a loop, lets it go.
///
/// A struct around the closure, because Swift keeps a bare closure behind another one where the memory's type is generic.
@usableFromInline
package struct MessageOpening {
    @usableFromInline let open: (_ message: MessagePointer, _ events: TallocHandle?) -> Void

    @inlinable
    package init(_ open: @escaping (_ message: MessagePointer, _ events: TallocHandle?) -> Void) { self.open = open }
}

/// The part of a message that is alike in all; its content follows in the same piece of memory.
///
/// It belongs to its sender until it is sent, and then to whoever takes it from the channel. It is no talloc memory,
/// since no talloc tree may be touched by two threads. There may be very many, so there is nothing in it that could be
/// elsewhere.
@usableFromInline
package struct MessageRecord {
    /// In the channel the message before, later the one behind.
    var neighbour: MessagePointer?
    /// Who shall get it, if it is still there.
    let receiver: TallocHandle
    /// Whether it is opened as it arrives, instead of being delivered among the immediates.
    let isCall: Bool
    /// Whether it is opened, without a context, in the child of a fork, where it belongs to the parent.
    let isOpenedWhenDisowned: Bool
    var opening: MessageOpening
}

extension MessagePointer {
    /// Makes a message whose content must be initialised at once; whoever opens it frees it.
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

    /// Who shall get it.
    @usableFromInline
    var receiver: TallocHandle { pointee.receiver }

    /// Where the content begins, or at the next address that suits its type.
    @usableFromInline
    package var content: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self + 1) }

    /// Opens the message.
    ///
    /// What opens it is taken out and not copied: to retain and release it would be a good part of the work.
    package func open(on events: TallocHandle?) { opening.move().open(self, events) }

    /// Lets go what opens the message, of a message that comes back unopened.
    @usableFromInline
    package func forgetOpening() { opening.deinitialize(count: 1) }

    /// Sets what opens a message that was opened before.
    func setOpening(_ opening: MessageOpening) { self.opening.initialize(to: opening) }

    private var opening: UnsafeMutablePointer<MessageOpening> {
        (UnsafeMutableRawPointer(self) + MemoryLayout<MessageRecord>.offset(of: \.opening).unsafelyUnwrapped)
            .assumingMemoryBound(to: MessageOpening.self)
    }

    /// Frees the message; what opens it, and its content, have been taken out.
    ///
    /// - Parameter contentSize: As when it was made.
    /// Forgets a message that is the parent's, in the child of a fork.
    func disown() {
        if !receiver.isStale, pointee.isOpenedWhenDisowned { open(on: nil) }
    }

    @usableFromInline
    package func freeMessage(contentSize: Int) {
        MessageBlock.free(self, size: MemoryLayout<MessageRecord>.size + contentSize)
    }

    /// Lets go what is in this message and in those behind it, which are in no list any more.
    func discardAll() {
        var rest: MessagePointer? = self
        while let message = rest {
            rest = message.pointee.neighbour
            message.open(on: nil)
        }
    }
}
