// swift-format-ignore-file: NoLeadingUnderscores
import CTalloc
import CTevent
import Glibc
import Talloc
import Tevent

// A queue of a C program has an immediate of its own, a child, which is scheduled anew whenever the first entry may be
// started: so it is behind all that the program has scheduled until then, as with libtevent, a program's own backend and
// its traces hear of it, and it goes through a wrapper if the entry was added through one.

/// What lies behind the engine's record of a queue.
private struct CQueue {
    let end: ChunkGuard.Pointer
    let immediate: OpaquePointer
    let location: UnsafePointer<CChar>?
    /// The wrapper of the entry for which the immediate was scheduled last.
    var wrapper: TallocHandle?
}

/// What lies behind the engine's record of an entry.
private struct CEntry {
    let trigger: tevent_queue_trigger_fn_t?
    let triggerName: UnsafePointer<CChar>?
    let data: UnsafeMutableRawPointer?
    /// The wrapper that the entry was added through.
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

/// Lets the loop start the first entry of a queue.
private func scheduleStart(_ first: UnsafeMutableRawPointer) {
    let first = first.assumingMemoryBound(to: EntryRecord.self)
    guard let queue = first.pointee.queue else { return }
    let wrapper = first.c.pointee.wrapper
    // A wrapper may be gone, and then nobody starts what was added through it.
    guard let ev = (wrapper ?? first.pointee.events.tallocHandle).object.map({ OpaquePointer($0) }) else { return }
    let (immediate, location) = (queue.c.pointee.immediate, queue.c.pointee.location)
    // The short way, when more is added to a queue that is to be started anyway.
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

/// Adds a request to a queue; nil with `errno` set when there is no memory.
private func add(
    _ req: OpaquePointer?, to queue: QueuePointer, on ev: OpaquePointer?, _ function: tevent_queue_trigger_fn_t?,
    _ name: UnsafePointer<CChar>?, _ data: UnsafeMutableRawPointer?, startsAtOnce: Bool = false,
    call: StaticString = #function
) -> OpaquePointer? {
    let request: RequestPointer = record(req, .request, call)
    let events = EventContext(context(ev, call))
    let made = object { () throws(TeventError) in
        // An entry is known by its trigger, since nobody says where it is made.
        try EntryPointer.make(
            for: request, on: events, file: place(name), line: 0, behind: MemoryLayout<CEntry>.size
        ).handle
    }
    guard let made else { return nil }
    let entry = EntryPointer(made)
    entry.c.initialize(to: CEntry(trigger: function, triggerName: name, data: data, wrapper: wrapper(ev)))
    _talloc_set_destructor(made.chunk, destroyEntry)
    if CallDepth.isWatched { CallDepth.tellOfQueue(TEVENT_CALL_FLOW_REQ_QUEUE_ENTER, entry) }
    // Who has said what is to be called in the end expects nothing before the loop runs.
    queue.add(entry, of: request, startsAtOnce: startsAtOnce && request.c.pointee.callback == nil)
    return made
}

/// The destructor of an entry: the program hears of its end while it is still in its queue, and from the context of the
/// queue's first entry, as with libtevent.
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
    /// Tells what becomes of a request in a queue; only a function hears of all, the number changes with few.
    fileprivate static func tellOfQueue(
        _ command: tevent_thread_call_depth_cmd, _ entry: EntryPointer, setsDepth: Bool = false
    ) {
        // The request is gone if somebody has moved the entry away from it.
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
    entry(queue_entry).pointee.prefix.tag = tag
}

@c @implementation
package func tevent_queue_entry_get_tag(_ queue_entry: OpaquePointer?) -> UInt64 {
    queue_entry == nil ? 0 : entry(queue_entry).pointee.prefix.tag
}

// MARK: Running

@c @implementation
package func tevent_queue_start(_ queue: OpaquePointer?) {
    let queue: QueuePointer = record(queue, .queue)
    // A queue that runs keeps its place among the immediates.
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

/// Where the requests below are made, as reports show it.
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
