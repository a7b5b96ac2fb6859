import CTalloc
import Talloc

/// What a request calls when it ends: a closure that takes one request, or two where it was set with an owner.
///
/// A struct around the closure, because Swift keeps a bare closure in an optional behind another one, which it allocates.
@usableFromInline
package struct RequestCallback {
    @usableFromInline let run: (AnyRequest) -> Void

    package init(run: @escaping (AnyRequest) -> Void) { self.run = run }
}

/// The same words, as what they are where a callback was set with an owner.
private struct CallbackWithOwner {
    let run: (AnyRequest, AnyRequest) -> Void
}

package typealias RequestPointer = UnsafeMutablePointer<RequestRecord>

/// What a request is: a record in a talloc chunk, with the state behind it.
///
/// What only some requests need is in `extras`, made when first asked for.
@usableFromInline
package struct RequestRecord: ObjectRecord {
    package static let name: StaticString = "struct tevent_req"
    /// A closure, since the compiler inlines nothing into a function that it has to make a C function of.
    fileprivate static let destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { destroyRequest($0) }
    fileprivate static let act: ScheduledAct = { object, leftBehind in
        let request = object.unsafelyUnwrapped.assumingMemoryBound(to: RequestRecord.self)
        if leftBehind == nil { request.deliver() } else { request.leaveQueue() }
    }
    @inlinable package static var kinds: ObjectKinds { ObjectKinds(.request) }
    @inlinable package static var description: StaticString { "a request" }

    /// Where it was made, and its place among the immediates of the context it was posted on, if it waits there.
    package var scheduled: Scheduled
    /// Knows the state.
    let storage: any ValueStorage.Type
    /// Reports look here, and at the storage, for the type of a state that lies behind the record.
    var statePlace = StatePlace.request
    /// True while the state is being changed in place, wherever that is.
    var isStateBeingChanged = false
    /// False for a state that is plain bytes: it needs no release.
    let isStateOwner: Bool
    package internal(set) var status = RequestStatus.inProgress
    /// Being received frees what is below the request, and that may try to free the request too: not now, but then.
    var isBeingReceived = false
    var freeWhenReceived = false
    /// Whether it was ever added to a queue: then its places are among its children.
    var hasPlaces = false
    /// Whether the callback was set with an owner, and gets it.
    var callbackTakesData = false
    var finishLine: UInt32 = 0
    package var finishFile: UnsafePointer<CChar>?
    /// Nil once the request has ended and it has been called.
    package var callback: RequestCallback?
    /// What the callback may ask for; it does not belong to the request.
    var callbackData: TallocHandle?
    package internal(set) var failure = RequestFailure.none
    /// What it waits with for a descriptor: a child, which goes when the request ends, or lent by who holds that.
    var event: FDEvent?
    package internal(set) var extras: RequestExtras?

    init(slot: HandleSlotPointer, state: StateLayout, file: UnsafePointer<CChar>, line: UInt32) {
        storage = state.storage
        isStateOwner = state.isOwner
        scheduled = Scheduled(prefix: EventPrefix(slot: slot, file: file, line: line))
    }

    /// Whether any property needs releasing; rarely true when a request is freed.
    ///
    /// A property that owns something must be added here, or it leaks: freeing a request asks this first, because releasing
    /// empty properties costs a tenth of a request's life.
    var holdsAnything: Bool { callback != nil || extras != nil || failure.isError }
}

/// What making a request has to know of its state's type.
@usableFromInline
package struct StateLayout {
    /// How many bytes it needs.
    let room: Int
    /// Whether it holds anything that is to be let go.
    let isOwner: Bool
    let storage: any ValueStorage.Type

    @inlinable
    package init<State>(of type: State.Type) {
        self.init(room: Storage<State>.room, isOwner: !_isPOD(State.self), storage: Storage<State>.self)
    }

    @usableFromInline
    init(room: Int, isOwner: Bool, storage: any ValueStorage.Type) {
        self.room = room
        self.isOwner = isOwner
        self.storage = storage
    }
}

