import Talloc

extension RequestQueue {
    /// A request's place in a queue.
    ///
    /// The place is a child of the request and is freed with it; the queue then continues. You may also free the place
    /// alone: the request leaves the queue and stays in progress.
    ///
    /// ```swift
    /// let request = try Request("a job", under: queue)
    /// let place = try queue.add(request, on: events) { $0.finish() }
    /// place.tag = 7
    /// print(place.isTriggered, queue.length)
    /// place.free()  // the request is still in progress, in no queue
    /// ```
    ///
    /// The corresponding C type is `struct tevent_queue_entry`.
    public struct Entry: TallocObject, Equatable {
        /// The checked reference to the chunk.
        public let tallocHandle: TallocHandle

        init(_ record: EntryPointer) { self.init(tallocHandle: record.handle) }

        fileprivate init(tallocHandle: TallocHandle) { self.tallocHandle = tallocHandle }

        private func record(_ call: StaticString = #function) -> EntryPointer { record(as: EntryRecord.self, call) }

        /// The request that has this place.
        public var request: AnyRequest { record().pointee.request }

        /// The queue, or nil when the entry is leaving it.
        public var queue: RequestQueue? { record().pointee.queue.map(RequestQueue.init) }

        /// Whether the queue has called the trigger: then the request is the active one.
        public var isTriggered: Bool { record().pointee.isTriggered }

        /// Has the queue call the trigger once more when it is started again.
        ///
        /// It is for a trigger that finds that the work cannot begin yet. The trigger stops the queue and untriggers
        /// its entry; code that learns that the work can begin starts the queue. While the queue is running, or for an
        /// entry that is not the active one, the call is a trap.
        ///
        /// The corresponding C function is `tevent_queue_entry_untrigger()`.
        public func untrigger() {
            let entry = record()
            guard let queue = entry.pointee.queue, entry.pointee.isTriggered else {
                abort("the queue entry made at \(origin) was untriggered, but it is not the active one")
            }
            guard !queue.pointee.isRunning else {
                abort("the queue '\(queue.pointee.label)' must be stopped before its active entry is untriggered")
            }
            entry.pointee.isTriggered = false
        }

        /// A number for the program's own use, 0 until you set it; traces can tell entries apart by it.
        ///
        /// The corresponding C functions are `tevent_queue_entry_set_tag()` and `tevent_queue_entry_get_tag()`.
        public var tag: UInt64 {
            get { record().pointee.prefix.tag }
            nonmutating set { record().tag(newValue) }
        }

        /// The line of the program that added the request, such as "main/Writer.swift:12".
        public var origin: String { record().pointee.prefix.origin }
    }
}

@available(*, unavailable)
extension RequestQueue.Entry: Sendable {}

extension EventContext {
    /// Sets a function that is told about the life of each queue entry added on this context; nil removes it.
    ///
    /// The function gets the entry and a point of its life, see ``QueueTracePoint``. It may do anything a handler may
    /// do.
    ///
    /// The corresponding C function is `tevent_set_trace_queue_callback()`.
    public func setQueueTrace(_ trace: ((RequestQueue.Entry, QueueTracePoint) -> Void)?) {
        var trace = trace.map { trace in
            { (entry: TallocHandle, point: QueueTracePoint) in trace(RequestQueue.Entry(tallocHandle: entry), point) }
        }
        swap(&hooks("setQueueTrace(_:)").queues, &trace)
    }
}

package typealias EntryPointer = UnsafeMutablePointer<EntryRecord>

package struct EntryRecord: EventRecord, Linked {
    private var place: Place
    /// Nil before it has joined, and when it leaves.
    package internal(set) var queue: QueuePointer?
    /// The context whose loop starts it; once that is freed, the entry is never started.
    package let events: EventContext
    /// Nil for one that only blocks; kept once called, because the entry may be untriggered.
    var trigger: RequestCallback?
    package var isTriggered = false
    package var next: EntryPointer?
    package var previous: EntryPointer?

    package var request: AnyRequest { place.request }
    package var prefix: EventPrefix {
        get { place.prefix }
        _modify { yield &place.prefix }
    }

    init(place: Place, events: EventContext) {
        self.place = place
        self.events = events
    }

    package static var name: StaticString { "struct tevent_queue_entry" }
    package static var kind: ObjectKind { .queueEntry }
    package static var description: StaticString { "an entry of a queue" }
    // snippet: destructor
    package static let destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { chunk in
        let entry = chunk!.assumingMemoryBound(to: EntryRecord.self)
        entry.leave()
        entry.endRecord()
        return 0
    }
    // snippet-end: destructor
}

extension EntryPointer {
    /// Makes a request's place in a queue, which it has yet to join.
    package static func make(
        for request: RequestPointer, on events: EventContext, file: UnsafePointer<CChar>, line: UInt32, behind: Int = 0
    ) throws(TeventError) -> EntryPointer {
        try EntryRecord.make(under: request, file: file, line: line, behind: behind) {
            EntryRecord(place: Place(prefix: $0, request: AnyRequest(request)), events: events)
        }
    }

    @inline(__always)
    private func trace(_ point: QueueTracePoint, in queue: QueuePointer) {
        if let hooks = context?.pointee.hooks { trace(point, in: queue, hooks) }
    }

    @inline(never)
    private func trace(_ point: QueueTracePoint, in queue: QueuePointer, _ hooks: Hooks) {
        let handle = handle
        addRecord(point == .attach ? .joined : point == .detach ? .left : .begin, self, of: .queueEntry, on: queue)
        hooks.queues?(handle, point)
    }

    /// The context whose loop starts it, or nil when it was freed.
    @inline(__always)
    var context: ContextPointer? { pointee.events.tallocHandle.record(as: ContextRecord.self) }

    func join(_ queue: QueuePointer, of request: RequestPointer) {
        request.pointee.hasPlaces = true
        pointee.queue = queue
        queue.pointee.entries.append(self)
        queue.pointee.length += 1
        trace(.attach, in: queue)
    }

    // snippet: leave
    /// Takes the entry out of its queue, and lets the loop start the next one if this was the active one.
    func leave() {
        guard let queue = pointee.queue else { return }
        // The loop was told to start this one; `update` decides whether to start the next.
        if queue.pointee.entries.first == self { queue.leaveLoop() }
        queue.pointee.entries.remove(self)
        queue.pointee.length -= 1
        pointee.queue = nil
        let handle = queue.handle
        trace(.detach, in: queue)
        // A trace may have freed the queue.
        if !handle.isStale { queue.update() }
    }
    // snippet-end: leave

    /// Calls the trigger.
    func start() {
        let queue = pointee.queue.unsafelyUnwrapped
        queue.leaveLoop()
        if context?.pointee.hooks != nil {
            let entry = RequestQueue.Entry(self)
            trace(.beforeHandler, in: queue)
            defer { if isRecording { recordEnd() } }
            // A trace may have changed anything.
            guard !entry.isFreed, queue.canStart(self) else { return }
            // It may have stopped and started the queue, and thereby told the loop a second time.
            queue.leaveLoop()
            return trigger(queue)
        }
        trigger(queue)
    }

    @inline(__always)
    private func trigger(_ queue: QueuePointer) {
        pointee.isTriggered = true
        // If the request was freed because the entry was moved, or has ended while it waited, there is no work to
        // begin.
        guard let request = pointee.request.tallocHandle.record(as: RequestRecord.self) else { return }
        if let starter = queue.pointee.starter { return starter.start(self, request) }
        guard request.pointee.status == .inProgress, let run = pointee.trigger?.run else { return }
        run(pointee.request)
    }
}
