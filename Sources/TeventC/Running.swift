import CTalloc
import CTevent
import Talloc
import Tevent

// A C handler may free its own event and go on using it, or what hangs below it: the event leaves the loop at once, but
// its memory goes only when the handler has returned. So the destructor of a C event refuses while its handler runs, and
// notes that somebody wanted to free it.

/// Gives a new event the destructor of those that C programs make.
@inline(__always)
func setDestructor(of event: OpaquePointer?) {
    if let event { _talloc_set_destructor(event.chunk, destroyEvent) }
}

/// A handler that runs; those of one thread are a list on its stack, the innermost first.
private struct RunningCall {
    let event: UnsafeMutableRawPointer
    /// The context whose trace has not heard yet that an immediate has left it: in C it hears that when the handler has
    /// returned, or schedules its immediate anew.
    var untold: TallocHandle?
    /// Whether somebody wanted to free the event.
    var isFreed = false
    let outer: UnsafeMutablePointer<RunningCall>?
}

/// Where the list of the running handlers begins in this thread.
private var innermostCall: UnsafeMutablePointer<RunningCall>? {
    @inline(__always) get { ctevent_running_here().pointee?.assumingMemoryBound(to: RunningCall.self) }
    @inline(__always) set { ctevent_running_here().pointee = UnsafeMutableRawPointer(newValue) }
}

/// Runs a handler of an event, and frees the event afterwards if the handler has done so, or if `isOver`.
///
/// - Parameter left: The context that an immediate has left, if its trace has not been told.
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
    // A handler that runs its loop may be called inside itself: then the outer call frees the event.
    if let outer = runningCall(of: event) {
        if call.isFreed { outer.pointee.isFreed = true }
    } else {
        // As in C, a destructor that the program has set is not called when the loop frees an event.
        _talloc_set_destructor(event.chunk, destroyEvent)
        freeChunk(event.chunk)
    }
}

/// The innermost call of an event's handler.
private func runningCall(of event: OpaquePointer) -> UnsafeMutablePointer<RunningCall>? {
    var running = innermostCall
    while let call = running, call.pointee.event != event.chunk { running = call.pointee.outer }
    return running
}

extension UnsafeMutablePointer<RunningCall> {
    /// Lets the trace hear that the immediate has left its loop, if it has not yet.
    @inline(__always)
    fileprivate func tellLeaving() {
        guard let context = pointee.untold else { return }
        pointee.untold = nil
        guard let ev = context.object.map({ OpaquePointer($0) }) else { return }
        tevent_trace_immediate_callback(ev, OpaquePointer(pointee.event), TEVENT_EVENT_TRACE_DETACH)
    }
}

/// Lets the trace hear that an immediate whose handler runs has left its loop, if it has not yet.
func traceLeavingIfRunning(_ im: OpaquePointer) { runningCall(of: im)?.tellLeaving() }

/// What libtalloc calls when a C program's event is about to be freed.
func destroyEvent(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let event = OpaquePointer(chunk!)
    if let call = runningCall(of: event) { return refuse(event, call) }
    switch event.slot.kind {
    case .timer: return TimerRecord.destructor(chunk)
    case .immediate: return ImmediateRecord.destructor(chunk)
    case .signal: return SignalRecord.destructor(chunk)
    case .descriptor:
        // Its close function still finds the event.
        FDPointer(event).leaveAndClose()
        return FDRecord.destructor(chunk)
    default: return 0
    }
}

// snippet: refuse
/// Lets an event leave its loop whose handler runs, but not its memory.
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

/// Takes an event out of its loop, whatever kind it is.
func leaveLoop(_ event: OpaquePointer) {
    switch event.slot.kind {
    case .timer: TimerPointer(event).detach()
    case .immediate: ImmediatePointer(event).detach()
    case .signal: SignalPointer(event).detach()
    case .descriptor: FDPointer(event).detach()
    default: break
    }
}
