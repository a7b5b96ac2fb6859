import Talloc
import Tevent

/// What other threads send to a loop, as a sequence for one of its tasks.
///
/// ```swift
/// func add(on events: EventContext) async throws -> Int {
///     let numbers = try Messages<Int>(on: events)
///     defer { numbers.free() }
///     let sender = numbers.sender
///     let thread = try SystemThread(named: "counter") { for number in 1...3 { try sender.send(number) } }
///     var sum = 0
///     for try await number in numbers.prefix(3) { sum += number }
///     try thread.join()
///     return sum
/// }
/// ```
///
/// It keeps what has arrived until a task asks for it, in the order in which each thread has sent it. Freeing it ends
/// the iteration with ``TaskError/freed``, and sending throws from then on.
///
/// The corresponding C type is `struct tevent_thread_proxy`.
public struct Messages<Payload>: AsyncSequence, TallocObject {
    /// The type of the elements.
    public typealias Element = Payload

    private let inbox: ThreadInbox
    private let arrivals: Arrivals<Payload>

    /// The checked reference to the chunk of the inbox.
    public var tallocHandle: TallocHandle { inbox.tallocHandle }

    /// Makes an inbox.
    ///
    /// - Parameters:
    ///   - events: The context whose loop receives the messages.
    ///   - parent: The owner of the inbox; by default the context.
    /// - Throws: ``/Tevent/TeventError/outOfMemory(name:)``, or ``/Tevent/TeventError/systemCall(name:code:)`` when the
    ///   process has run out of descriptors.
    ///
    /// The corresponding C function is `tevent_thread_proxy_create()`.
    public init(
        on events: EventContext, under parent: (some TallocObject)? = TallocContext?.none
    ) throws(TeventError) {
        inbox = try ThreadInbox(on: events, under: parent)
        arrivals = Arrivals()
    }

    /// What other threads send with; you may ask for it as often as you like.
    public var sender: MessageSender<Payload> { MessageSender(inbox.proxy, arrivals) }

    /// Begins to take messages, where the last iteration ended.
    public func makeAsyncIterator() -> LoopSequence<Payload>.Iterator {
        LoopSequence.Iterator { [inbox, arrivals] in try await arrivals.next(under: inbox) }
    }
}

@available(*, unavailable)
extension Messages: Sendable {}

/// Sends to the ``Messages`` of a loop, from any thread.
public struct MessageSender<Payload>: Sendable {
    private let proxy: ThreadProxy
    /// Used only on the loop's thread, by the messages.
    private let arrivals: OnLoop<Arrivals<Payload>>

    fileprivate init(_ proxy: ThreadProxy, _ arrivals: Arrivals<Payload>) {
        self.proxy = proxy
        self.arrivals = OnLoop(content: arrivals)
    }

    /// Whether the messages have been freed; sending may throw even if it is false.
    public var isClosed: Bool { proxy.isClosed }

    /// Gives a value away to the loop.
    ///
    /// - Parameter payload: The value. The compiler makes sure that the sender does not use it again.
    /// - Throws: ``/Tevent/LoopEndedError`` with the value if the messages have been freed, or their loop has ended.
    /// - Complexity: O(1); one system call if the loop sleeps.
    ///
    /// The corresponding C function is `tevent_thread_proxy_schedule()`.
    public func send(_ payload: consuming sending Payload) throws(LoopEndedError<Payload>) {
        let arrivals = arrivals
        try proxy.schedule(payload) { _, payload in arrivals.content.add(payload) }
    }
}
