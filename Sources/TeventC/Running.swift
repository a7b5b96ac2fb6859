import CTalloc
import CTevent
import Talloc
import Tevent

// A C handler may free its own event and keep using it, or what is below it. The event leaves the loop immediately, but
// its memory is freed only after the handler has returned. Therefore the destructor of a C event refuses while the
// event's handler runs, and notes that the event must be freed.

/// Gives a new event the destructor for events that C programs create.
@inline(__always)
func setDestructor(of event: OpaquePointer?) {
    if let event { _talloc_set_destructor(event.chunk, destroyEvent) }
}

/// A handler that runs; those of one thread form a list on its stack, the innermost first.
private struct RunningCall {
    let event: UnsafeMutableRawPointer
    /// The context whose trace has not yet been notified that an immediate has left it.
    ///
    /// In C that happens when the handler has returned, or schedules its immediate again.
    var untold: TallocHandle?
    /// Whether the program tried to free the event.
    var isFreed = false
    let outer: UnsafeMutablePointer<RunningCall>?
}

/// The start of the list of this thread's running handlers.
private var innermostCall: UnsafeMutablePointer<RunningCall>? {
    @inline(__always) get { ctevent_running_here().pointee?.assumingMemoryBound(to: RunningCall.self) }
    @inline(__always) set { ctevent_running_here().pointee = UnsafeMutableRawPointer(newValue) }
}

/// Runs a handler of an event, and then frees the event if the handler tried to, or if `isOver`.
///
/// - Parameter left: The context that an immediate has left, if its trace has not been notified.
@inline(__always)
func runHandler(
    of event: OpaquePointer, left: TallocHandle? = nil, isOver: Bool = false, _ body: () -> Void
) {
    var call = RunningCall(event: event.chunk, untold: left, outer: innermostCall)
    withUnsafeMutablePointer(to: &call) { call in
        innermostCall = call
        body()
        call.tellLeaving()
        innermostCall = call.pointee.outer
    }
    guard call.isFreed || isOver else { return }
    // A handler that runs its context's loop may be called recursively; the outer call then frees the event.
    if let outer = runningCall(of: event) {
        if call.isFreed { outer.pointee.isFreed = true }
    } else {
        // As in C, the loop frees an event without calling a destructor that the program has set.
        _talloc_set_destructor(event.chunk, destroyEvent)
        freeChunk(event.chunk)
    }
}

/// The innermost running call of an event's handler.
private func runningCall(of event: OpaquePointer) -> UnsafeMutablePointer<RunningCall>? {
    var running = innermostCall
    while let call = running, call.pointee.event != event.chunk { running = call.pointee.outer }
    return running
}

extension UnsafeMutablePointer<RunningCall> {
    /// Notifies the trace that the immediate has left its loop, if that has not happened yet.
    @inline(__always)
    fileprivate func tellLeaving() {
        guard let context = pointee.untold else { return }
        pointee.untold = nil
        guard let ev = context.object.map({ OpaquePointer($0) }) else { return }
        tevent_trace_immediate_callback(ev, OpaquePointer(pointee.event), TEVENT_EVENT_TRACE_DETACH)
    }
}

/// Notifies the trace that an immediate whose handler runs has left its loop, if that has not happened yet.
func traceLeavingIfRunning(_ im: OpaquePointer) { runningCall(of: im)?.tellLeaving() }

/// Called by libtalloc when a C program's event is about to be freed.
func destroyEvent(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let event = OpaquePointer(chunk!)
    if let call = runningCall(of: event) { return refuse(event, call) }
    // Comparing with one kind after another costs less than reading the kind.
    if event.slot.isOf(.timer) { return TimerRecord.destructor(chunk) }
    if event.slot.isOf(.immediate) { return ImmediateRecord.destructor(chunk) }
    if event.slot.isOf(.descriptor) {
        // The close function still finds the event.
        FDPointer(event).leaveAndClose()
        return FDRecord.destructor(chunk)
    }
    return event.slot.isOf(.signal) ? SignalRecord.destructor(chunk) : 0
}

// snippet: refuse
/// Takes an event whose handler runs out of its loop, but keeps its memory.
private func refuse(_ event: OpaquePointer, _ call: UnsafeMutablePointer<RunningCall>) -> CInt {
    if call.pointee.isFreed {
        checkDoubleFree(event.chunk, "an event was freed twice while its handler runs")
        return -1
    }
    call.pointee.isFreed = true
    if event.slot.isOf(.descriptor) { FDPointer(event).leaveAndClose() } else { leaveLoop(event) }
    call.tellLeaving()
    return -1
}
// snippet-end: refuse

/// Takes an event of any kind out of its loop.
func leaveLoop(_ event: OpaquePointer) {
    switch event.slot.kind {
    case .timer: TimerPointer(event).detach()
    case .immediate: ImmediatePointer(event).detach()
    case .signal: SignalPointer(event).detach()
    case .descriptor: FDPointer(event).detach()
    default: break
    }
}
