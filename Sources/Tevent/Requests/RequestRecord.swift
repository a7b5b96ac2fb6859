import CTalloc
import Talloc

/// The callback of a request: a closure that takes one request, or two if it was set with an owner.
///
/// It is a struct around the closure because Swift keeps a bare closure in an optional inside another one, which it
/// allocates.
@usableFromInline
package struct RequestCallback {
    @usableFromInline let run: (AnyRequest) -> Void

    package init(run: @escaping (AnyRequest) -> Void) { self.run = run }
}

/// What a `RequestCallback` really is where it was set with an owner: the same two words, a closure of two requests.
struct CallbackWithOwner {
    let run: (AnyRequest, AnyRequest) -> Void
}

package typealias RequestPointer = UnsafeMutablePointer<RequestRecord>

/// The record of a request, in a talloc chunk, followed by the state.
///
/// What only few requests need is in `extras`, made when it is first needed.
@usableFromInline
package struct RequestRecord: ObjectRecord {
    package static let name: StaticString = "struct tevent_req"
    /// A closure, since the compiler inlines nothing into a function that it has to make a C function of.
    static let destructor: @convention(c) (UnsafeMutableRawPointer?) -> CInt = { destroyRequest($0) }
    static let act: ScheduledAct = { object, leftBehind in
        let request = object.unsafelyUnwrapped.assumingMemoryBound(to: RequestRecord.self)
        if leftBehind == nil { request.deliver() } else { request.leaveQueue() }
    }
    /// A report shows the type of a state that is not a chunk of its own.
    static let describe: DescribeContents = { chunk in
        let request = chunk.unsafelyUnwrapped.assumingMemoryBound(to: RequestRecord.self)
        return request.pointee.statePlace == .request ? request.stateTypeName : nil
    }
    static let stock: StockOfObject = { chunk in
        Int(chunk.unsafelyUnwrapped.assumingMemoryBound(to: RequestRecord.self).pointee.room)
    }
    @inlinable package static var kinds: ObjectKinds { ObjectKinds(.request) }
    @inlinable package static var description: StaticString { "a request" }

    /// Where the request was made, and its place among the immediates of the context it was posted on.
    package var scheduled: Scheduled
    /// Knows the type of the state, which a report shows.
    let storage: any ValueStorage.Type
    var statePlace = StatePlace.request
    /// True while the state is being changed in place, wherever that is.
    var isStateBeingChanged = false
    /// False for a state that is plain bytes: it needs no release.
    let isStateOwner: Bool
    package internal(set) var status = RequestStatus.inProgress
    /// Being discarded frees what is below the request, and that may try to free the request too: not now, but then.
    var isBeingDiscarded = false
    var freeWhenDiscarded = false
    /// Whether it was ever added to a queue: then its places are among its children.
    var hasPlaces = false
    /// Whether the callback was set with an owner, and gets it.
    var callbackTakesData = false
    var finishLine: UInt32 = 0
    /// How many bytes are reserved for children.
    fileprivate var room: UInt32 = 0
    package var finishFile: UnsafePointer<CChar>?
    package var owned = RequestBelongings()
    /// The data for the callback; it does not belong to the request.
    var callbackData: TallocHandle?
    /// The event that the request waits with for a descriptor: a child, or lent by the event that holds the descriptor.
    var event: FDEvent?

    init(slot: HandleSlotPointer, state: StateLayout, file: UnsafePointer<CChar>, line: UInt32) {
        storage = state.storage
        isStateOwner = state.isOwner
        scheduled = Scheduled(prefix: EventPrefix(slot: slot, file: file, line: line))
    }
}

/// All that a record owns: the rest of it is plain bytes, which need no release.
package struct RequestBelongings {
    /// Nil once the request has ended and called it.
    package var callback: RequestCallback?
    package internal(set) var failure = RequestFailure.none
    package internal(set) var extras: RequestExtras?

    /// Whether nothing needs releasing, as is usual when a request is freed: asking costs less than releasing nothing.
    var isEmpty: Bool { callback == nil && extras == nil && !failure.isError }
}

