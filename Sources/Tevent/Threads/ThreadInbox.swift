import CTalloc
import Talloc

/// The receiving end for messages that other threads send through a ``ThreadProxy``.
///
/// While an inbox exists, its context's loop waits for messages instead of ending for lack of events. After the inbox
/// has been freed, sending throws an error, and messages under way are released.
///
/// ```swift
/// let inbox = try ThreadInbox(on: events)
/// let proxy = inbox.proxy
/// let thread = try SystemThread(named: "worker") {
///     let sum = (1...100).reduce(0, +)
///     try proxy.schedule(sum) { events, sum in
///         print("the worker's sum is \(sum)")
///         events.stop()
///     }
/// }
/// try events.loopWait()
/// try thread.join()
/// ```
///
/// The inbox belongs to its context's thread, its proxies to any thread. In C both are the same object, of type `struct
/// tevent_thread_proxy`.
public struct ThreadInbox: Event, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    /// Makes an inbox.
    ///
    /// - Parameters:
    ///   - events: The context whose loop receives the messages.
    ///   - parent: The owner of the inbox: freeing it frees the inbox. By default it is the context.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Throws: ``TeventError/outOfMemory(name:)``, or ``TeventError/systemCall(name:code:)`` when the process has run
    ///   out of descriptors.
    ///
    /// The corresponding C function is `tevent_thread_proxy_create()`.
    public init(
        on events: EventContext, under parent: (some TallocObject)? = TallocContext?.none,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) {
        // Ask the parent first: its conformance may do anything, even free the context.
        let parent = parent?.tallocHandle
        let context = events.record("init(on:under:)")
        let chunk = events.chunk(of: parent, "init(on:under:)")
        tallocHandle = try ReceiverRecord.make(on: context, under: chunk, file: file.cString, line: line).handle
    }

    /// The proxy that other threads send messages with; you may ask for it as often as you like.
    public var proxy: ThreadProxy {
        let receiver = record(as: ReceiverRecord.self, "proxy")
        return ThreadProxy(inbox: tallocHandle, channel: receiver.pointee.channel)
    }
}

@available(*, unavailable)
extension ThreadInbox: Sendable {}