/// What few requests have.
package final class RequestExtras {
    var cancel: ((AnyRequest) -> Bool)?
    package var cleanup: ((AnyRequest, RequestStatus) -> Void)?
    var print: ((AnyRequest) -> String)?
    package var endTimer: TimerEvent?
    /// The chunk that the state has moved to; stale once it is freed.
    var state: TallocHandle?
    /// The context on which the callback is to be posted.
    package var deferral: EventContext?
    var profile: RequestProfile?
}

extension RequestPointer {
    /// Makes a request, whose state must be initialised at once; nil when there is no memory, and nothing is left then.
    ///
    /// - Parameters:
    ///   - children: How many children will be made; their memory is allocated together with the request's.
    ///   - childSize: The total size of these children.
    ///   - destructor: What libtalloc calls when the request is about to be freed, instead of our own destructor.
    @inline(__always)
    package static func make(
        _ state: StateLayout, under parent: UnsafeMutableRawPointer?, file: UnsafePointer<CChar>, line: UInt32,
        children: UInt32 = 0, childSize: Int = 0,
        destructor: (@convention(c) (UnsafeMutableRawPointer?) -> CInt)? = nil
    ) -> RequestPointer? {
        let size = MemoryLayout<RequestRecord>.stride + state.room
        let name = RequestRecord.name.cString
        let made =
            children == 0
            ? allocatePrivateChunk(size: size, name: name, under: parent)
            : allocatePool(size: size, objects: children, bytes: childSize, name: name, under: parent)
        guard let chunk = made, let slot = try? acquireSlot(for: chunk, name: name, kind: .request) else { return nil }
        assert(MemoryLayout<RequestRecord>.offset(of: \.storage) == RequestLayout.storage)
        assert(MemoryLayout<RequestRecord>.offset(of: \.statePlace) == RequestLayout.statePlace)
        let request = chunk.initializeMemory(
            as: RequestRecord.self, to: RequestRecord(slot: slot, state: state, file: file, line: line))
        _talloc_set_destructor(chunk, destructor ?? RequestRecord.destructor)
        return request
    }

    package var handle: TallocHandle { TallocHandle(slot: pointee.scheduled.prefix.slot) }

    var scheduled: ScheduledPointer { ScheduledPointer(OpaquePointer(self)) }

    /// The rare properties, made if need be.
    package var extras: RequestExtras {
        if let extras = pointee.extras { return extras }
        let extras = RequestExtras()
        pointee.extras = extras
        return extras
    }

    package var origin: String { pointee.scheduled.prefix.origin }
    /// The file, or the location, where it was made.
    package var madeAt: UnsafePointer<CChar> { pointee.scheduled.prefix.file }

    /// Where it ended, or "the loop" when it timed out there.
    var finishOrigin: String {
        pointee.finishFile.map { "\(String(cString: $0)):\(pointee.finishLine)" } ?? "the loop"
    }

    // MARK: Ending

    // snippet: finish
    /// Ends a request in progress: cleanup first, then the callback, at once or from the loop.
    ///
    /// Both may free the request, so nothing is touched after either without a look at the handle.
    @inline(__always)
    package func finish(_ status: RequestStatus, file: UnsafePointer<CChar>?, line: UInt32) {
        pointee.status = status
        pointee.finishFile = file
        pointee.finishLine = line
        if pointee.event != nil || pointee.extras != nil, !tidyUp() { return }
        notify()
    }