/// What is needed to know about a state's type to make a request.
@usableFromInline
package struct StateLayout {
    /// The size of the state in bytes.
    let room: Int
    /// Whether the state holds anything that must be released.
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

/// The children whose memory is allocated together with a request.
package struct RequestRoom {
    package let objects: UInt32
    /// Their size in total.
    package let bytes: Int

    package init(objects: UInt32, bytes: Int) {
        self.objects = objects
        self.bytes = bytes
    }

    static var none: RequestRoom { RequestRoom(objects: 0, bytes: 0) }

    /// Room for so many subrequests with states of usual size, and an event for each.
    init(subrequests: Int) {
        guard let number = UInt16(exactly: subrequests) else {
            abort("a request was to have room for \(subrequests) subrequests; give a number from 0 to \(UInt16.max)")
        }
        let usualState = 64
        let size = MemoryLayout<RequestRecord>.stride + usualState + MemoryLayout<FDRecord>.stride
        self.init(objects: 2 * UInt32(number), bytes: Int(number) * size)
    }
}

/// Properties that few requests have.
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
    /// Makes a request, whose state the caller must initialise immediately; nil if there is no memory.
    ///
    /// - Parameters:
    ///   - room: The children whose memory is allocated together with the request's.
    ///   - destructor: What libtalloc calls when the request is about to be freed, instead of the engine's destructor.
    @inline(__always)
    package static func make(
        _ state: StateLayout, under parent: UnsafeMutableRawPointer?, room: RequestRoom, file: UnsafePointer<CChar>,
        line: UInt32, destructor: (@convention(c) (UnsafeMutableRawPointer?) -> CInt)? = nil
    ) -> RequestPointer? {
        let size = MemoryLayout<RequestRecord>.stride + state.room
        let name = RequestRecord.name.cString
        let made =
            room.objects == 0
            ? allocatePrivateChunk(size: size, name: name, under: parent)
            : allocatePool(size: size, objects: room.objects, bytes: room.bytes, name: name, under: parent)
        guard let chunk = made, let slot = try? acquireSlot(for: chunk, name: name, kind: .request) else { return nil }
        ObjectKind.request.setDescription(RequestRecord.describe)
        let request = chunk.initializeMemory(
            as: RequestRecord.self, to: RequestRecord(slot: slot, state: state, file: file, line: line))
        _talloc_set_destructor(chunk, destructor ?? RequestRecord.destructor)
        if room.objects > 0 {
            ObjectKind.request.setStock(RequestRecord.stock)
            request.pointee.room = UInt32(clamping: room.bytes)
        }
        return request
    }

    package var handle: TallocHandle { TallocHandle(slot: pointee.scheduled.prefix.slot) }

    var scheduled: ScheduledPointer { ScheduledPointer(OpaquePointer(self)) }

    /// The rare properties, made if necessary.
    package var extras: RequestExtras {
        if let extras = pointee.owned.extras { return extras }
        let extras = RequestExtras()
        pointee.owned.extras = extras
        return extras
    }

    package var origin: String { pointee.scheduled.prefix.origin }
    /// The file, or the location, where it was made.
    package var madeAt: UnsafePointer<CChar> { pointee.scheduled.prefix.file }

    /// Where it ended, or "the loop" when it timed out there.
    var finishOrigin: String {
        pointee.finishFile.map { "\(String(cString: $0)):\(pointee.finishLine)" } ?? "the loop"
    }
}

/// A request's place in a queue, which outlives its receiving: the beginning of a queue's entry.
package struct Place: ObjectRecord {
    var prefix: EventPrefix
    package let request: AnyRequest

    package static var kinds: ObjectKinds { ObjectKinds(.queueEntry) }
    package static var description: StaticString { "an entry of a queue" }
}
