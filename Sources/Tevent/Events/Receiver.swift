import Talloc

// What a thread inbox and a threaded immediate have in common: both are in the list of receivers of their context.

package typealias ReceiverPointer = UnsafeMutablePointer<ReceiverRecord>

package struct ReceiverRecord: EventRecord, Linked {
    package var prefix: EventPrefix
    let channel: Channel
    /// What a threaded immediate runs and is scheduled with; nil for an inbox.
    var work: AnyObject?
    package var next: ReceiverPointer?
    package var previous: ReceiverPointer?

    init(prefix: EventPrefix, channel: Channel) {
        self.prefix = prefix
        self.channel = channel
    }

    package static var name: StaticString { "struct tevent_thread_proxy" }
    package static var kind: ObjectKind { .receiver }
    package static var description: StaticString { "a receiver of messages" }
    package static let destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { chunk in
        let receiver = chunk!.assumingMemoryBound(to: ReceiverRecord.self)
        let unwanted = receiver.detach()
        receiver.endRecord()
        // Release messages last: releasing them may run arbitrary deinit code.
        unwanted.discardAll()
        return 0
    }

    /// Creates a receiver of the context.
    package static func make(
        on context: ContextPointer, under parent: UnsafeMutableRawPointer?, file: UnsafePointer<CChar>, line: UInt32
    ) throws(TeventError) -> ReceiverPointer {
        let channel = try context.openChannel()
        let receiver = try make(under: parent, file: file, line: line) { ReceiverRecord(prefix: $0, channel: channel) }
        receiver.pointee.prefix.context = context
        context.pointee.receivers.append(receiver)
        return receiver
    }
}

extension ReceiverPointer {
    /// Takes the receiver out of its context, and returns the messages that it will no longer receive.
    ///
    /// If messages are sent while this runs, the context releases them when it finds the receiver freed.
    @discardableResult
    func detach() -> [MessagePointer] {
        guard let context = pointee.prefix.context else { return [] }
        context.pointee.receivers.remove(self)
        pointee.prefix.context = nil
        // A context that is being freed takes nothing more from its channel. But a waiting message must not outlive its
        // receiver: the slot may soon belong to another object, which would receive the message.
        var unwanted: [MessagePointer] = []
        if let channel = context.pointee.channel, !context.handle.isStale {
            let handle = context.handle
            if context.hasForked { context.disownMessages() }
            unwanted = context.joinMessages(of: channel)
            // A trace may have freed the context.
            guard !handle.isStale else { return unwanted }
        }
        var candidate = context.pointee.immediates.first
        while let waiting = candidate {
            candidate = waiting.pointee.next
            guard let delivery = waiting.asDelivery else { continue }
            unwanted += delivery.takeMessages(of: pointee.prefix.slot, from: context)
        }
        return unwanted
    }
}
