import CTalloc
import Talloc

/// What every request can do, whatever its state; see ``Request`` and ``AnyRequest``.
public protocol RequestProtocol: TallocObject, CustomStringConvertible {}

/// Work that ends later: a state, a status, and a callback for the end.
///
/// A request is one talloc chunk, which holds its state too. Whatever is made under it, subrequests above all, is freed
/// with it, and with what was made for the work when the result has been received. Like every handle this one is two
/// words and owns nothing.
///
/// The corresponding C type is `struct tevent_req`.
public struct Request<State>: RequestProtocol, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    /// Makes a request in progress.
    ///
    /// - Parameters:
    ///   - state: What the work has to remember. The request owns it until it is received or freed.
    ///   - parent: What the request is freed with; for a subrequest, the request whose work it is part of.
    /// - Throws: ``TeventError/outOfMemory(name:)``; the state is released then.
    /// - Complexity: O(1), one allocation for the request and its state.
    ///
    /// The corresponding C macro is `tevent_req_create()`.
    @inlinable
    @inline(__always)
    public init(
        _ state: consuming State, under parent: some TallocObject, file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) {
        // Inlined always: a function that is generic over its parent, as those that send are, would else look up the types
        // of the state's storage at each call, which costs more than all the rest.
        guard
            let request = makeRequest(
                StateLayout(of: State.self), under: parent.chunk("init(_:under:)"), file: file.cString, line: line
            )
        else { throw noMemoryForRequest() }
        Storage<State>.value(at: request.placeOfState).initialize(to: state)
        tallocHandle = TallocHandle(slot: request.slot)
    }

    /// Sets what is called when the request has ended, in place of what was set before.
    ///
    /// The callback is called once. It may free the request, and mostly does so first of all.
    ///
    /// - Parameter callback: Gets the request. The request owns it until it has been called, or is freed.
    ///
    /// A request that has ended already calls nobody any more, unless it was posted, and setting a callback then is a
    /// trap: its maker forgot ``post(on:)``.
    ///
    /// The corresponding C function is `tevent_req_set_callback()`.
    @inlinable
    public func setCallback(_ callback: consuming @escaping (_ request: Request) -> Void) {
        setCallbackOfRequest(requestChunk("setCallback(_:)"), TypedCallback(run: callback).erased)
    }

    /// Sets what is called when the request, part of the work of another one, has ended.
    ///
    /// It is for subrequests: a function that takes both needs no closure around it, and so no memory.
    ///
    /// - Parameters:
    ///   - owner: The request whose work this one is part of, mostly the parent; ``callbackData`` gives it too.
    ///   - callback: Gets the request that has ended, and the owner. The request owns it until it has been called, or is
    ///     freed.
    ///
    /// The corresponding C function is `tevent_req_set_callback()`.
    @inlinable
    public func setCallback<Owner>(
        for owner: Request<Owner>,
        _ callback: consuming @escaping (_ request: Request, _ owner: Request<Owner>) -> Void
    ) {
        _ = owner.chunk("setCallback(for:_:)")
        setCallbackOfRequest(
            requestChunk("setCallback(for:_:)"), TypedCallbackWithOwner(run: callback).erased, data: owner.tallocHandle,
            takesData: true)
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
    @inlinable
    public func setCallback(
        data: some TallocObject, _ callback: consuming @escaping (_ request: Request) -> Void
    ) {
        let data = data.checked("setCallback(data:_:)").handle
        setCallbackOfRequest(
            requestChunk("setCallback(data:_:)"), TypedCallback(run: callback).erased, data: data, takesData: false)
    }

    @usableFromInline
    struct TypedCallback {
        @usableFromInline let run: (Request) -> Void

        @inlinable
        init(run: consuming @escaping (Request) -> Void) { self.run = run }

        /// The same closure, called with the same two words.
        ///
        /// All requests are the same two words whatever their state, so that a closure that takes one can be called
        /// with the other. Another closure around it would be the only allocation of malloc's in a request's life.
        @inlinable
        var erased: RequestCallback { unsafeBitCast(self, to: RequestCallback.self) }
    }

    /// The same for a callback that takes two requests, whatever their states.
    @usableFromInline
    struct TypedCallbackWithOwner<Owner> {
        @usableFromInline let run: (Request, Request<Owner>) -> Void

        @inlinable
        init(run: consuming @escaping (Request, Request<Owner>) -> Void) { self.run = run }

        @inlinable
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

    package init(_ request: RequestPointer) { tallocHandle = request.handle }

    init(tallocHandle: TallocHandle) { self.tallocHandle = tallocHandle }

    /// The same request without its state's type.
    public init(_ request: some RequestProtocol) { tallocHandle = request.tallocHandle }

    /// The request that a piece of memory is, or nil when it is something else.
    ///
    /// It is for tools that walk through a tree of memory and look for requests.
    ///
    /// The corresponding C macro is `talloc_get_type()`.
    public init?(_ memory: TallocContext) {
        let handle = memory.checked("init(_:)").handle
        guard handle.isOf(.request) else { return nil }
        tallocHandle = handle
    }
}

@available(*, unavailable)
extension AnyRequest: Sendable {}

extension RequestProtocol {
    @inline(__always)
    func record(_ call: StaticString = #function) -> RequestPointer { record(as: RequestRecord.self, call) }

    /// The chunk of the request, or a trap if it is freed or no request: for functions that other modules inline.
    @inlinable @inline(__always)
    func requestChunk(_ call: StaticString) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(record(as: RequestRecord.self, call))
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
    public var error: (any Error)? { record().pointee.owned.failure.error }

    /// The line of the program that made the request, such as "main/Fetch.swift:12".
    public var origin: String { record().origin }

    /// The data given with the callback, as plain memory; nil without any.
    ///
    /// The corresponding C macro is `tevent_req_callback_data_void()`.
    public var callbackData: TallocContext? {
        record().pointee.callbackData.map { TallocContext(tallocHandle: $0) }
    }

    /// The data given with the callback, as a typed chunk, or a trap naming both types when it is something else.
    ///
    /// Without any, and when it has been freed, the trap says so and names where the request was made.
    ///
    /// The corresponding C macro is `tevent_req_callback_data()`.
    public func callbackData<Value>(of type: Value.Type) -> TallocChunk<Value> {
        guard let data = callbackData else {
            abort("the callback of the request made at \(origin) was set without data; pass it to setCallback(data:_:)")
        }
        guard !data.isFreed else {
            abort(
                "the data for the callback of the request made at \(origin) has been freed; "
                    + "it stays its owner's, who must keep it as long as the request may call back")
        }
        return data.chunk(expecting: type)
    }
}

/// Release the old callback last: releasing it may run arbitrary deinit code.
@inline(never)
private func replaceCallback(of request: RequestPointer, with callback: consuming RequestCallback) {
    let old = request.pointee.owned.callback.take()
    request.pointee.owned.callback = callback
    withExtendedLifetime(old) {}
}

// What the generic functions above do for every type of state alike; they get the chunk of a request that is there.

/// A new request, and where its state must be initialised at once; nil when there is no memory.
///
/// Nil instead of an error, and a C string instead of a static one, since two words come and go in registers.
@usableFromInline
func makeRequest(
    _ state: StateLayout, under parent: UnsafeMutableRawPointer, file: UnsafePointer<CChar>, line: UInt32
) -> (slot: HandleSlotPointer, placeOfState: UnsafeMutableRawPointer)? {
    guard let request = RequestPointer.make(state, under: parent, file: file, line: line) else { return nil }
    if parent.load(as: HandleSlotPointer.self).isOf(.request) { request.joinProfile(of: parent) }
    return (request.pointee.scheduled.prefix.slot, request.placeBehindRecord)
}

@inline(never)
@usableFromInline
func noMemoryForRequest() -> TeventError { TeventError(.outOfMemory(name: "\(RequestRecord.name)")) }

@usableFromInline
func setCallbackOfRequest(
    _ chunk: UnsafeMutableRawPointer, _ callback: consuming RequestCallback, data: TallocHandle? = nil,
    takesData: Bool = false
) {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    if request.pointee.status != .inProgress, request.pointee.scheduled.prefix.context == nil {
        abort(
            "the request made at \(request.origin) had ended (\(request.pointee.status)) before its callback was set, "
                + "at \(request.finishOrigin), so the callback would never be called; "
                + "call post(on:) where a request ends while it is made")
    }
    request.pointee.callbackData = data
    request.pointee.callbackTakesData = takesData
    guard request.pointee.owned.callback == nil else { return replaceCallback(of: request, with: callback) }
    request.pointee.owned.callback = callback
}
