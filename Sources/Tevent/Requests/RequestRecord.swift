import CTalloc
import Talloc

/// What a request calls when it ends.
///
/// A struct around the closure, because Swift keeps a bare closure in an optional behind another one, which it allocates.
@usableFromInline
struct RequestCallback {
    @usableFromInline let run: (AnyRequest) -> Void
}

typealias RequestPointer = UnsafeMutablePointer<RequestRecord>

/// What a request is: a record in a talloc chunk, whose stock also serves the chunk of its state.
///
///     struct tevent_req ── record: status, callback, failure, place in a queue
///      └─ Foo ─────────── the state: a Swift value, in the same piece of memory
///
/// What only some requests need is in `extras`, made when first asked for.
struct RequestRecord {
    static let name: StaticString = "struct tevent_req"

    /// Where it was made, and its place among the immediates of the context it was posted on.
    var scheduled: Scheduled
    /// The chunk of the state, a child; nil once the request has been received, stale if somebody has freed it.
    var state: TallocHandle?
    /// Nil once the request has ended and it has been called.
    var callback: RequestCallback?
    var failure = RequestFailure.none
    /// What it waits with for a descriptor: a child, which goes when the request ends.
    var event: FDEvent?
    var finishFile: UnsafePointer<CChar>?
    var extras: RequestExtras?
    var finishLine: UInt32 = 0
    var status = RequestStatus.inProgress
    /// Where the request waits for its callback to be called.
    var queue = Queue.none
    /// Being received frees what is below the request, and that may try to free the request too: not now, but then.
    var isBeingReceived = false
    /// Whether it was ever added to a queue: then its places are among its children.
    var hasPlaces = false
    var freeWhenReceived = false

    enum Queue: UInt8 {
        case none
        /// Among the immediates of a context: it was posted.
        case context
        /// Among those whose callbacks are due when the stack has unwound.
        case callbacks
    }

    init(slot: HandleSlotPointer, state: TallocHandle, file: StaticString, line: UInt32) {
        self.state = state
        scheduled = Scheduled(prefix: EventPrefix(slot: slot, context: nil, file: file.cString, line: line))
    }
}

/// What making a request has to know of its state's type.
@usableFromInline
struct StateLayout {
    let size: Int
    let name: UnsafePointer<CChar>
    let storage: any ValueStorage.Type

    @usableFromInline
    init(size: Int, name: UnsafePointer<CChar>, storage: any ValueStorage.Type) {
        self.size = size
        self.name = name
        self.storage = storage
    }
}

/// What few requests have.
final class RequestExtras {
    var cancel: ((AnyRequest) -> Bool)?
    var cleanup: ((AnyRequest, RequestStatus) -> Void)?
    var print: ((AnyRequest) -> String)?
    var endTimer: TimerEvent?
    var callbackData: TallocHandle?
    /// The context on which the callback is to be posted.
    var deferral: EventContext?
    var profile: RequestProfile?
}

extension RequestPointer {
    /// Makes a request and the chunk of its state, whose value must be initialised at once.
    ///
    /// - Throws: ``TallocError/outOfMemory(name:)``; nothing is left behind.
    static func make(
        _ state: StateLayout, under parent: TallocHandle, _ parentChunk: UnsafeMutableRawPointer, file: StaticString,
        line: UInt32
    ) throws(TallocError) -> RequestPointer {
        let memory = _talloc_pooled_object(
            parentChunk, MemoryLayout<RequestRecord>.size, RequestRecord.name.cString, 1, state.size)
        let slot = try acquireSlot(for: memory, name: RequestRecord.name.cString, kind: .request)
        let chunk = memory.unsafelyUnwrapped
        do throws(TallocError) {
            let stateChunk = try makeTypedChunk(
                size: state.size, name: state.name, storage: state.storage, under: chunk)
            let request = chunk.initializeMemory(
                as: RequestRecord.self,
                to: RequestRecord(slot: slot, state: TallocHandle(objectAt: stateChunk), file: file, line: line))
            _talloc_set_destructor(chunk, destroyRequest)
            request.joinProfile(of: parent)
            return request
        } catch {
            slot.release()
            freeChunk(chunk)
            throw error
        }
    }

    var handle: TallocHandle { TallocHandle(slot: pointee.scheduled.prefix.slot) }

    var scheduled: ScheduledPointer { ScheduledPointer(OpaquePointer(self)) }

    /// The rare properties, made if need be.
    var extras: RequestExtras {
        if let extras = pointee.extras { return extras }
        let extras = RequestExtras()
        pointee.extras = extras
        return extras
    }

    var origin: String { pointee.scheduled.prefix.origin }

    /// Where it ended, or "the loop" when it timed out there.
    var finishOrigin: String {
        pointee.finishFile.map { "\(String(cString: $0)):\(pointee.finishLine)" } ?? "the loop"
    }

