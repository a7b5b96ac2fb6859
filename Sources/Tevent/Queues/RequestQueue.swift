import Talloc

/// Requests that do their work one after another, in the order in which they were added.
///
/// The usual case is a socket: each request must write its whole message, however many system calls that takes, before
/// the next one may begin. Give each socket a queue, and have the function that makes a write request add it to the
/// queue instead of starting the work.
///
/// ```swift
/// let queue = try RequestQueue(label: "socket", under: memory)
/// for number in 1...3 {
///     let request = try Request(number, under: queue)
///     request.setCallback { $0.free() }  // which lets the next one begin
///     try queue.add(request, on: events) { request in
///         print("\(request.state) has its turn")
///         request.finish()
///     }
/// }
/// try events.loopWait()
/// ```
///
/// The first request is the active one. It stays active until it is *freed*, not only until it has ended; then the loop
/// starts the next. Freeing a request that waits takes it out of the queue. Freeing the queue takes out all of them:
/// they stay in progress, and no loop ever starts them.
///
/// The corresponding C type is `struct tevent_queue`.
public struct RequestQueue: TallocObject, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    init(_ record: QueuePointer) { tallocHandle = record.handle }

    private func record(_ call: StaticString = #function) -> QueuePointer {
        record(as: QueueRecord.self, call)
    }

    /// Makes an empty queue that is running.
    ///
    /// - Parameters:
    ///   - label: The name of the queue in traces and reports.
    ///   - parent: The owner of the queue: freeing it frees the queue. Mostly it is the owner of the socket, or
    ///     whatever else the requests work on.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Throws: ``TeventError/outOfMemory(name:)``.
    ///
    /// The corresponding C macro is `tevent_queue_create()`.
    public init(
        label: String, under parent: some TallocObject, file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) {
        let parent = parent.chunk("init(label:under:)")
        let queue = try QueueRecord.make(under: parent, file: file.cString, line: line) {
            QueueRecord(prefix: $0, label: label)
        }
        queue.recordLabel()
        self.init(queue)
    }

    // MARK: Adding

    /// Adds a request to the end of the queue; when its turn comes, the loop calls its trigger.
    ///
    /// - Parameters:
    ///   - request: The request to add. Its place in the queue is a child of it, so freeing the request takes it out.
    ///   - events: The context whose loop calls the trigger.
    ///   - trigger: Begins the work, and may end the request. It is not called if the request ended while it was
    ///     waiting. The entry owns the trigger until it is freed.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: The request's place in the queue.
    /// - Throws: ``TeventError/outOfMemory(name:)``; the request is in no queue then, and still in progress.
    /// - Complexity: O(1).
    ///
    /// The corresponding C functions are `tevent_queue_add()` and `tevent_queue_add_entry()`.
    @inlinable
    @discardableResult
    public func add<State>(
        _ request: Request<State>, on events: EventContext, file: StaticString = #fileID, line: UInt32 = #line,
        trigger: consuming @escaping (_ request: Request<State>) -> Void
    ) throws(TeventError) -> Entry {
        try add(
            AnyRequest(request), on: events, Request<State>.TypedCallback(run: trigger).erased, startsAtOnce: false,
            file: file, line: line)
    }

    /// Adds a request, and calls its trigger before returning if the queue is empty and running.
    ///
    /// That saves a turn of the loop. It is safe only in the function that makes the request: if the request has a
    /// callback already, the loop calls the trigger. A trigger may end the request before this call returns. Then
    /// ``RequestProtocol/post(on:)`` it, like any request that ends while it is being made.
    ///
    /// ```swift
    /// let request = try Request("a message", under: queue)
    /// try queue.addOrStart(request, on: events) { $0.finish() }
    /// if !request.isInProgress { request.post(on: events) }
    /// ```
    ///
    /// The corresponding C function is `tevent_queue_add_optimize_empty()`.
    @inlinable
    @discardableResult
    public func addOrStart<State>(
        _ request: Request<State>, on events: EventContext, file: StaticString = #fileID, line: UInt32 = #line,
        trigger: consuming @escaping (_ request: Request<State>) -> Void
    ) throws(TeventError) -> Entry {
        try add(
            AnyRequest(request), on: events, Request<State>.TypedCallback(run: trigger).erased, startsAtOnce: true,
            file: file, line: line)
    }

    /// Adds a request without a trigger: everything after it waits until it is freed.
    ///
    /// - Throws: ``TeventError/outOfMemory(name:)``; the request is in no queue then.
    ///
    /// The corresponding C call is `tevent_queue_add_entry()` without a trigger.
    @discardableResult
    public func addBlocker(
        _ request: some RequestProtocol, on events: EventContext, file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Entry {
        try add(AnyRequest(request), on: events, nil, startsAtOnce: false, file: file, line: line)
    }

    @usableFromInline
    func add(
        _ request: AnyRequest, on events: EventContext, _ trigger: consuming RequestCallback?, startsAtOnce: Bool,
        file: StaticString, line: UInt32
    ) throws(TeventError) -> Entry {
        let queue = record("add")
        let request = request.record("add")
        _ = events.record("add")
        let entry = try EntryPointer.make(for: request, on: events, file: file.cString, line: line)
        entry.pointee.trigger = trigger
        let handle = Entry(entry)
        queue.add(entry, of: request, startsAtOnce: startsAtOnce)
        return handle
    }

    // MARK: Running

    /// Keeps the next request from beginning; the active one continues.
    ///
    /// The corresponding C function is `tevent_queue_stop()`.
    public func stop() { record().setRunning(false) }

    /// Lets requests begin again; the loop starts the first one.
    ///
    /// The call has no effect on a queue that is running.
    ///
    /// The corresponding C function is `tevent_queue_start()`.
    public func start() { record().setRunning(true) }

    /// Whether requests may begin; a new queue is running.
    ///
    /// The corresponding C function is `tevent_queue_running()`.
    public var isRunning: Bool { record().pointee.isRunning }

    // MARK: Looking

    /// The number of requests in the queue, including the active one.
    ///
    /// The corresponding C function is `tevent_queue_length()`.
    public var length: Int { record().pointee.length }

    /// The name of the queue in traces and reports.
    ///
    /// The corresponding C function is `tevent_queue_name()`.
    public var label: String { record().pointee.label }

    /// The line of the program that made the queue, such as "main/Writer.swift:12".
    public var origin: String { record().pointee.scheduled.prefix.origin }

    /// The places in the queue, the first one first.
    ///
    /// - Complexity: O(*n*).
    public var entries: [Entry] { record().pointee.entries.snapshot.map(Entry.init) }
}

