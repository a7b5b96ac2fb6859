import Talloc

/// Requests that must do their work one after the other, in the order they were added.
///
/// What writes to a socket is the common case: each request has to write all it has, with as many calls as that takes,
/// before the next one may begin. So each socket gets a queue, and a function that makes such a request adds it instead
/// of starting the work at once.
///
/// The request whose turn has come is the active one. It stays so until it is *freed*, not only until it has ended;
/// then the loop starts the next. Freeing a request that waits takes it out of the queue, and freeing the queue takes out
/// all: they stay in progress, and are never started.
///
/// The corresponding C type is `struct tevent_queue`.
public struct RequestQueue: TallocObject, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    init(_ record: QueuePointer) { tallocHandle = record.handle }

    private func record(_ call: StaticString = #function) -> QueuePointer {
        record(as: QueueRecord.self, call)
    }

    /// Makes a queue that is empty and running.
    ///
    /// - Parameters:
    ///   - label: What traces and reports call it.
    ///   - parent: What the queue is freed with; mostly what owns the socket, or whatever the requests work on.
    /// - Throws: ``TeventError/outOfMemory(name:)``.
    ///
    /// The corresponding C macro is `tevent_queue_create()`.
    public init(
        label: String, under parent: some TallocObject, file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) {
        let parent = parent.chunk("init(label:under:)")
        self.init(
            try QueueRecord.make(under: parent, file: file.cString, line: line) {
                QueueRecord(prefix: $0, label: label)
            })
    }

    // MARK: Adding

    /// Adds a request, whose trigger the loop calls when it is first, and the queue is running.
    ///
    /// - Parameters:
    ///   - request: What waits. Its place in the queue is a child of it, so freeing the request takes it out.
    ///   - events: Whose loop calls the trigger.
    ///   - trigger: Begins the work; it may end the request at once. It is not called for a request that has ended while
    ///     it waited. The entry owns it until it is freed.
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

    /// Adds a request, and calls its trigger at once if no entry is before it and the queue is running.
    ///
    /// That spares a turn of the loop, and is safe only while the request is being made: if its callback has been set
    /// already, the loop calls the trigger. A trigger may end the request before this returns; then
    /// ``RequestProtocol/post(on:)`` it, as always when a request ends while it is made.
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

    /// Adds a request that does nothing when its turn comes, but keeps all behind it waiting until it is freed.
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

    /// Lets no other request begin; the active one goes on.
    ///
    /// The corresponding C function is `tevent_queue_stop()`.
    public func stop() { record().setRunning(false) }

    /// Lets requests begin again, the first from the loop; without effect on a queue that is running.
    ///
    /// The corresponding C function is `tevent_queue_start()`.
    public func start() { record().setRunning(true) }

    /// Whether requests may begin; a new queue is running.
    ///
    /// The corresponding C function is `tevent_queue_running()`.
    public var isRunning: Bool { record().pointee.isRunning }

    // MARK: Looking

    /// How many requests are in the queue, the active one included.
    ///
    /// The corresponding C function is `tevent_queue_length()`.
    public var length: Int { record().pointee.length }

    /// What traces and reports call the queue.
    ///
    /// The corresponding C function is `tevent_queue_name()`.
    public var label: String { record().pointee.label }

    /// The line of the program that made the queue, such as "main/Writer.swift:12".
    public var origin: String { record().pointee.scheduled.prefix.origin }

    /// The places in the queue, the first in front.
    ///
    /// - Complexity: O(*n*).
    public var entries: [Entry] { record().pointee.entries.snapshot.map(Entry.init) }
}

@available(*, unavailable)
extension RequestQueue: Sendable {}

/// How another face of the engine, such as that for C, starts a queue's first entry: functions that are given records.
package struct QueueStarter {
    /// Called whenever the first entry may be started, even if the loop has been told so before; lets the loop call
    /// `startFirst()`.
    let tellLoop: @convention(c) (_ first: UnsafeMutableRawPointer) -> Void
    /// Called instead of a trigger, for a request that has ended, too.
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

/// What a queue is.
///
/// It joins the immediates itself when its first entry is to be started, so that needs no memory.
package struct QueueRecord: EventRecord {
    /// Where it was made, and its place among the immediates of the context whose loop starts the first entry.
    var scheduled: Scheduled
    /// Kept, so that it is stale while the queue is being freed.
    let handle: TallocHandle
    package let label: String
    package internal(set) var entries = List<EntryRecord>()
    package internal(set) var length = 0
    package internal(set) var isRunning = true
    /// Who starts entries, if the queue does not do so itself.
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
        // Traces are told about each entry's end, and must find the queue freed: nothing can be added to it any more. C
        // traces may still ask how long it is.
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

    /// Lets the loop start the first entry if it may be started, and nothing otherwise: called after every change.
    func update() {
        let first = pointee.entries.first
        let loop = first.flatMap { canStart($0) ? $0.context : nil }
        guard loop != pointee.prefix.context else { return }
        leaveLoop()
        guard let loop, let first else { return }
        // That of a C program is started by an immediate of its own.
        if let starter = pointee.starter { return starter.tellLoop(first) }
        scheduled.append(to: loop, as: .queue, QueueRecord.act)
        if let hooks = loop.pointee.hooks { hooks.queues?(first.handle, .schedule) }
    }

    /// Takes back that the loop should start an entry; no effect if it was not asked to.
    @inline(__always)
    func leaveLoop() {
        if let loop = pointee.prefix.context { scheduled.remove(from: loop) }
    }

    /// The loop has come to the queue: its first entry's turn has come.
    func run() { pointee.entries.first.unsafelyUnwrapped.start() }
    // snippet-end: update

    /// What a starter lets the loop call.
    package func startFirst() {
        if let first = pointee.entries.first, canStart(first) { first.start() }
    }

    /// Adds a new entry, and starts it if that is wanted and possible; it may be gone then.
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
        pointee.isRunning = isRunning
        update()
    }
}
