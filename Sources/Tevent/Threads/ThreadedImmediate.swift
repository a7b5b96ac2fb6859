import CTalloc
import Synchronization
import Talloc

/// What a threaded immediate does when its turn comes: it gets itself and the context whose loop runs it.
public typealias ThreadedImmediateHandler = (_ immediate: ThreadedImmediate, _ events: EventContext) -> Void

/// An immediate that any thread can schedule, as often as it likes, with nothing but its ``trigger``.
///
/// All it will need is made beforehand, so scheduling needs no memory. It carries nothing: the handler looks for itself
/// what there is to do. However often it is scheduled before the loop comes to it, it runs once. What shall be carried is
/// for a ``ThreadProxy``.
///
/// As long as it is there, its context's loop does not end for lack of events.
///
/// The corresponding C types are `struct tevent_threaded_context` and `struct tevent_immediate`.
public struct ThreadedImmediate: Event, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    fileprivate init(tallocHandle: TallocHandle) { self.tallocHandle = tallocHandle }

    /// Makes an immediate that is not scheduled yet.
    ///
    /// - Parameters:
    ///   - events: Whose loop runs the handler.
    ///   - parent: What the immediate is freed with; by default the context.
    ///   - handler: What to do each time. It runs on the context's thread, and may use all that belongs to it. The
    ///     immediate owns it until it is freed.
    /// - Throws: ``TeventError/outOfMemory(name:)``, or ``TeventError/systemCall(name:code:)`` when descriptors are
    ///   exhausted.
    ///
    /// The corresponding C functions are `tevent_threaded_context_create()` and `tevent_create_immediate()`.
    public init(
        on events: EventContext, under parent: (some TallocObject)? = TallocContext?.none,
        file: StaticString = #fileID, line: UInt32 = #line, _ handler: @escaping ThreadedImmediateHandler
    ) throws(TeventError) {
        // The parent is asked first: its conformance may do anything, even free the context.
        let parent = parent?.tallocHandle
        let context = events.record("init(on:under:)")
        let chunk = events.chunk(of: parent, "init(on:under:)")
        let receiver = try ReceiverRecord.make(on: context, under: chunk, file: file.cString, line: line)
        talloc_set_name_const(receiver, Self.name.cString)
        tallocHandle = receiver.handle
        receiver.pointee.work = Work(
            handler: handler, signal: TriggerSignal(for: tallocHandle, channel: receiver.pointee.channel))
    }

    private static let name: StaticString = "struct tevent_threaded_context"

    /// What other threads schedule the immediate with.
    public var trigger: ThreadTrigger {
        ThreadTrigger(signal: work("trigger").signal)
    }

    fileprivate func run(on events: EventContext) {
        // Taken out of the record, which may be gone before the handler has ended.
        let handler = work("run").handler
        handler(self, events)
    }

    private func work(_ call: StaticString) -> Work {
        unsafeDowncast(record(as: ReceiverRecord.self, call).pointee.work.unsafelyUnwrapped, to: Work.self)
    }

    /// What the receiver of a threaded immediate holds; that of an inbox holds nothing.
    private final class Work {
        let handler: ThreadedImmediateHandler
        let signal: TriggerSignal

        init(handler: @escaping ThreadedImmediateHandler, signal: TriggerSignal) {
            self.handler = handler
            self.signal = signal
        }
    }
}

@available(*, unavailable)
extension ThreadedImmediate: Sendable {}

/// What any thread schedules a ``ThreadedImmediate`` with; it may be copied, kept, and outlive the loop.
public struct ThreadTrigger: Sendable {
    let signal: TriggerSignal

    /// Lets the immediate's handler run once, if it does not wait for that already.
    ///
    /// - Returns: Whether it did not wait already.
    /// - Throws: ``LoopEndedError`` when the immediate or its loop is gone.
    /// - Complexity: O(1); no allocation, and one system call if the loop sleeps.
    ///
    /// The corresponding C function is `tevent_threaded_schedule_immediate()`.
    @discardableResult
    public func schedule() throws(LoopEndedError<Void>) -> Bool { try signal.send() }
}

extension ThreadTrigger: CustomReflectable {
    /// Nothing: what is inside belongs to the loop's thread.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The one message of a threaded immediate, sent again and again; it lives as long as a trigger, or the way lasts.
final class TriggerSignal: @unchecked Sendable {
    private let receiver: TallocHandle
    private let channel: Channel
    private let isUnderWay = Atomic(false)
    /// Its content is the signal itself while it is under way, which keeps the message alive.
    ///
    /// Touched by whoever has set `isUnderWay`, and then by the loop, until it takes that back.
    private let message: MessagePointer

    fileprivate init(for receiver: TallocHandle, channel: Channel) {
        self.receiver = receiver
        self.channel = channel
        message = MessagePointer.make(
            for: receiver, contentSize: Self.contentSize, isOpenedWhenDisowned: true, opening: Self.opening)
        Self.signal(in: message).initialize(to: nil)
    }

    deinit { message.freeMessage(contentSize: Self.contentSize) }

    private static let contentSize = MemoryLayout<TriggerSignal?>.size

    fileprivate func send() throws(LoopEndedError<Void>) -> Bool {
        guard !receiver.isStale else { throw LoopEndedError(()) }
        guard !isUnderWay.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        Self.signal(in: message).pointee = self
        message.setOpening(Self.opening)
        guard channel.send(message) else {
            Self.arrived(message)
            throw LoopEndedError(())
        }
        return true
    }

    /// Captures nothing, so setting it again needs no memory, and it needs no release.
    private static var opening: MessageOpening {
        MessageOpening { message, events in
            let receiver = message.receiver
            TriggerSignal.arrived(message)
            if let events { ThreadedImmediate(tallocHandle: receiver).run(on: EventContext(tallocHandle: events)) }
        }
    }

    private static func signal(in message: MessagePointer) -> UnsafeMutablePointer<TriggerSignal?> {
        message.content.assumingMemoryBound(to: TriggerSignal?.self)
    }

    /// From here on the message may be sent again, by any thread.
    fileprivate static func arrived(_ message: MessagePointer) {
        let signal = signal(in: message).pointee.take()
        // An exchange, not a store: whoever found the message under way counts on the handler to see all that was done
        // before, and the handler must not look before the message can be sent again.
        _ = signal?.isUnderWay.exchange(false, ordering: .acquiringAndReleasing)
    }
}
