import Talloc

/// What a thread sends messages to the loop of another with: a function to run there, and what it shall work on.
///
/// A proxy may be copied and kept by any thread, and may outlive the loop: sending is then an error that gives the
/// payload back. Messages of one sender run in the order they were sent. Only a loop that sleeps is woken, so a busy one
/// costs its senders no system call.
///
/// Returning from ``schedule(_:file:line:_:)`` means that the message was accepted, not that it has run. Whoever wants to
/// know lets the function reply, through a proxy of its own that was sent along. If the loop ends before it comes to a
/// message, the message is let go.
///
/// The corresponding C type is `struct tevent_thread_proxy`.
public struct ThreadProxy: @unchecked Sendable {
    private let inbox: TallocHandle
    private let channel: Channel

    init(inbox: TallocHandle, channel: Channel) {
        self.inbox = inbox
        self.channel = channel
    }

    /// Whether messages are received no more; a proxy that says no may find out otherwise when it sends.
    public var isClosed: Bool { inbox.isStale }

    /// Lets a function run on the inbox's loop, as an immediate would.
    ///
    /// - Parameter handler: What to do there.
    /// - Throws: ``LoopEndedError`` when nobody receives any more.
    ///
    /// The corresponding C function is `tevent_thread_proxy_schedule()`.
    public func schedule(
        file: StaticString = #fileID, line: UInt32 = #line,
        _ handler: @escaping @Sendable (_ events: EventContext) -> Void
    ) throws(LoopEndedError<Void>) {
        try schedule((), file: file, line: line) { events, _ in handler(events) }
    }

    /// Gives something away, and lets a function work on it on the inbox's loop, as an immediate would.
    ///
    /// - Parameters:
    ///   - payload: What to give away. The sender cannot use it any more; the compiler sees to that.
    ///   - handler: What to do there; it owns the payload, and may send it on. If it never runs, the payload is let go.
    /// - Throws: ``LoopEndedError`` with the payload when nobody receives any more.
    /// - Complexity: O(1); one allocation, and one system call if the loop sleeps.
    ///
    /// Memory of talloc is not freed by letting its handle go: send that with ``schedule(memory:file:line:_:)``.
    ///
    /// The corresponding C function is `tevent_thread_proxy_schedule()`.
    public func schedule<Payload>(
        _ payload: consuming sending Payload, file: StaticString = #fileID, line: UInt32 = #line,
        _ handler: @escaping @Sendable (_ events: EventContext, _ payload: sending Payload) -> Void
    ) throws(LoopEndedError<Payload>) {
        let message = Letter<Payload>.make(
            for: inbox, Letter.Content(payload: payload, handler: handler), file: file, line: line)
        guard inbox.isStale || !channel.send(message) else { return }
        throw LoopEndedError(Letter<Payload>.open(message).payload)
    }

    /// Gives a piece of memory away with all that is below it, and lets a function work on it on the inbox's loop.
    ///
    /// While it is under way nobody but the engine owns the memory. The handler finds it below the inbox. It may move it
    /// to where it shall stay, or send it on; what it leaves where it is, is freed when the handler has returned.
    ///
    /// - Parameters:
    ///   - memory: What to give away: a root, or what belongs to nothing that the sender goes on using; the compiler
    ///     sees to that. It must not have come from a ``TallocPool`` that others use.
    ///   - handler: What to do there. If it never runs, the memory is freed.
    /// - Throws: ``LoopEndedError`` with the memory, which is a root then, when nobody receives any more.
    ///
    /// The corresponding C function is `tevent_thread_proxy_schedule()`.
    public func schedule<Memory: TallocObject>(
        memory: consuming sending Memory, file: StaticString = #fileID, line: UInt32 = #line,
        _ handler: @escaping @Sendable (_ events: EventContext, _ memory: sending Memory) -> Void
    ) throws(LoopEndedError<Memory>) {
        memory.moveToRoot()
        let message = Parcel<Memory>.make(
            for: inbox, Parcel.Content(memory: memory, handler: handler), file: file, line: line)
        guard inbox.isStale || !channel.send(message) else { return }
        throw LoopEndedError(Parcel<Memory>.open(message).memory)
    }
}

/// A message with a Swift value.
private enum Letter<Payload>: MessageKind {
    struct Content {
        let payload: Payload
        let handler: @Sendable (EventContext, sending Payload) -> Void
    }

    static func deliver(_ message: MessagePointer, on events: EventContext) {
        let content = open(message)
        // The sender has given it away, so it is connected to nothing here either.
        nonisolated(unsafe) let payload = content.payload
        content.handler(events, payload)
    }

    static func discard(_ message: MessagePointer) { withExtendedLifetime(open(message)) {} }
}

/// A message with memory of talloc's, which has an owner at all times.
private enum Parcel<Memory: TallocObject>: MessageKind {
    struct Content {
        let memory: Memory
        let handler: @Sendable (EventContext, sending Memory) -> Void
    }

    static func deliver(_ message: MessagePointer, on events: EventContext) {
        let inbox = TallocContext(tallocHandle: message.pointee.receiver)
        let content = open(message)
        let memory = content.memory.tallocContext
        memory.move(under: inbox)
        // The sender has given it away, so it is connected to nothing here but the inbox, which does not hold on to it.
        nonisolated(unsafe) let given = content.memory
        content.handler(events, given)
        if !memory.isFreed, !inbox.isFreed, memory.parent == inbox { memory.free() }
    }

    static func discard(_ message: MessagePointer) { open(message).memory.free() }
}
