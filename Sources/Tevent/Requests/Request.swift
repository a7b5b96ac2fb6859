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

    /// Makes a request in progress.
    ///
    /// - Parameters:
    ///   - state: What the work has to remember. The request owns it until it is received or freed.
    ///   - parent: What the request is freed with; for a subrequest, the request whose work it is part of.
    /// - Throws: ``TeventError/outOfMemory(name:)``; the state is let go then.
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
        let layout = StateLayout(
            size: Storage<State>.size, name: TypeNames.cString(of: State.self), storage: Storage<State>.self)
        tallocHandle = try makeRequest(
            layout, under: parent.tallocHandle, parent.chunk("init(_:under:)"), file: file, line: line)
        Storage<State>.value(in: stateChunk.chunk("init(_:under:)")).initialize(to: state)
    }

    /// The state: what the work has to remember.
    ///
    /// Changing a part of it (`request.state.count += 1`) happens in place. Until the change is over, any other use of
    /// the state is a trap, and so is any use after the request was received.
    ///
    /// The corresponding C macro is `tevent_req_data()`.
    @inlinable
    public var state: State {
        get { stateChunk.value }
        nonmutating set { stateChunk.value = newValue }
        nonmutating _modify { yield &stateChunk.value }
    }

    /// The chunk that holds the state, which can be a parent like any other; it goes when the request is received.
    @inlinable
    public var stateChunk: TallocChunk<State> {
        TallocChunk(tallocHandle: stateOfRequest(chunk("state")))
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
    public func setCallback(_ callback: @escaping (_ request: Request) -> Void) {
        setCallbackOfRequest(chunk("setCallback(_:)"), TypedCallback(run: callback).erased, data: nil)
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
        _ = data.chunk("setCallback(data:_:)")
        setCallbackOfRequest(
            chunk("setCallback(data:_:)"), TypedCallback(run: callback).erased, data: data.tallocHandle)
    }

    @usableFromInline
    struct TypedCallback {
        @usableFromInline let run: (Request) -> Void

        @inlinable
        init(run: @escaping (Request) -> Void) { self.run = run }

        /// The same closure, called with the same two words.
        ///
        /// All requests are the same two words whatever their state, so that a closure that takes one can be called
        /// with the other. Another closure around it would be the only allocation of malloc's in a request's life.
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

    init(_ request: RequestPointer) { tallocHandle = request.handle }

    /// The same request without its state's type.
    public init(_ request: some RequestProtocol) { tallocHandle = request.tallocHandle }

    /// The request that a piece of memory is, or nil when it is something else.
    ///
    /// It is for tools that walk through a tree of memory and look for requests.
    ///
    /// The corresponding C macro is `talloc_get_type()`.
    public init?(_ memory: TallocContext) {
        _ = memory.chunk("init(_:)")
        guard memory.tallocHandle.slot.isOf(.request) else { return nil }
        tallocHandle = memory.tallocHandle
    }

    /// The state as a typed chunk, or a trap naming both types when the request has another.
    ///
    /// The corresponding C macro is `tevent_req_data()`.
    public func state<State>(of type: State.Type) -> TallocChunk<State> {
        state.chunk(expecting: type)
    }

    /// The state as plain memory, which a chunk of any type can be asked from.
    ///
    /// The corresponding C function is `_tevent_req_data()`.
    public var state: TallocContext {
        TallocContext(tallocHandle: stateOfRequest(chunk("state")))
    }
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

// What the generic functions above do for every type of state alike; they get the chunk of a request that is there.

@usableFromInline
func makeRequest(
    _ state: StateLayout, under parent: TallocHandle, _ parentChunk: UnsafeMutableRawPointer, file: StaticString,
    line: UInt32
) throws(TeventError) -> TallocHandle {
    do throws(TallocError) {
        return try RequestPointer.make(state, under: parent, parentChunk, file: file, line: line).handle
    } catch { throw TeventError(error) }
}

@usableFromInline
func setCallbackOfRequest(_ chunk: UnsafeMutableRawPointer, _ callback: RequestCallback, data: TallocHandle?) {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    if request.pointee.status != .inProgress, request.pointee.queue == .none {
        abort(
            "the request made at \(request.origin) had ended (\(request.pointee.status)) before its callback was set, "
                + "at \(request.finishOrigin), so nobody would hear of it; "
                + "call post(on:) where a request ends while it is made")
    }
    // Letting the old one go may run anybody's deinit, so that comes last.
    let old = request.pointee.callback
    request.pointee.callback = callback
    if let data { request.extras.callbackData = data } else { request.pointee.extras?.callbackData = nil }
    withExtendedLifetime(old) {}
}

@usableFromInline
func stateOfRequest(_ chunk: UnsafeMutableRawPointer) -> TallocHandle {
    let request = chunk.assumingMemoryBound(to: RequestRecord.self)
    guard let state = request.pointee.state else {
        abort(
            "the state of the request made at \(request.origin) was used after it was received, "
                + "which lets the state go")
    }
    return state
}
