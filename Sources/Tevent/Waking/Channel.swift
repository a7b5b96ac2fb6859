import CLinux
import Synchronization
import Talloc

// How messages come to a loop from other threads: a stack that is one word.
//
// Anybody pushes, by putting the latest message in the word in place of the one it then points at; the loop takes all
// of them at once, and turns them around. So nobody ever waits for a lock, messages of one sender stay in order, and
// closing is one more value of the word: whoever pushes after that learns it in the same step that would have left the
// message. Pushing never looks into the message it finds, so it does not matter that this may be gone by then.
//
//     latest ─▶ message 3 ─▶ message 2 ─▶ message 1          joinMessages:  1, 2, 3 behind the immediates

/// The way from all threads to one loop; it outlives the loop as long as somebody may send.
package final class Channel: @unchecked Sendable {
    /// The address of the message sent last; 0 when there is none, 1 when nobody receives any more.
    private let latest = Atomic<UInt>(0)
    private static let closed: UInt = 1
    /// Immortal, and of no use to anybody else as long as the channel is open.
    private let waker: WakerPointer

    /// The loop's thread, by the address of something that each thread has for itself.
    private let thread = UInt(bitPattern: clinux_free_slots_here())

    /// For the next messages that arrive, if there is one; only the loop uses it.
    var spareDelivery: DeliveryPointer?

    /// What was under way when the process was forked off: the messages are the parent's.
    private var disowned: MessagePointer?

    init(waker: WakerPointer) { self.waker = waker }

    deinit { spareDelivery?.free() }

    // snippet: send
    /// Leaves a message for the loop, and wakes the loop if it sleeps; false when nobody receives any more.
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

    /// Whether nobody receives any more.
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

extension ContextPointer {
    /// Makes the context's channel, if it has none.
    package func openChannel() throws(TeventError) -> Channel {
        if let channel = pointee.channel { return channel }
        try openWaker()
        let waker = pointee.waker.unsafelyUnwrapped
        let channel = Channel(waker: waker)
        pointee.channel = channel
        waker.pointee.channel.store(
            UInt(bitPattern: Unmanaged.passUnretained(channel).toOpaque()), ordering: .relaxed)
        return channel
    }

    /// Lets messages join the immediates, in the order they came, and hands over those whose receiver is gone.
    func joinMessages(of channel: Channel) -> [MessagePointer] {
        var unwanted: [MessagePointer] = []
        var calls: [MessagePointer] = []
        var first: MessagePointer?
        var rest = channel.takeAll()
        while let message = rest {
            rest = message.pointee.neighbour
            if message.receiver.isStale {
                unwanted.append(message)
            } else if message.receiver.slot.isOf(.threadSender) {
                calls.append(message)
            } else {
                message.pointee.neighbour = first
                first = message
            }
        }
        if let first { deliver(first, from: channel) }
        return unwanted.reversed() + schedule(calls)
    }

    /// Opens messages that schedule immediates of their own, the last one first in the list.
    ///
    /// - Returns: Those that are left when a trace has freed the context.
    private func schedule(_ calls: [MessagePointer]) -> [MessagePointer] {
        guard !calls.isEmpty else { return [] }
        var calls = calls
        let events = EventContext(self)
        while !events.isFreed, let message = calls.popLast() { message.open(on: events) }
        return calls.reversed()
    }

    /// Leaves the messages that were under way when the process was forked off to the parent, where they will run.
    ///
    /// What is in them stays as it is, without being released: that could have effects that both processes see.
    func disownMessages() {
        var rest = pointee.channel?.takeDisowned()
        while let message = rest {
            rest = message.pointee.neighbour
            message.disown()
        }
        var candidate = pointee.immediates.first
        while let waiting = candidate {
            candidate = waiting.pointee.next
            var rest = waiting.asDelivery?.leave(self)
            while let message = rest {
                rest = message.pointee.neighbour
                message.disown()
            }
        }
    }

    /// Accepts no more messages, and hands over those that will not be received.
    func closeChannel() -> [LeftBehind] {
        pointee.waker?.pointee.channel.store(0, ordering: .relaxed)
        var first: MessagePointer?
        var rest = pointee.channel?.close()
        while let message = rest {
            rest = message.pointee.neighbour
            message.pointee.neighbour = first
            first = message
        }
        return first.map { [.messages($0)] } ?? []
    }
}
