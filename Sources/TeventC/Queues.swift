// swift-format-ignore-file: NoLeadingUnderscores
import CTalloc
import CTevent
import Glibc
import Talloc
import Tevent

// A queue of a C program has its own immediate, a child, which it schedules again whenever the first entry may be
// started. As in libtevent, it therefore runs after everything that the program has scheduled until then; a program's
// own backend and its traces are notified of it; and it goes through a wrapper if the entry was added through one.

/// What is stored after the engine's record of a queue.
private struct CQueue {
    let end: ChunkGuard.Pointer
    let immediate: OpaquePointer
    let location: UnsafePointer<CChar>?
    /// The wrapper of the entry for which the immediate was last scheduled.
    var wrapper: TallocHandle?
}

/// What is stored after the engine's record of an entry.
private struct CEntry {
    let trigger: tevent_queue_trigger_fn_t?
    let triggerName: UnsafePointer<CChar>?
    let data: UnsafeMutableRawPointer?
    /// The wrapper through which the entry was added.
    let wrapper: TallocHandle?
}

extension QueuePointer {
    fileprivate var c: UnsafeMutablePointer<CQueue> { placeBehindRecord.assumingMemoryBound(to: CQueue.self) }
}

extension EntryPointer {
    fileprivate var c: UnsafeMutablePointer<CEntry> { placeBehindRecord.assumingMemoryBound(to: CEntry.self) }
}

@c @implementation
package func _tevent_queue_create(
    _ mem_ctx: UnsafeMutableRawPointer?, _ name: UnsafePointer<CChar>?, _ location: UnsafePointer<CChar>?
) -> OpaquePointer? {
    prepareProgram()
    guard let label = name.map({ String(cString: $0) }) else {
        errno = EINVAL
        return nil
    }
    let made = object { () throws(TeventError) in
        try QueueRecord.make(under: mem_ctx, file: place(location), line: 0, behind: MemoryLayout<CQueue>.size) {
            QueueRecord(prefix: $0, label: label)
        }.handle
    }
    guard let made else { return nil }
    QueuePointer(made).recordLabel()
    guard let end = ChunkGuard.make(below: made.chunk, QueueRecord.destructor) else {
        freeChunk(made.chunk)
        errno = ENOMEM
        return nil
    }
    guard let immediate = _tevent_create_immediate(made.chunk, location) else {
        end.disarm()
        freeChunk(made.chunk)
        return nil
    }
    let queue = QueuePointer(made)
    queue.c.initialize(to: CQueue(end: end, immediate: immediate, location: location))
    _talloc_set_destructor(made.chunk) { chunk in
        QueuePointer(OpaquePointer(chunk!)).c.pointee.end.disarm()
        return QueueRecord.destructor(chunk)
    }
    queue.pointee.starter = QueueStarter(tellLoop: scheduleStart, start: callTrigger)
    return made
}

/// Tells the loop to start the first entry of a queue.
private func scheduleStart(_ first: UnsafeMutableRawPointer) {
    let first = first.assumingMemoryBound(to: EntryRecord.self)
    guard let queue = first.pointee.queue else { return }
    let wrapper = first.c.pointee.wrapper
    // If the wrapper was freed, nothing starts the entries that were added through it.
    guard let ev = (wrapper ?? first.pointee.events.tallocHandle).object.map({ OpaquePointer($0) }) else { return }
    let (immediate, location) = (queue.c.pointee.immediate, queue.c.pointee.location)
    // The fast path, when an entry is added to a queue that is going to be started anyway.
    if wrapper == nil, queue.c.pointee.wrapper == nil, Backends.hasOwnImmediates(ContextPointer(ev).extras.pointee.ops),
        ImmediatePointer(immediate).moveBack(on: ContextPointer(ev))
    {
        return
    }
    queue.c.pointee.wrapper = wrapper
    _tevent_schedule_immediate(immediate, ev, startFirst, queue, StaticString("startFirst").cString, location)
}

/// The handler of a queue's immediate.
private func startFirst(_: OpaquePointer?, _: OpaquePointer?, _ queue: UnsafeMutableRawPointer?) {
    let queue = queue!.assumingMemoryBound(to: QueueRecord.self)
    if CallDepth.isWatched, let first = queue.pointee.entries.first, queue.canStart(first) {
        CallDepth.tellOfQueue(TEVENT_CALL_FLOW_REQ_QUEUE_TRIGGER, first, setsDepth: true)
    }
    queue.startFirst()
}