@available(*, unavailable)
extension RequestQueue: Sendable {}

/// How another API, such as that for C, starts a queue's first entry: functions that are given records.
package struct QueueStarter {
    /// Called whenever the first entry may be started, even if the loop was told before; has the loop call
    /// `startFirst()`.
    let tellLoop: @convention(c) (_ first: UnsafeMutableRawPointer) -> Void
    /// Called instead of a trigger, also for a request that has ended.
    let start: @convention(c) (_ entry: UnsafeMutableRawPointer, _ request: UnsafeMutableRawPointer) -> Void

    package init(
        tellLoop: @escaping @convention(c) (_ first: UnsafeMutableRawPointer) -> Void,
        start: @escaping @convention(c) (_ entry: UnsafeMutableRawPointer, _ request: UnsafeMutableRawPointer) -> Void
    ) {
        self.tellLoop = tellLoop
        self.start = start
    }
}

package typealias QueuePointer = UnsafeMutablePointer<QueueRecord>

/// The record of a queue.
///
/// The queue itself joins the immediates when its first entry is to be started; starting one therefore needs no memory.
package struct QueueRecord: EventRecord {
    /// Where the queue was made, and its place among the immediates of the context whose loop starts the first entry.
    var scheduled: Scheduled
    /// Kept, so that it is stale while the queue is being freed.
    let handle: TallocHandle
    package let label: String
    package internal(set) var entries = List<EntryRecord>()
    package internal(set) var length = 0
    package internal(set) var isRunning = true
    /// Starts entries, if the queue does not start them itself.
    package var starter: QueueStarter?

    package init(prefix: EventPrefix, label: String) {
        scheduled = Scheduled(prefix: prefix)
        handle = TallocHandle(slot: prefix.slot)
        self.label = label
    }

    package static var name: StaticString { "struct tevent_queue" }
    fileprivate static let act: ScheduledAct = { object, leftBehind in
        let queue = object.unsafelyUnwrapped.assumingMemoryBound(to: QueueRecord.self)
        if leftBehind == nil { queue.run() } else { queue.leaveLoop() }
    }
    package static var kind: ObjectKind { .queue }
    package static var description: StaticString { "a request queue" }
    package static let destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { chunk in
        let queue = chunk!.assumingMemoryBound(to: QueueRecord.self)
        // Traces are notified of each entry's end and must find the queue freed, so that they cannot add anything to
        // it. C traces may still ask for its length.
        let isGone = queue.pointee.starter == nil
        if isGone { queue.pointee.prefix.slot.release() }
        queue.pointee.isRunning = false
        while let entry = queue.pointee.entries.first { freeChunk(entry) }
        if !isGone { queue.pointee.prefix.slot.release() }
        queue.deinitialize(count: 1)
        freeChildrenIfAny(of: chunk.unsafelyUnwrapped)
        return 0
    }

    package var prefix: EventPrefix {
        get { scheduled.prefix }
        _modify { yield &scheduled.prefix }
    }
}

