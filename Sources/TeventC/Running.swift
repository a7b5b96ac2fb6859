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

/// Runs a handler of an event, and frees the event afterwards if the handler has done so, or if `isOver`.
@inline(__always)
func runHandler(
    of event: OpaquePointer, extras: ContextExtras? = nil, isOver: Bool = false, _ body: () -> Void
) {
    let here = ctevent_running_here()!
    let isFreed = withUnsafeTemporaryAllocation(of: ctevent_running.self, capacity: 1) { place in
        let running = place.baseAddress.unsafelyUnwrapped
        let kept = extras.map { Unmanaged.passUnretained($0).toOpaque() }
        running.initialize(
            to: ctevent_running(event: event.chunk, extras: kept, is_freed: false, outer: here.pointee))
        here.pointee = running
        body()
        here.pointee = running.pointee.outer
        return running.pointee.is_freed
    }
    guard isFreed || isOver else { return }
    // A handler that runs its loop may be called inside itself: then the outer call frees the event.
    if let outer = find(event.chunk) {
        if isFreed { outer.pointee.is_freed = true }
    } else {
        freeChunk(event.chunk)
    }
}

/// The innermost call of an event's handler.
private func find(_ event: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<ctevent_running>? {
    var running = ctevent_running_here()!.pointee
    while let call = running, call.pointee.event != event { running = call.pointee.outer }
    return running
}

/// Lets the trace hear that an immediate whose handler runs has left its loop, if it has not yet.
func traceLeavingIfRunning(_ im: OpaquePointer) {
    guard let extras = find(im.chunk)?.pointee.extras else { return }
    Unmanaged<ContextExtras>.fromOpaque(extras).takeUnretainedValue().traceLeaving(im)
}

/// What libtalloc calls when a C program's event is about to be freed.
func destroyEvent(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let event = OpaquePointer(chunk!)
    if let running = find(chunk) { return refuse(event, running) }
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
private func refuse(_ event: OpaquePointer, _ running: UnsafeMutablePointer<ctevent_running>) -> CInt {
    if running.pointee.is_freed {
        checkDoubleFree(event.chunk, "an event was freed twice while its handler runs")
        return -1
    }
    running.pointee.is_freed = true
    if event.slot.isOf(.descriptor) { FDPointer(event).leaveAndClose() } else { leaveLoop(event) }
    traceLeavingIfRunning(event)
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