/// Calls the program's trigger, if there is one.
private func callTrigger(of entry: UnsafeMutableRawPointer, for request: UnsafeMutableRawPointer) {
    let call = entry.assumingMemoryBound(to: EntryRecord.self).c.pointee
    call.trigger?(OpaquePointer(request), call.data)
}

@inline(__always)
private func entry(_ entry: OpaquePointer?, _ call: StaticString = #function) -> EntryPointer {
    record(entry, .queueEntry, call)
}

// MARK: Adding

/// Adds a request to a queue; returns nil with `errno` set if there is no memory.
private func add(
    _ req: OpaquePointer?, to queue: QueuePointer, on ev: OpaquePointer?, _ function: tevent_queue_trigger_fn_t?,
    _ name: UnsafePointer<CChar>?, _ data: UnsafeMutableRawPointer?, startsAtOnce: Bool = false,
    call: StaticString = #function
) -> OpaquePointer? {
    let request: RequestPointer = record(req, .request, call)
    let events = EventContext(context(ev, call))
    let made = object { () throws(TeventError) in
        // An entry's location is its trigger, since the caller does not pass the place where it is created.
        try EntryPointer.make(
            for: request, on: events, file: place(name), line: 0, behind: MemoryLayout<CEntry>.size
        ).handle
    }
    guard let made else { return nil }
    let entry = EntryPointer(made)
    entry.c.initialize(to: CEntry(trigger: function, triggerName: name, data: data, wrapper: wrapper(ev)))
    _talloc_set_destructor(made.chunk, destroyEntry)
    if CallDepth.isWatched { CallDepth.tellOfQueue(TEVENT_CALL_FLOW_REQ_QUEUE_ENTER, entry) }
    // A program that has set its callback already expects no call before the loop runs.
    queue.add(entry, of: request, startsAtOnce: startsAtOnce && request.c.pointee.callback == nil)
    return made
}

/// The destructor of an entry.
///
/// As in libtevent, the trace is notified of the entry's end while it is still in its queue, through the context of the
/// queue's first entry.
private func destroyEntry(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let entry = chunk!.assumingMemoryBound(to: EntryRecord.self)
    if let first = entry.pointee.queue?.pointee.entries.first,
        let ev = first.pointee.events.tallocHandle.object.map({ OpaquePointer($0) })
    {
        tevent_trace_queue_callback(ev, OpaquePointer(entry), TEVENT_EVENT_TRACE_DETACH)
    }
    if CallDepth.isWatched { CallDepth.tellOfQueue(TEVENT_CALL_FLOW_REQ_QUEUE_LEAVE, entry) }
    return EntryRecord.destructor(chunk)
}

extension CallDepth {
    /// Reports what happens to a request in a queue: calls the function each time, but changes the number only sometimes.
    fileprivate static func tellOfQueue(
        _ command: tevent_thread_call_depth_cmd, _ entry: EntryPointer, setsDepth: Bool = false
    ) {
        // The request was freed if the entry has been moved away from it.
        guard let request = entry.pointee.request.tallocHandle.object.map({ OpaquePointer($0) }) else { return }
        tell(command, RequestPointer(request), entry.c.pointee.triggerName, setsNumber: setsDepth)
    }
}

@c @implementation
package func tevent_queue_add(
    _ queue: OpaquePointer?, _ ev: OpaquePointer?, _ req: OpaquePointer?, _ trigger: tevent_queue_trigger_fn_t?,
    _ private_data: UnsafeMutableRawPointer?
) -> Bool {
    _tevent_queue_add(queue, ev, req, trigger, nil, private_data)
}

@c @implementation
package func _tevent_queue_add(
    _ queue: OpaquePointer?, _ ev: OpaquePointer?, _ req: OpaquePointer?, _ trigger: tevent_queue_trigger_fn_t?,
    _ trigger_name: UnsafePointer<CChar>?, _ private_data: UnsafeMutableRawPointer?
) -> Bool {
    add(req, to: record(queue, .queue), on: ev, trigger, trigger_name, private_data) != nil
}

@c @implementation
package func tevent_queue_add_entry(
    _ queue: OpaquePointer?, _ ev: OpaquePointer?, _ req: OpaquePointer?, _ trigger: tevent_queue_trigger_fn_t?,
    _ private_data: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    _tevent_queue_add_entry(queue, ev, req, trigger, nil, private_data)
}

