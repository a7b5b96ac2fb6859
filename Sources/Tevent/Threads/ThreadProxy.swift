import Talloc

/// Sends a function and its payload to another thread's loop.
///
/// Any thread may copy and keep a proxy. A proxy may outlive the loop: sending then throws an error that returns the
/// payload. Messages of one sender run in the order they were sent. Only a loop that sleeps is woken, so a busy one
/// costs its senders no system call.
///
/// Returning from ``schedule(_:_:)`` means that the message was accepted, not that it has run. Whoever wants to
/// know lets the function reply, through a proxy of its own that was sent along. If the loop ends before it comes to a
/// message, the message is released.
///
/// The corresponding C type is `struct tevent_thread_proxy`.
public struct ThreadProxy: @unchecked Sendable {
    @usableFromInline let inbox: TallocHandle
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
    /// - Throws: ``LoopEndedError`` when the inbox or its loop has ended.
    ///
    /// The corresponding C function is `tevent_thread_proxy_schedule()`.
    @inlinable
    public func schedule(
        _ handler: @escaping @Sendable (_ events: EventContext) -> Void
    ) throws(LoopEndedError<Void>) {
        try schedule(()) { events, _ in handler(events) }
    }

    /// Gives something away, and lets a function work on it on the inbox's loop, as an immediate would.
    ///
    /// - Parameters:
    ///   - payload: What to give away. The sender cannot use it any more; the compiler sees to that.
    ///   - handler: What to do there; it owns the payload, and may send it on. If it never runs, the payload is released.
    /// - Throws: ``LoopEndedError`` with the payload when the inbox or its loop has ended.
    /// - Complexity: O(1); one system call if the loop sleeps, and an allocation once in some hundred messages, or for each
    ///   that is longer than a kilobyte.
    ///
    /// A closure keeps its parameters until it returns. One that sends the payload on, and whose own thread shall not be
    /// the one that lets it go, declares it `consuming`: `{ (events, payload: consuming sending Payload) in … }`.
    ///
    /// Releasing a handle does not free talloc memory: send that with ``schedule(memory:_:)``.
    ///
    /// The corresponding C function is `tevent_thread_proxy_schedule()`.
    @inlinable
    public func schedule<Payload>(
        _ payload: consuming sending Payload,
        _ handler: @escaping @Sendable (_ events: EventContext, _ payload: sending Payload) -> Void
    ) throws(LoopEndedError<Payload>) {
        // Once it is sent, nothing of it may remain here: the thread that releases it last runs the deinit.
        let letter = Letter(payload: consume payload, handler: handler)
        let message = (consume letter).message(for: inbox) { message, events in
            let letter = Letter<Payload>.take(from: message)
            if let events { (consume letter).deliver(on: EventContext(tallocHandle: events)) }
        }
        guard !send(message) else { return }
        message.forgetOpening()
        throw LoopEndedError(Letter<Payload>.take(from: message).payload)
    }

    /// Gives a piece of memory away with all that is below it, and lets a function work on it on the inbox's loop.
    ///
    /// The memory is a root while it is under way, and when it arrives. It belongs to the handler then, as it belonged to
    /// the sender before: the handler frees it, moves it under what it should be freed with, or sends it on.
    ///
    /// - Parameters:
    ///   - memory: What to give away: a root, or what belongs to nothing that the sender goes on using; the compiler
    ///     sees to that.
    ///   - handler: What to do there; it owns the memory. If it never runs, the memory is freed.
    /// - Throws: ``LoopEndedError`` with the memory, which is a root then, when nothing receives messages any more.
    ///
    /// The corresponding C function is `tevent_thread_proxy_schedule()`, which frees what the handler leaves where it is.
    @inlinable
    public func schedule<Memory: TallocObject>(
        memory: consuming sending Memory,
        _ handler: @escaping @Sendable (_ events: EventContext, _ memory: sending Memory) -> Void
    ) throws(LoopEndedError<Memory>) {
        memory.moveToRoot()
        let letter = Letter(payload: memory, handler: handler)
        let message = letter.message(for: inbox) { message, events in
            let letter = Letter<Memory>.take(from: message)
            guard let events else { return _ = letter.payload.free() }
            letter.deliver(on: EventContext(tallocHandle: events))
        }
        guard !send(message) else { return }
        message.forgetOpening()
        throw LoopEndedError(Letter<Memory>.take(from: message).payload)
    }

    /// Leaves the message for the loop; false when nothing receives messages any more.
    @usableFromInline
    func send(_ message: MessagePointer) -> Bool { !inbox.isStale && channel.send(message) }
}

extension ThreadProxy: CustomReflectable {
    /// Nothing: what is inside belongs to the loop's thread.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What is in a message besides its record: what was given away, and what to do with it.
@usableFromInline
struct Letter<Payload> {
    @usableFromInline let payload: Payload
    @usableFromInline let handler: @Sendable (EventContext, sending Payload) -> Void

    @inlinable
    init(payload: Payload, handler: @escaping @Sendable (EventContext, sending Payload) -> Void) {
        self.payload = payload
        self.handler = handler
    }

    /// Puts the letter into a new message.
    @inlinable
    consuming func message(
        for inbox: TallocHandle, open: @escaping (_ message: MessagePointer, _ events: TallocHandle?) -> Void
    ) -> MessagePointer {
        let message = MessagePointer.make(for: inbox, contentSize: Self.contentSize, opening: MessageOpening(open))
        Self.place(in: message).initialize(to: consume self)
        return message
    }

    /// Takes the letter out of its message, which is gone then.
    @inlinable
    static func take(from message: MessagePointer) -> Letter {
        let letter = place(in: message).move()
        message.freeMessage(contentSize: contentSize)
        return letter
    }

    /// The record before it is aligned to a word; what wants more may have to be moved by as much.
    @inlinable
    static var contentSize: Int {
        MemoryLayout<Letter>.size + max(0, MemoryLayout<Letter>.alignment - MemoryLayout<Int>.alignment)
    }

    @inlinable
    static func place(in message: MessagePointer) -> UnsafeMutablePointer<Letter> {
        message.content.alignedUp(for: Letter.self).assumingMemoryBound(to: Letter.self)
    }

    /// Runs the handler; the sender has given the payload away, so it is connected to nothing here either.
    ///
    /// Keeps nothing of it: what the handler sends on is released by another thread, perhaps before this returns.
    @inlinable
    consuming func deliver(on events: EventContext) {
        let handler = handler
        handler(events, (consume self).givenPayload())
    }

    @inlinable
    consuming func givenPayload() -> sending Payload {
        nonisolated(unsafe) let payload = payload
        return payload
    }
}
