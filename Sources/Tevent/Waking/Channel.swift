import CLinux
import CLinux
import Synchronization
import Talloc

// How other threads send messages to a loop: a stack that consists of one word.
//
// A sender pushes by storing its message in the word, linked to the one found there; the loop takes all messages at
// once and reverses their order. No thread ever waits for a lock, and the messages of one sender stay in order. Closing
// is one more value of the word: a thread that pushes afterwards finds it in the same step that would have left the
// message. Pushing never reads the message that it finds, which may be freed by then.
//
//     latest ─▶ message 3 ─▶ message 2 ─▶ message 1          joinMessages:  1, 2, 3 after the immediates

/// The path from all threads to one loop; it outlives the loop for as long as any thread may send.
package final class Channel: @unchecked Sendable {
    /// The address of the message sent last; 0 if there is none, 1 if the channel is closed.
    private let latest = Atomic<UInt>(0)
    private static let closed: UInt = 1
    /// Never freed, and used by no other channel while this one is open.
    private let waker: WakerPointer

    /// The loop's thread as far as is known, identified by the address of a thread-local variable.
    private let thread = Atomic(Channel.thisThread)
    private static var thisThread: UInt { UInt(bitPattern: clinux_free_slots_here()) }

    /// What was in transit at the last forks: these messages are the parents'.
    private var disowned: MessagePointer?
    /// Whether a fork has closed the channel, since the loop's thread does not exist in the child.
    private var isOrphaned = false

    init(waker: WakerPointer) { self.waker = waker }

    // snippet: send
    /// Leaves a message for the loop, and wakes the loop if it is asleep; returns false if the channel is closed.
    package func send(_ message: MessagePointer) -> Bool {
        if Self.thisThread == thread.load(ordering: .relaxed) {
            waker.pointee.hasOwnMessage.store(true, ordering: .relaxed)
        }
        if clinux_is_recording() { message.recordSending() }
        var seen = latest.load(ordering: .relaxed)
        while seen != Self.closed {
            message.pointee.neighbour = MessagePointer(bitPattern: seen)
            let (isSent, found) = latest.weakCompareExchange(
                expected: seen, desired: UInt(bitPattern: message), ordering: .sequentiallyConsistent)
            if isSent {
                // The message may already be freed.
                waker.wake()
                return true
            }
            seen = found
        }
        return false
    }
    // snippet-end: send

    /// Whether the loop has ended and no longer receives messages.
    package var isClosed: Bool { latest.load(ordering: .relaxed) == Self.closed }

    /// Whether there is a message to take; the memory order is the one that falling asleep needs.
    var hasMessages: Bool { latest.load(ordering: .sequentiallyConsistent) != 0 }

    /// Notes that the loop runs on this thread.
    func noteThread() { thread.store(Self.thisThread, ordering: .relaxed) }

    /// The messages sent since the last call: the latest, linked to those before it.
    func takeAll() -> MessagePointer? {
        noteThread()
        waker.pointee.hasOwnMessage.store(false, ordering: .relaxed)
        return MessagePointer(bitPattern: latest.exchange(0, ordering: .acquiring))
    }

    /// Stops accepting messages, and returns those that were not taken, linked as in `takeAll`.
    func close() -> MessagePointer? {
        let rest = latest.exchange(Self.closed, ordering: .acquiring)
        return rest == Self.closed ? nil : MessagePointer(bitPattern: rest)
    }

    // MARK: Forks

    /// In the child of a fork: sets aside what was in transit, before the child sends any messages of its own.
    ///
    /// Closes the channel if its loop is another thread's, so that nothing in the child waits for an answer from it.
    func noteFork() {
        guard !isClosed else { return }
        isOrphaned = thread.load(ordering: .relaxed) != Self.thisThread
        guard let latest = isOrphaned ? close() : takeAll() else { return }
        latest.last.pointee.neighbour = disowned
        disowned = latest
    }

    /// In the child of a fork: accepts messages again, since this thread uses the loop.
    func reopen() {
        noteThread()
        if isOrphaned { latest.store(0, ordering: .relaxed) }
        isOrphaned = false
    }

    /// Returns what was set aside at the last forks, linked as in `takeAll`.
    func takeDisowned() -> MessagePointer? { disowned.take() }
}
