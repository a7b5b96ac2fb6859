import Talloc

/// Sends a function and its payload to another thread's loop.
///
/// Any thread may copy and keep a proxy. A proxy may outlive the loop: sending then throws an error that returns the
/// payload. Messages of one sender run in the order in which they were sent. Only a loop that sleeps is woken, so
/// sending to a busy one costs no system call.
///
/// ``schedule(_:_:)`` returns when the loop has accepted the message, not when the function has run. If you need to
/// know that it has run, send a proxy of your own along and have the function reply:
///
/// ```swift
/// struct Question: Sendable {
///     let text: String
///     let replyTo: ThreadProxy
/// }
/// let inbox = try ThreadInbox(on: events)
/// let answerer = inbox.proxy  // of another thread's loop in a real program
/// try answerer.schedule(Question(text: "How long?", replyTo: inbox.proxy)) { _, question in
///     let length = question.text.count
///     try? question.replyTo.schedule { _ in print("\(length) characters") }
/// }
/// ```
///
/// If the loop ends before it comes to a message, the message is released.
///
/// The corresponding C type is `struct tevent_thread_proxy`.
public struct ThreadProxy: @unchecked Sendable {
    @usableFromInline let inbox: TallocHandle
    private let channel: Channel

    init(inbox: TallocHandle, channel: Channel) {
        self.inbox = inbox
        self.channel = channel
    }

    /// Whether the inbox has been freed, or belongs to a thread that does not exist in this child of a fork.
    ///
    /// If it is false, sending may still throw: the inbox may be freed at any moment.
    public var isClosed: Bool { inbox.isStale || channel.isClosed }

    /// Runs a function on the inbox's loop, as an immediate would.
    ///
    /// - Parameter handler: The function. It runs on the loop's thread and gets the inbox's context.
    /// - Throws: ``LoopEndedError`` when the inbox or its loop has ended.
    ///
    /// The corresponding C function is `tevent_thread_proxy_schedule()`.
    @inlinable
    public func schedule(
        _ handler: @escaping @Sendable (_ events: EventContext) -> Void
    ) throws(LoopEndedError<Void>) {
        try schedule(()) { events, _ in handler(events) }
    }

    /// Gives a value away, and runs a function with it on the inbox's loop, as an immediate would.
    ///
    /// - Parameters:
    ///   - payload: The value to give away. The compiler makes sure that the sender does not use it again.
    ///   - handler: The function. It runs on the loop's thread, owns the payload, and may send it on. If the function
    ///     never runs, the payload is released.
    /// - Throws: ``LoopEndedError`` with the payload when the inbox or its loop has ended.
    /// - Complexity: O(1); one system call if the loop sleeps. Some hundred messages share one allocation; a message of
    ///   more than a kilobyte makes one of its own.
    ///
    /// A closure keeps its parameters until it returns. If it sends the payload on, and its own thread must not be the
    /// one that releases it, declare the parameter `consuming`: `{ (events, payload: consuming sending Payload) in …
    /// }`.
    ///
    /// Releasing a handle does not free talloc memory. To send talloc memory, use ``schedule(memory:_:)``.
    ///
    /// The corresponding C function is `tevent_thread_proxy_schedule()`.
    @inlinable
    public func schedule<Payload>(
        _ payload: consuming sending Payload,
        _ handler: @escaping @Sendable (_ events: EventContext, _ payload: sending Payload) -> Void
    ) throws(LoopEndedError<Payload>) {
        // Once the message is sent, nothing of the payload may remain here: the thread that releases it last runs its
        // deinit.
        let letter = Letter(payload: consume payload, handler: handler)
        let message = (consume letter).message(for: inbox) { message, events in
            let letter = Letter<Payload>.take(from: message)
            if let events { (consume letter).deliver(on: EventContext(tallocHandle: events)) }
        }
        guard !send(message) else { return }
        message.forgetOpening()
        throw LoopEndedError(Letter<Payload>.take(from: message).payload)
    }

    /// Gives a piece of talloc memory away with everything below it, and runs a function with it on the inbox's loop.
    ///
    /// The memory is a root while it is under way, and when it arrives. Then it belongs to the handler, which frees it,
    /// moves it under a new parent, or sends it on.
    ///
    /// ```swift
    /// let inbox = try ThreadInbox(on: events)
    /// let block = try TallocChunk([1, 2, 3])
    /// try inbox.proxy.schedule(memory: block) { _, block in
    ///     print(block.value)
    ///     block.free()
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - memory: The memory to give away. It must be a root, or at least lie below nothing that the sender continues
    ///     to use; the compiler checks that.
    ///   - handler: The function. It runs on the loop's thread and owns the memory. If the function never runs, the
    ///     memory is freed.
    /// - Throws: ``LoopEndedError`` with the memory, which is a root then, when the inbox or its loop has ended.
    ///
    /// The corresponding C function is `tevent_thread_proxy_schedule()`, which frees what the handler leaves where it
    /// is.
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

    /// Leaves the message for the loop; false when the inbox or its loop has ended.
    @usableFromInline
    func send(_ message: MessagePointer) -> Bool { !inbox.isStale && channel.send(message) }
}

extension ThreadProxy: CustomReflectable {
    /// Empty: what is inside belongs to the loop's thread.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The contents of a message besides its record: the payload, and the function to run with it.
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

    /// Takes the letter out of its message, which is freed.
    @inlinable
    static func take(from message: MessagePointer) -> Letter {
        let letter = place(in: message).move()
        message.freeMessage(contentSize: contentSize)
        return letter
    }

    /// The record before it is aligned to a word; a payload of greater alignment may have to be moved by as much.
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
