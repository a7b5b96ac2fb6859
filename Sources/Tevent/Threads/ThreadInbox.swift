import CTalloc
import Talloc

/// Where a context receives what other threads send through ``ThreadProxy``.
///
/// As long as it is there, its context's loop waits for messages, and does not end for lack of events. Freeing it ends
/// that: sending from then on throws an error, and messages under way are released.
///
/// The inbox belongs to its context's thread, the proxies to everybody. In C both are the same object.
///
/// The corresponding C type is `struct tevent_thread_proxy`.
public struct ThreadInbox: Event, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    /// Makes an inbox.
    ///
    /// - Parameters:
    ///   - events: Whose loop receives.
    ///   - parent: What the inbox is freed with; by default the context.
    /// - Throws: ``TeventError/outOfMemory(name:)``, or ``TeventError/systemCall(name:code:)`` when descriptors are
    ///   exhausted.
    ///
    /// The corresponding C function is `tevent_thread_proxy_create()`.
    public init(
        on events: EventContext, under parent: (some TallocObject)? = TallocContext?.none,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) {
        // The parent is asked first: its conformance may do anything, even free the context.
        let parent = parent?.tallocHandle
        let context = events.record("init(on:under:)")
        let chunk = events.chunk(of: parent, "init(on:under:)")
        tallocHandle = try ReceiverRecord.make(on: context, under: chunk, file: file.cString, line: line).handle
    }

    /// What other threads send with.
    public var proxy: ThreadProxy {
        let receiver = record(as: ReceiverRecord.self, "proxy")
        return ThreadProxy(inbox: tallocHandle, channel: receiver.pointee.channel)
    }
}

@available(*, unavailable)
extension ThreadInbox: Sendable {}
