import CTalloc
import CTevent
import Talloc
import Tevent

// A C handler may free its own event and go on using it, or what hangs below it: the event leaves the loop at once, but
// its memory goes only when the handler has returned. So while a handler runs, its event has another destructor, which
// refuses, and notes that somebody wanted to free it.

/// Runs a handler of an event.
///
/// - Returns: Whether the handler has freed the event, whose memory is still there.
@inline(__always)
private func run(
    _ event: OpaquePointer, _ extras: ContextExtras?,
    _ destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt, _ body: () -> Void
) -> Bool {
    let here = ctevent_running_here()!
    return withUnsafeTemporaryAllocation(of: ctevent_running.self, capacity: 1) { place in
        let running = place.baseAddress.unsafelyUnwrapped
        let kept = extras.map { Unmanaged.passUnretained($0).toOpaque() }
        running.initialize(
            to: ctevent_running(event: event.chunk, extras: kept, is_freed: false, outer: here.pointee))
        here.pointee = running
        _talloc_set_destructor(event.chunk, refuse)
        body()
        here.pointee = running.pointee.outer
        _talloc_set_destructor(event.chunk, destructor)
        return running.pointee.is_freed
    }
}

/// Runs a handler of an event, and frees the event afterwards if the handler has done so, or if `isOver`.
///
/// - Returns: Whether the event is gone.
@inline(__always)
@discardableResult
func runHandler<Record: EventRecord & ~Copyable>(
    of event: OpaquePointer, _ type: Record.Type, extras: ContextExtras? = nil, isOver: Bool = false,
    _ body: () -> Void
) -> Bool {
    // A handler that runs its loop may be called inside itself: then the outer call frees the event.
    if isRunning(event) {
        body()
        return false
    }
    guard run(event, extras, Record.destructor, body) || isOver else { return false }
    freeChunk(event.chunk)
    return true
}

private func isRunning(_ event: OpaquePointer) -> Bool { find(event.chunk) != nil }

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

// snippet: refuse
/// The destructor of an event whose handler runs.
private func refuse(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    // Moved to another thread's tree, or freed there, it cannot be told apart from one that does not run.
    guard let running = find(chunk) else { return 0 }
    if running.pointee.is_freed {
        tevent_common_check_double_free(chunk, StaticString("an event was freed twice while its handler runs").cString)
    }
    running.pointee.is_freed = true
    let event = OpaquePointer(chunk!)
    if event.slot.isOf(.descriptor) { FDPointer(event).close() } else { leaveLoop(event) }
    traceLeavingIfRunning(OpaquePointer(chunk!))
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