extension QueuePointer {
    var handle: TallocHandle { pointee.handle }
    var scheduled: ScheduledPointer { ScheduledPointer(OpaquePointer(self)) }

    // snippet: update
    /// Whether the entry may be started now: no entry is before it, and it has not been started yet.
    @inline(__always)
    package func canStart(_ entry: EntryPointer) -> Bool {
        pointee.isRunning && pointee.entries.first == entry && !entry.pointee.isTriggered && entry.context != nil
    }

    /// Has the loop start the first entry if it may be started; called after every change.
    func update() {
        let first = pointee.entries.first
        let loop = first.flatMap { canStart($0) ? $0.context : nil }
        guard loop != pointee.prefix.context else { return }
        leaveLoop()
        guard let loop, let first else { return }
        // The queue of a C program is started by its own immediate.
        if let starter = pointee.starter { return starter.tellLoop(first) }
        scheduled.append(to: loop, as: .queue, QueueRecord.act)
        if let hooks = loop.pointee.hooks {
            recordSchedule(.attached, on: loop)
            hooks.queues?(first.handle, .schedule)
        }
    }

    /// Cancels what `update()` asked of the loop; no effect if it asked nothing.
    @inline(__always)
    func leaveLoop() {
        guard let loop = pointee.prefix.context else { return }
        scheduled.remove(from: loop)
        if loop.pointee.hooks != nil { recordSchedule(.detached, on: loop) }
    }

    /// The loop has come to the queue: it is the first entry's turn.
    func run() { pointee.entries.first.unsafelyUnwrapped.start() }
    // snippet-end: update

    /// Records what the queue is called; call it when it has been made.
    package func recordLabel() {
        if isRecording { pointee.label.withCString { recordName(self, $0) } }
    }

    @inline(never)
    private func recordSchedule(_ what: Record.What, on loop: ContextPointer) {
        addRecord(what, self, of: .queue, on: loop)
    }

    /// The function that a starter has the loop call.
    package func startFirst() {
        if let first = pointee.entries.first, canStart(first) { first.start() }
    }

    /// Adds a new entry, and starts it if that is wanted and possible; the entry may have been freed afterwards.
    package func add(_ entry: EntryPointer, of request: RequestPointer, startsAtOnce: Bool) {
        let handle = entry.handle
        entry.join(self, of: request)
        // A trace may have freed any of them.
        guard !handle.isStale else { return }
        if startsAtOnce, canStart(entry), !entry.pointee.request.isFreed, request.pointee.owned.callback == nil {
            entry.start()
        } else {
            update()
        }
    }

    package func setRunning(_ isRunning: Bool) {
        if Tevent.isRecording { addRecord(isRunning ? .started : .stopped, self, of: .queue) }
        pointee.isRunning = isRunning
        update()
    }
}