    // MARK: Ending

    // snippet: finish
    /// Ends a request in progress: cleanup first, then the callback, at once or from the loop.
    ///
    /// Both may free the request, so nothing is touched after either without a look at the handle.
    func finish(_ status: RequestStatus, _ failure: RequestFailure = .none, file: StaticString?, line: UInt32) {
        pointee.status = status
        pointee.failure = failure
        pointee.finishFile = file?.cString
        pointee.finishLine = line
        if let event = pointee.event.take(), !event.isFreed {
            let handle = handle
            event.free()
            // A trace may have freed the request.
            guard !handle.isStale else { return }
        }
        if let extras = pointee.extras {
            let handle = handle
            extras.endTimer.take()?.freeIfThere()
            // A trace may have freed the request.
            guard !handle.isStale else { return }
            extras.profile?.stop(self)
            cleanUp()
            // It may also have posted the request; then the loop calls.
            guard !handle.isStale, pointee.queue != .context else { return }
            if let events = extras.deferral.take() {
                if !events.isFreed, pointee.status != .received { post(on: events.record("deferCallback(on:)")) }
                return
            }
        }
        notify()
    }
    // snippet-end: finish

    /// Calls the cleanup function; each status comes once, so it hears of each only once.
    func cleanUp() {
        guard let cleanup = pointee.extras?.cleanup else { return }
        cleanup(AnyRequest(self), pointee.status)
    }

    /// Calls the callback, or notes that it is due when too many run inside each other.
    ///
    /// The callback is still there while the cleanup function hears that the request is received, but not called any more.
    func notify() {
        guard pointee.callback != nil, pointee.status != .received else { return }
        if CallbackDepth.isBelowLimit {
            CallbackDepth.run(callbackToCall.unsafelyUnwrapped, AnyRequest(self))
        } else {
            leaveQueue()
            pointee.queue = .callbacks
            CallbackDepth.note(scheduled)
        }
    }

    /// The callback: for a request that has ended taken out, since nobody calls it again, and the record may be gone
    /// before it returns.
    var callbackToCall: RequestCallback? {
        pointee.status == .inProgress ? pointee.callback : pointee.callback.take()
    }

    // MARK: Waiting for the callback

    func post(on context: ContextPointer) {
        leaveQueue()
        pointee.queue = .context
        scheduled.append(to: context)
    }

    /// The loop has come to a posted request.
    func deliver() {
        leaveQueue()
        notify()
    }

    func leaveQueue() {
        switch pointee.queue {
        case .none: return
        case .callbacks: CallbackDepth.forget(scheduled)
        case .context:
            if let context = pointee.scheduled.prefix.context { scheduled.remove(from: context) }
        }
        pointee.queue = .none
    }

    // MARK: Receiving

    /// Lets go all that belonged to the work.
    func receive() {
        guard pointee.status != .received else { return }
        let handle = handle
        pointee.status = .received
        leaveQueue()
        pointee.extras?.profile?.stop(self)
        cleanUp()
        guard !handle.isStale else { return }
        pointee.isBeingReceived = true
        let callback = pointee.callback.take()
        freeChildren()
        pointee.state = nil
        pointee.isBeingReceived = false
        withExtendedLifetime(callback) {}
        if !handle.isStale, pointee.freeWhenReceived { freeChunk(self) }
    }

    /// Frees what is below the request, but not its places in queues, which it holds until it is freed itself.
    private func freeChildren() {
        guard pointee.hasPlaces else {
            talloc_free_children(self)
            return
        }
        // One by one: a place that is moved away and back would be counted twice by libtalloc's memory limits.
        for child in AnyRequest(self).children.reversed() where !child.isFreed && !isPlace(child) { child.free() }
    }

    private func isPlace(_ child: TallocContext) -> Bool {
        guard child.tallocHandle.slot.isOf(.queueEntry) else { return false }
        let entry = child.chunk("receive()").assumingMemoryBound(to: EntryRecord.self)
        return entry.pointee.request.tallocHandle == handle
    }
}

/// What libtalloc calls when a request is about to be freed; -1 keeps it, for a moment.
private func destroyRequest(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let request = chunk!.assumingMemoryBound(to: RequestRecord.self)
    if request.pointee.isBeingReceived {
        request.pointee.freeWhenReceived = true
        return -1
    }
    // Its work is over, whatever became of it; the state is still there for the cleanup function.
    if request.pointee.status != .received {
        request.pointee.status = .received
        request.pointee.extras?.profile?.stop(request)
        request.cleanUp()
    }
    request.leaveQueue()
    // From here on the handles are stale, so whatever the deinit of what the record holds does finds the request gone.
    request.pointee.scheduled.prefix.slot.release()
    request.deinitialize(count: 1)
    return 0
}
