import Synchronization
import Talloc

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
            } else if message.pointee.isCall {
                calls.append(message)
            } else {
                message.pointee.neighbour = first
                first = message
            }
        }
        if let first { deliver(first) }
        return unwanted.reversed() + schedule(calls)
    }

    /// Opens messages that schedule immediates of their own, the last one first in the list.
    ///
    /// - Returns: Those that are left when a trace has freed the context.
    private func schedule(_ calls: [MessagePointer]) -> [MessagePointer] {
        guard !calls.isEmpty else { return [] }
        var calls = calls
        let events = EventContext(self)
        while !events.isFreed, let message = calls.popLast() { message.open(on: events.tallocHandle) }
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
        return first.map { first in [{ first.discardAll() }] } ?? []
    }
}
