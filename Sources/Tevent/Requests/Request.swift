import CTalloc
import Talloc

/// What every request can do, whatever its state; see ``Request`` and ``AnyRequest``.
public protocol RequestProtocol: TallocObject, CustomStringConvertible {}

/// Work that ends later: a state, a status, and a callback for the end.
///
/// A request is one talloc chunk. Whatever is made under it, subrequests above all, is freed with it, and with what was
/// made for the work when the result has been received. Like every handle this one is two words and owns nothing.
///
/// The corresponding C type is `struct tevent_req`.
public struct Request<State>: RequestProtocol, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    private init(tallocHandle: TallocHandle) { self.tallocHandle = tallocHandle }

    /// Makes a request in progress.
    ///
    /// - Parameters:
    ///   - state: What the work has to remember. The request owns it until it is received or freed.
    ///   - parent: What the request is freed with; for a subrequest, the request whose work it is part of.
    /// - Throws: ``TeventError/outOfMemory(name:)``; the state is let go then.
    /// - Complexity: O(1), one allocation for the request and its state.
    ///
    /// The corresponding C macro is `tevent_req_create()`.
    public init(
        _ state: consuming State, under parent: some TallocObject, file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) {
        _ = parent.chunk("init(_:under:)")
        do {
            tallocHandle = try RequestPointer.make(state, under: parent.tallocHandle, file: file, line: line).handle
        } catch { throw TeventError(error) }
    }

    /// The state: what the work has to remember.
    ///
    /// Changing a part of it (`request.state.count += 1`) happens in place. Until the change is over, any other use of
    /// the state is a trap, and so is any use after the request was received.
    ///
    /// The corresponding C macro is `tevent_req_data()`.
    public var state: State {
        get { stateChunk.value }
        nonmutating set { stateChunk.value = newValue }
        nonmutating _modify { yield &stateChunk.value }
    }

    /// The chunk that holds the state, which can be a parent like any other; it goes when the request is received.
    public var stateChunk: TallocChunk<State> { TallocChunk(tallocHandle: record("state").stateHandle("state")) }

    /// Sets what is called when the request has ended; nil takes it away.
    ///
    /// The callback is called once. It may free the request, and mostly does so first of all.
    ///
    /// - Parameter callback: Gets the request. The request owns it until it has been called, or is freed.
    ///
    /// A request that has ended already calls nobody any more, unless it was posted, and setting a callback then is a
    /// trap: its maker forgot ``post(on:)``.
    ///
    /// The corresponding C function is `tevent_req_set_callback()`.
    public func setCallback(_ callback: ((_ request: Request) -> Void)?) {
        record("setCallback(_:)").setCallback(callback.map { TypedCallback(run: $0).erased })
    }

    /// Sets what is called when the request has ended, and data for it.
    ///
    /// - Parameters:
    ///   - data: What ``callbackData(of:)`` and ``callbackData`` give. It stays the caller's.
    ///   - callback: Gets the request. The request owns it until it has been called, or is freed.
    ///
    /// In Swift a closure can hold the data itself; this is the form that C has.
    ///
    /// The corresponding C function is `tevent_req_set_callback()`.
    public func setCallback(data: some TallocObject, _ callback: @escaping (_ request: Request) -> Void) {
        let record = record("setCallback(data:_:)")
        record.setCallback(TypedCallback(run: callback).erased)
        record.extras.callbackData = data.tallocHandle
    }

    private struct TypedCallback {
        let run: (Request) -> Void

        /// The same closure, called with the same two words.
        ///
        /// All requests are the same two words whatever their state, so that a closure that takes one can be called
        /// with the other. Another closure around it would be the only allocation of malloc's in a request's life.
        var erased: RequestCallback { unsafeBitCast(self, to: RequestCallback.self) }
    }
}

@available(*, unavailable)
extension Request: Sendable {}

/// A request whose state's type is not known, for code that serves requests of any kind.
///
/// The corresponding C type is `struct tevent_req`, which never knows.
public struct AnyRequest: RequestProtocol, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    init(_ request: RequestPointer) { tallocHandle = request.handle }

    /// The same request without its state's type.
    public init(_ request: some RequestProtocol) { tallocHandle = request.tallocHandle }

    /// The state as a typed chunk, or a trap naming both types when the request has another.
    ///
    /// The corresponding C macro is `tevent_req_data()`.
    public func state<State>(of type: State.Type) -> TallocChunk<State> {
        state.chunk(expecting: type)
    }

    /// The state as plain memory, which a chunk of any type can be asked from.
    ///
    /// The corresponding C function is `_tevent_req_data()`.
    public var state: TallocContext { TallocContext(tallocHandle: record("state").stateHandle("state")) }
}

@available(*, unavailable)
extension AnyRequest: Sendable {}

extension RequestProtocol {
    func record(_ call: StaticString = #function) -> RequestPointer {
        chunk(call).assumingMemoryBound(to: RequestRecord.self)
    }

    /// Where the request is in its life.
    ///
    /// The corresponding C function is `tevent_req_is_error()`, together with `tevent_req_is_in_progress()`.
    public var status: RequestStatus { record().pointee.status }

    /// Whether the request has not ended yet.
    ///
    /// The corresponding C function is `tevent_req_is_in_progress()`.
    public var isInProgress: Bool { record().pointee.status == .inProgress }

    /// Why the request failed, as it would be thrown; nil unless it did.
    ///
    /// The corresponding C function is `tevent_req_is_error()`.
    public var error: (any Error)? { record().pointee.failure.error }

    /// The line of the program that made the request, such as "main/Fetch.swift:12".
    public var origin: String { record().origin }

    /// The data given with the callback, as plain memory; nil without any.
    ///
    /// The corresponding C macro is `tevent_req_callback_data_void()`.
    public var callbackData: TallocContext? {
        record().pointee.extras?.callbackData.map { TallocContext(tallocHandle: $0) }
    }

    /// The data given with the callback, as a typed chunk, or a trap naming both types when it is something else.
    ///
    /// The corresponding C macro is `tevent_req_callback_data()`.
    public func callbackData<Value>(of type: Value.Type) -> TallocChunk<Value> {
        guard let data = callbackData else {
            abort("the callback of the request made at \(origin) was set without data; pass it to setCallback(data:_:)")
        }
        return data.chunk(expecting: type)
    }
}

extension RequestPointer {
    func setCallback(_ callback: RequestCallback?) {
        if callback != nil, pointee.status != .inProgress, pointee.queue == .none {
            abort(
                "the request made at \(origin) had ended (\(pointee.status)) before its callback was set, at "
                    + "\(finishOrigin), so nobody would hear of it; call post(on:) where a request ends while it is made"
            )
        }
        // Letting the old one go may run anybody's deinit, so that comes last.
        let old = pointee.callback
        pointee.callback = callback
        withExtendedLifetime(old) {}
    }

    func stateHandle(_ call: StaticString) -> TallocHandle {
        guard let state = pointee.state else {
            abort("the state of the request made at \(origin) was used after it was received, which lets the state go")
        }
        return TallocHandle(slot: state.load(as: HandleSlotPointer.self))
    }
}