    /// Ends what belongs to the work; whether the callback is to be called now.
    @inline(never)
    private func tidyUp() -> Bool {
        let handle = handle
        // C's requests may end again, and then call at once, although the loop is about to.
        let wasPosted = isPosted
        pointee.event.take()?.endWaiting()
        // A trace may have freed the request, or received it; so below.
        guard !handle.isStale, pointee.status != .received else { return false }
        guard let extras = pointee.extras else { return true }
        extras.endTimer.take()?.freeIfThere()
        guard !handle.isStale, pointee.status != .received else { return false }
        extras.profile?.stop(self)
        cleanUp()
        // It may also have posted the request; then the loop calls.
        guard !handle.isStale, pointee.status != .received, !isPosted || wasPosted else { return false }
        guard let events = extras.deferral.take() else { return true }
        if !events.isFreed { post(on: events.record("deferCallback(on:)")) }
        return false
    }
    // snippet-end: finish

    package func fail(_ status: RequestStatus, _ failure: RequestFailure, file: UnsafePointer<CChar>?, line: UInt32) {
        pointee.failure = failure
        finish(status, file: file, line: line)
    }

    /// Calls the cleanup function, once for each status.
    func cleanUp() {
        guard let cleanup = pointee.extras?.cleanup else { return }
        // It may end another request, whose function ends yet another, and so on.
        withStackRoom { cleanup(AnyRequest(self), pointee.status) }
    }

    /// Calls the callback, at once: a callback that ends the request above runs that one's callback inside itself.
    ///
    /// However deep that goes, there is always enough stack. The callback is still there while the cleanup function is told
    /// that the request is received, but not called any more.
    @inline(__always)
    package func notify() {
        guard pointee.callback != nil, pointee.status != .received else { return }
        withStackRoom { callBack() }
    }

    /// Calls the callback; the record may be gone before it returns.
    ///
    /// A request that has ended gives its callback away: it is never called again.
    @inline(__always)
    func callBack() {
        if pointee.status == .inProgress { callBackAndKeep() } else { callBack(keeps: false) }
    }

    @inline(never)
    private func callBackAndKeep() { callBack(keeps: true) }

    @inline(__always)
    private func callBack(keeps: Bool) {
        let request = AnyRequest(self)
        if pointee.callbackTakesData {
            let owner = AnyRequest(tallocHandle: pointee.callbackData.unsafelyUnwrapped)
            callback(as: CallbackWithOwner.self, keeps: keeps)?.run(request, owner)
        } else {
            callback(as: RequestCallback.self, keeps: keeps)?.run(request)
        }
    }

    @inline(__always)
    private func callback<Callback>(as type: Callback.Type, keeps: Bool) -> Callback? {
        let callback = MemoryLayout<RequestRecord>.offset(of: \.callback).unsafelyUnwrapped
        let place = (UnsafeMutableRawPointer(self) + callback).assumingMemoryBound(to: Callback?.self)
        return keeps ? place.pointee : place.pointee.take()
    }

    // MARK: Waiting for the callback

    /// Whether the request waits among the immediates of a context for its callback to be called.
    @inline(__always)
    var isPosted: Bool { pointee.scheduled.prefix.context != nil }

    package func post(on context: ContextPointer) {
        leaveQueue()
        scheduled.append(to: context, as: .request, RequestRecord.act)
    }

    /// The loop has come to a posted request.
    func deliver() {
        leaveQueue()
        notify()
    }

    @inline(__always)
    func leaveQueue() {
        if let context = pointee.scheduled.prefix.context { scheduled.remove(from: context) }
    }

    // MARK: Receiving

    /// Ends the work, and keeps what is below the request: C's way, whose caller frees the state.
    ///
    /// - Returns: Whether the request is still there.
    package func receiveKeepingChildren() -> Bool {
        guard pointee.status != .received else { return true }
        pointee.status = .received
        leaveQueue()
        guard let extras = pointee.extras else { return true }
        let handle = handle
        extras.endTimer.take()?.freeIfThere()
        guard !handle.isStale else { return false }
        cleanUp()
        return !handle.isStale
    }

    /// Lets go all that belonged to the work.
    func receive() {
        guard let state = beginReceiving() else { return }
        pointee.storage.deinitializeValue(at: state)
        endReceiving()
    }

