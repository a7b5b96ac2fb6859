import Synchronization
import Talloc

extension ContextPointer {
    /// The context's channel, created at the first call.
    package func openChannel() throws(TeventError) -> Channel {
        if let channel = pointee.channel {
            channel.reopen()
            return channel
        }
        try openWaker()
        let waker = pointee.waker.unsafelyUnwrapped
        let channel = Channel(waker: waker)
        pointee.channel = channel
        waker.pointee.channel.store(
            UInt(bitPattern: Unmanaged.passUnretained(channel).toOpaque()), ordering: .relaxed)
        return channel
    }

    /// Queues messages among the immediates, in the order they arrived, and returns those whose receiver was freed.
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

    /// Opens messages that schedule immediates of their own; the list begins with the one sent last.
    ///
    /// - Returns: The remaining messages if a trace has freed the context.
    private func schedule(_ calls: [MessagePointer]) -> [MessagePointer] {
        guard !calls.isEmpty else { return [] }
        var calls = calls
        let events = EventContext(self)
        while !events.isFreed, let message = calls.popLast() { message.open(on: events.tallocHandle) }
        return calls.reversed()
    }

    /// Leaves messages that were in transit at the fork to the parent, where they will run.
    ///
    /// Does not release their content: that could have effects in both processes.
    func disownMessages() {
        pointee.channel?.reopen()
        for message in pointee.channel?.takeDisowned()?.list ?? [] { message.disown() }
        var candidate = pointee.immediates.first
        while let waiting = candidate {
            candidate = waiting.pointee.next
            guard let delivery = waiting.asDelivery, delivery.isOfParent else { continue }
            for message in delivery.leave(self)?.list ?? [] { message.disown() }
        }
    }

    /// Stops accepting messages, and returns those that will not be received.
    func closeChannel() -> [LeftBehind] {
        if hasForked { disownMessages() }
        pointee.waker?.pointee.channel.store(0, ordering: .relaxed)
        guard let latest = pointee.channel?.close() else { return [] }
        let (messages, process) = (Array(latest.list.reversed()), Fork.generation)
        return [{ messages.discardAll(of: process) }]
    }
}

extension [MessagePointer] {
    /// Releases the content of messages that will not be received, which may run any deinit.
    ///
    /// If one of them forks, the rest belongs to the parent, and the child leaves it alone.
    ///
    /// - Parameter process: The process that owns them; by default this one.
    func discardAll(of process: UInt32 = Fork.generation) {
        for message in self {
            guard Fork.generation == process else { return }
            message.open(on: nil)
        }
    }
}