@c @implementation
package func _tevent_queue_add_entry(
    _ queue: OpaquePointer?, _ ev: OpaquePointer?, _ req: OpaquePointer?, _ trigger: tevent_queue_trigger_fn_t?,
    _ trigger_name: UnsafePointer<CChar>?, _ private_data: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    add(req, to: record(queue, .queue), on: ev, trigger, trigger_name, private_data)
}

@c @implementation
package func tevent_queue_add_optimize_empty(
    _ queue: OpaquePointer?, _ ev: OpaquePointer?, _ req: OpaquePointer?, _ trigger: tevent_queue_trigger_fn_t?,
    _ private_data: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    _tevent_queue_add_optimize_empty(queue, ev, req, trigger, nil, private_data)
}

@c @implementation
package func _tevent_queue_add_optimize_empty(
    _ queue: OpaquePointer?, _ ev: OpaquePointer?, _ req: OpaquePointer?, _ trigger: tevent_queue_trigger_fn_t?,
    _ trigger_name: UnsafePointer<CChar>?, _ private_data: UnsafeMutableRawPointer?
) -> OpaquePointer? {
    add(req, to: record(queue, .queue), on: ev, trigger, trigger_name, private_data, startsAtOnce: true)
}

// MARK: Entries

@c @implementation
package func tevent_queue_entry_untrigger(_ queue_entry: OpaquePointer?) {
    let entry = entry(queue_entry)
    guard let queue = entry.pointee.queue, queue.pointee.entries.first == entry else {
        abort("a queue entry was untriggered that is not the first of its queue")
    }
    guard !queue.pointee.isRunning else {
        abort("the queue '\(queue.pointee.label)' must be stopped before its first entry is untriggered")
    }
    entry.pointee.isTriggered = false
}

@c @implementation
package func tevent_queue_entry_set_tag(_ queue_entry: OpaquePointer?, _ tag: UInt64) {
    guard queue_entry != nil else { return }
    entry(queue_entry).tag(tag)
}

@c @implementation
package func tevent_queue_entry_get_tag(_ queue_entry: OpaquePointer?) -> UInt64 {
    queue_entry == nil ? 0 : entry(queue_entry).pointee.prefix.tag
}

// MARK: Running

@c @implementation
package func tevent_queue_start(_ queue: OpaquePointer?) {
    let queue: QueuePointer = record(queue, .queue)
    // A running queue keeps its place among the immediates.
    if !queue.pointee.isRunning { queue.setRunning(true) }
}

@c @implementation
package func tevent_queue_stop(_ queue: OpaquePointer?) { (record(queue, .queue) as QueuePointer).setRunning(false) }

@c @implementation
package func tevent_queue_length(_ queue: OpaquePointer?) -> Int {
    (record(queue, .queue) as QueuePointer).pointee.length
}

@c @implementation
package func tevent_queue_running(_ queue: OpaquePointer?) -> Bool {
    (record(queue, .queue) as QueuePointer).pointee.isRunning
}

// MARK: Waiting

/// Where the requests below are created, for reports.
private let here: StaticString = "tevent_queue_wait_send"

@c @implementation
package func tevent_queue_wait_send(
    _ mem_ctx: UnsafeMutableRawPointer?, _ ev: OpaquePointer?, _ queue: OpaquePointer?
) -> OpaquePointer? {
    _ = context(ev)
    let queue: QueuePointer = record(queue, .queue)
    var state: UnsafeMutableRawPointer?
    let type: StaticString = "struct tevent_queue_wait_state"
    guard let req = __tevent_req_create(mem_ctx, &state, 1, type.cString, here.cString, here.cString) else {
        return nil
    }
    let name = StaticString("tevent_queue_wait_trigger").cString
    guard add(req, to: queue, on: ev, { req, _ in _tevent_req_done(req, here.cString) }, name, nil) != nil else {
        _tevent_req_oom(req, here.cString)
        return tevent_req_post(req, ev)
    }
    return req
}

@c @implementation
package func tevent_queue_wait_recv(_ req: OpaquePointer?) -> Bool {
    let isDone = (record(req, .request) as RequestPointer).pointee.status == .done
    tevent_req_received(req)
    return isDone
}