    /// Takes the request out of the loop and calls the cleanup function, before the state goes.
    ///
    /// - Returns: Whether the request is still there.
    @inline(never)
    fileprivate func tidyUpForGood() -> Bool {
        let handle = handle
        // Out of the loop first, as when it ends: the cleanup function may run the loop.
        pointee.event.take()?.endWaiting()
        guard !handle.isStale else { return false }
        guard let extras = pointee.extras else { return true }
        extras.profile?.stop(self)
        cleanUp()
        return !handle.isStale
    }

    /// Lets go all but the state, which is gone for everybody already.
    ///
    /// - Returns: The state, if it must be released before `endReceiving`; nil if all is done.
    func beginReceiving() -> UnsafeMutableRawPointer? {
        guard pointee.status != .received else { return nil }
        checkStateIsNotBeingChanged()
        pointee.status = .received
        leaveQueue()
        if pointee.event != nil || pointee.extras != nil, !tidyUpForGood() { return nil }
        pointee.isBeingReceived = true
        freeChildren()
        let ownsState = pointee.statePlace == .request && pointee.isStateOwner
        pointee.statePlace = .gone
        if ownsState { return placeBehindRecord }
        endReceiving()
        return nil
    }

    func endReceiving() {
        pointee.isBeingReceived = false
        guard pointee.callback != nil || pointee.freeWhenReceived else { return }
        let handle = handle
        let callback = pointee.callback.take()
        withExtendedLifetime(callback) {}
        if !handle.isStale, pointee.freeWhenReceived { freeChunk(self) }
    }

    /// Frees what is below the request, but not its places in queues, which it holds until it is freed itself.
    ///
    /// What refuses to be freed moves to the request's parent.
    private func freeChildren() {
        guard pointee.hasPlaces else { return freeChildrenIfAny(of: self) }
        freeChildrenThatAgree(of: handle, except: isPlace)
    }

    private func isPlace(_ child: TallocHandle) -> Bool {
        child.record(as: Place.self)?.pointee.request.tallocHandle == handle
    }
}

extension RequestPointer {
    /// Ends the record of a request that C has made, whose children libtalloc frees.
    package func endRecord() {
        pointee.status = .received
        leaveQueue()
        pointee.scheduled.prefix.slot.release()
        if pointee.holdsAnything { deinitialize(count: 1) }
    }
}

/// What libtalloc calls when a request is about to be freed; -1 keeps it, for a moment.
@inline(__always)
private func destroyRequest(_ chunk: UnsafeMutableRawPointer?) -> CInt {
    let request = chunk!.assumingMemoryBound(to: RequestRecord.self)
    if request.pointee.isBeingReceived {
        request.pointee.freeWhenReceived = true
        return -1
    }
    request.checkStateIsNotBeingChanged()
    // Its work is over, whatever became of it; the state is still there for the cleanup function.
    if request.pointee.status != .received {
        request.pointee.status = .received
        if request.pointee.event != nil || request.pointee.extras != nil { _ = request.tidyUpForGood() }
    }
    request.leaveQueue()
    // From here on the handles are stale, so whatever the deinit of what the record holds does finds the request freed.
    request.pointee.scheduled.prefix.slot.release()
    // What is below goes before the state, which may hold what it works with, such as a descriptor.
    freeChildrenIfAny(of: chunk.unsafelyUnwrapped)
    if request.pointee.statePlace == .request, request.pointee.isStateOwner { request.releaseState() }
    if request.pointee.holdsAnything { request.deinitialize(count: 1) }
    return 0
}

/// A request's place in a queue, which outlives its receiving: what a queue's entry begins with.
package struct Place: ObjectRecord {
    var prefix: EventPrefix
    package let request: AnyRequest

    package static var kinds: ObjectKinds { ObjectKinds(.queueEntry) }
    package static var description: StaticString { "an entry of a queue" }
}
