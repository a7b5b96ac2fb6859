import CTalloc
import Synchronization
import Talloc

/// What a threaded immediate does when its turn comes: it gets itself and the context whose loop runs it.
public typealias ThreadedImmediateHandler = (_ immediate: ThreadedImmediate, _ events: EventContext) -> Void

/// An immediate that any thread can schedule, as often as it likes, with its ``trigger``.
///
/// It carries no payload: the handler looks for the work itself. However often it is scheduled before the loop comes to
/// it, the handler runs once. Everything it needs is made beforehand, so scheduling it needs no memory. To carry a
/// payload, use a ``ThreadProxy``.
///
/// ```swift
/// let immediate = try ThreadedImmediate(on: events) { immediate, _ in
///     print("there is work to do")
///     immediate.free()
/// }
/// let trigger = immediate.trigger
/// let thread = try SystemThread(named: "worker") { _ = try trigger.schedule() }
/// try events.loopWait()
/// try thread.join()
/// ```
///
/// While it exists, its context's loop does not end for lack of events.
///
/// The corresponding C types are `struct tevent_threaded_context` and `struct tevent_immediate`.
public struct ThreadedImmediate: Event, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    fileprivate init(tallocHandle: TallocHandle) { self.tallocHandle = tallocHandle }

    /// Makes an immediate that is not scheduled yet.
    ///
    /// - Parameters:
    ///   - events: The context whose loop runs the handler.
    ///   - parent: The owner of the immediate: freeing it frees the immediate. By default it is the context.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    ///   - handler: What to do each time. It runs on the context's thread, and may use everything that belongs to that
    ///     thread. The immediate owns it until it is freed.
    /// - Throws: ``TeventError/outOfMemory(name:)``, or ``TeventError/systemCall(name:code:)`` when the process has run
    ///   out of descriptors.
    ///
    /// The corresponding C functions are `tevent_threaded_context_create()` and `tevent_create_immediate()`.
    public init(
        on events: EventContext, under parent: (some TallocObject)? = TallocContext?.none,
        file: StaticString = #fileID, line: UInt32 = #line, _ handler: @escaping ThreadedImmediateHandler
    ) throws(TeventError) {
        // Ask the parent first: its conformance may do anything, even free the context.
        let parent = parent?.tallocHandle
        let context = events.record("init(on:under:)")
        let chunk = events.chunk(of: parent, "init(on:under:)")
        let receiver = try ReceiverRecord.make(on: context, under: chunk, file: file.cString, line: line)
        talloc_set_name_const(receiver, Self.name.cString)
        if isRecording { recordName(receiver, Self.name.cString) }
        tallocHandle = receiver.handle
        receiver.pointee.work = Work(
            handler: handler, signal: TriggerSignal(for: tallocHandle, channel: receiver.pointee.channel))
    }

    private static let name: StaticString = "struct tevent_threaded_context"

    /// The trigger that other threads schedule the immediate with; you may ask for it as often as you like.
    public var trigger: ThreadTrigger {
        ThreadTrigger(signal: work("trigger").signal)
    }

    fileprivate func run(on events: EventContext) {
        // Taken out of the record, which may be freed before the handler returns.
        let handler = work("run").handler
        handler(self, events)
    }

    private func work(_ call: StaticString) -> Work {
        unsafeDowncast(record(as: ReceiverRecord.self, call).pointee.work.unsafelyUnwrapped, to: Work.self)
    }

    /// What the receiver of a threaded immediate holds; the receiver of an inbox holds nothing.
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

/// Schedules a ``ThreadedImmediate`` from any thread.
///
/// You may copy a trigger and keep it; it may outlive the loop.
///
/// ```swift
/// let trigger = try ThreadedImmediate(on: events) { _, _ in print("once") }.trigger
/// print(try trigger.schedule())  // true
/// print(try trigger.schedule())  // false: it is scheduled already
/// ```
///
/// C has no type for this: `tevent_threaded_schedule_immediate()` takes the threaded context and the immediate
/// themselves.
public struct ThreadTrigger: Sendable {
    let signal: TriggerSignal

    /// Has the immediate's handler run once, unless it is scheduled already.
    ///
    /// - Returns: True, or false if it was scheduled already.
    /// - Throws: ``LoopEndedError`` when the immediate or its loop has ended.
    /// - Complexity: O(1); no allocation, and one system call if the loop sleeps.
    ///
    /// The corresponding C function is `tevent_threaded_schedule_immediate()`.
    @discardableResult
    public func schedule() throws(LoopEndedError<Void>) -> Bool { try signal.send() }
}

extension ThreadTrigger: CustomReflectable {
    /// Empty: what is inside belongs to the loop's thread.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The one message of a threaded immediate, sent again and again; it lives as long as a trigger exists, or the message
/// is under way.
final class TriggerSignal: @unchecked Sendable {
    private let receiver: TallocHandle
    private let channel: Channel
    private let isUnderWay = Atomic(false)
    /// The process to which the message belongs.
    private let process = Atomic(Fork.generation)
    /// Its content is the signal itself while it is under way, which keeps the message alive.
    ///
    /// Used by the thread that has set `isUnderWay`, and then by the loop, until it resets that.
    private var message: MessagePointer

    fileprivate init(for receiver: TallocHandle, channel: Channel) {
        self.receiver = receiver
        self.channel = channel
        message = Self.makeMessage(for: receiver)
    }

    private static func makeMessage(for receiver: TallocHandle) -> MessagePointer {
        let message = MessagePointer.make(
            for: receiver, contentSize: contentSize, isOpenedWhenDisowned: true, opening: opening)
        signal(in: message).initialize(to: nil)
        return message
    }

    deinit { message.freeMessage(contentSize: Self.contentSize) }

    private static let contentSize = MemoryLayout<TriggerSignal?>.size

    fileprivate func send() throws(LoopEndedError<Void>) -> Bool {
        guard !receiver.isStale else { throw LoopEndedError(()) }
        if process.load(ordering: .acquiring) != Fork.generation { beginInNewProcess() }
        guard !isUnderWay.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        Self.signal(in: message).pointee = self
        message.setOpening(Self.opening)
        guard channel.send(message) else {
            Self.arrived(message)
            throw LoopEndedError(())
        }
        return true
    }

    /// In the child of a fork: leaves a message that is under way to the parent, and goes on with a new one.
    private func beginInNewProcess() {
        Fork.lock.withLock { _ in
            guard process.load(ordering: .relaxed) != Fork.generation else { return }
            if isUnderWay.load(ordering: .relaxed) {
                message = Self.makeMessage(for: receiver)
                isUnderWay.store(false, ordering: .relaxed)
            }
            process.store(Fork.generation, ordering: .releasing)
        }
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

    /// From now on any thread may send the message again.
    fileprivate static func arrived(_ message: MessagePointer) {
        let signal = signal(in: message).pointee.take()
        // In the child of a fork, the signal may have gone on with another message.
        guard signal?.message == message else { return message.freeMessage(contentSize: contentSize) }
        // An exchange, not a store: a thread that found the message under way expects the handler to see everything it
        // did before, and the handler must not look before the message can be sent again.
        _ = signal?.isUnderWay.exchange(false, ordering: .acquiringAndReleasing)
    }
}
