import CLinux
import Synchronization
import Talloc

// How messages come to a loop from other threads: a stack that is one word.
//
// A sender pushes by putting its message in the word, in place of the one it points at; the loop takes all
// of them at once, and turns them around. No thread ever waits for a lock, messages of one sender stay in order, and
// closing is one more value of the word: whoever pushes after that learns it in the same step that would have left the
// message. Pushing never looks into the message it finds, so it does not matter that this may be gone by then.
//
//     latest ─▶ message 3 ─▶ message 2 ─▶ message 1          joinMessages:  1, 2, 3 behind the immediates

/// The way from all threads to one loop; it outlives the loop as long as any thread may send.
package final class Channel: @unchecked Sendable {
    /// The address of the message sent last; 0 when there is none, 1 when the channel is closed.
    private let latest = Atomic<UInt>(0)
    private static let closed: UInt = 1
    /// Never freed, and used by no other channel while this one is open.
    private let waker: WakerPointer

    /// The loop's thread, by the address of something that each thread has for itself.
    private let thread = UInt(bitPattern: clinux_free_slots_here())

    /// What was under way when the process was forked off: the messages are the parent's.
    private var disowned: MessagePointer?

    init(waker: WakerPointer) { self.waker = waker }

    // snippet: send
    /// Leaves a message for the loop, and wakes the loop if it sleeps; false when the channel is closed.
    package func send(_ message: MessagePointer) -> Bool {
        if UInt(bitPattern: clinux_free_slots_here()) == thread {
            waker.pointee.hasOwnMessage.store(true, ordering: .relaxed)
        }
        var seen = latest.load(ordering: .relaxed)
        while seen != Self.closed {
            message.pointee.neighbour = MessagePointer(bitPattern: seen)
            let (isSent, found) = latest.weakCompareExchange(
                expected: seen, desired: UInt(bitPattern: message), ordering: .sequentiallyConsistent)
            if isSent {
                // The message may be gone already.
                waker.wake()
                return true
            }
            seen = found
        }
        return false
    }
    // snippet-end: send

    /// Whether the loop has ended, and receives no more messages.
    package var isClosed: Bool { latest.load(ordering: .relaxed) == Self.closed }

    /// Whether there is something to take; with the order that falling asleep needs.
    var hasMessages: Bool { latest.load(ordering: .sequentiallyConsistent) != 0 }

    /// The messages that came since the last call: the latest, linked to those before it.
    func takeAll() -> MessagePointer? {
        waker.pointee.hasOwnMessage.store(false, ordering: .relaxed)
        return MessagePointer(bitPattern: latest.exchange(0, ordering: .acquiring))
    }

    /// Accepts no more messages, and hands over those that were not taken, as `takeAll` does.
    func close() -> MessagePointer? {
        MessagePointer(bitPattern: latest.exchange(Self.closed, ordering: .acquiring))
    }

    /// In the child of a fork: sets aside what was under way, before the child sends any messages of its own.
    func noteFork() {
        guard !isClosed, disowned == nil else { return }
        disowned = takeAll()
    }

    /// Hands over what was set aside at the last fork, as `takeAll` does.
    func takeDisowned() -> MessagePointer? { disowned.take() }
}
