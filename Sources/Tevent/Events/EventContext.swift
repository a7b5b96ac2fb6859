import Talloc

/// The unit that events are registered with, and whose loop runs their handlers.
///
/// A program may have several contexts, each with its own events, and run their loops at different times: a loop sees
/// only the events of its own context. A context, its events and its memory belong to one thread.
///
/// ```swift
/// let events = try EventContext()
/// defer { events.free() }
/// try events.addTimer(after: .milliseconds(1)) { _, _ in print("a millisecond later") }
/// try events.loopWait()
/// ```
///
/// The corresponding C type is `struct tevent_context`.
public struct EventContext: TallocObject, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    package init(_ record: ContextPointer) { tallocHandle = record.handle }

    @usableFromInline
    package init(tallocHandle: TallocHandle) { self.tallocHandle = tallocHandle }

    @inline(__always)
    package func record(_ call: StaticString = #function) -> ContextPointer { record(as: ContextRecord.self, call) }

    /// Creates a context.
    ///
    /// - Parameters:
    ///   - parent: The context's parent; nil makes a root, which its owner must free.
    ///   - backend: One of ``backends``.
    ///   - clock: A clock that a test moves by hand; nil, the default, means the system's monotonic clock.
    /// - Throws: ``TeventError/outOfMemory(name:)``, ``TeventError/unknownBackend(name:)``, or
    ///   ``TeventError/systemCall(name:code:)`` when descriptors are exhausted.
    ///
    /// The corresponding C functions are `tevent_context_init()` and `tevent_context_init_byname()`.
    public init(
        under parent: (some TallocObject)? = TallocContext?.none, backend: String = EventContext.defaultBackend,
        clock: ManualClock? = nil
    ) throws(TeventError) {
        let backend = try Self.makeBackend(backend)
        self.init(try ContextPointer.make(under: parent?.chunk("init(under:)"), backend: backend, clock: clock))
    }

    /// The default parent of a new event of this context.
    @inline(__always)
    func chunk(of parent: TallocHandle?, _ call: StaticString) -> UnsafeMutableRawPointer {
        guard let parent else { return chunk(call) }
        guard !parent.isStale else { abort("\(call) was given a parent that has already been freed") }
        return TallocContext(tallocHandle: parent).chunk(call)
    }

    /// The name of the context's backend.
    ///
    /// The corresponding C function is `tevent_context_get_backend()`, which exists only in later versions.
    public var backend: String { record().pointee.backend.name }

    /// The current time on the context's clock.
    ///
    /// The corresponding C function is `tevent_timeval_current()`.
    public var now: EventInstant { record().now }

    /// Whether the context has events that a loop would wait for.
    public var hasEvents: Bool { record().hasEvents }

    /// When the next timer is due; nil without timers.
    public var nextDeadline: EventInstant? {
        record().pointee.timers.firstDeadline.map(EventInstant.init(nanoseconds:))
    }
}

@available(*, unavailable)
extension EventContext: Sendable {}

/// Decides whether a loop may start; see ``EventContext/setNestingHook(_:)``.
///
/// It receives the context, the nesting level including this loop, and whether the loop begins or ends.
public typealias NestingHook = (_ events: EventContext, _ level: Int, _ begins: Bool) -> Bool
