import CTalloc
import Talloc

/// What every request can do, whatever the type of its state: ``Request`` and ``AnyRequest`` conform to it.
///
/// ```swift
/// func report(_ request: some RequestProtocol) {
///     print("made at \(request.origin): \(request.status)")
/// }
/// report(try Wakeup.send(after: .seconds(1), on: events, under: memory))
/// ```
///
/// The corresponding C type is `struct tevent_req`.
public protocol RequestProtocol: TallocObject, CustomStringConvertible {}

/// Work that ends later: a state, a status, and a callback to call when the work ends.
///
/// A function that makes a request is named *send*, a function that takes its result *receive*. Callers need only these
/// two:
///
/// ```swift
/// let pause = try Wakeup.send(after: .seconds(1), on: events, under: memory)
/// pause.setCallback { pause in
///     do { try pause.receive() } catch { print(error) }
///     pause.free()
/// }
/// ```
///
/// <doc:WritingRequests> shows how to write such functions for work of your own.
///
/// A request is one talloc chunk, which also holds its state. Freeing the request frees everything made under it, such
/// as its subrequests, and so does receiving its result. Like every handle, a `Request` is two words and owns nothing.
///
/// The corresponding C type is `struct tevent_req`.
public struct Request<State>: RequestProtocol, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    /// Makes a request in progress.
    ///
    /// ```swift
    /// struct Addition {
    ///     let numbers: [Int]
    ///     var sum = 0
    /// }
    /// let request = try Request(Addition(numbers: [1, 2]), under: memory)
    /// request.state.sum = request.state.numbers.reduce(0, +)
    /// request.finish()
    /// print(try request.receive { $0.sum })
    /// ```
    ///
    /// - Parameters:
    ///   - state: What the work has to remember. The request owns it until the request is received or freed.
    ///   - parent: The owner of the request: freeing it frees the request. For a subrequest it is the request whose
    ///     work the subrequest is a part of.
    ///   - subrequests: How many subrequests this one will have at the same time. Their memory is allocated together with
    ///     the request's, some 600 bytes for each and for an event that it waits with. The newest one leaves its memory
    ///     to the next when it is freed. For a request that makes one subrequest after another, such as one that serves a
    ///     connection.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Throws: ``TeventError/outOfMemory(name:)``; the state is released then.
    /// - Complexity: O(1), one allocation for the request and its state.
    ///
    /// The corresponding C macro is `tevent_req_create()`.
    @inlinable
    @inline(__always)
    public init(
        _ state: consuming State, under parent: some TallocObject, subrequests: Int = 0, file: StaticString = #fileID,
        line: UInt32 = #line
    ) throws(TeventError) {
        // Always inlined: otherwise a function that is generic over its parent, as all sending functions are, would
        // look up the types of the state's storage at each call, which costs more than everything else.
        let layout = StateLayout(of: State.self)
        let parent = parent.chunk("init(_:under:)")
        let made =
            subrequests == 0
            ? makeRequest(layout, under: parent, file: file.cString, line: line)
            : makeRequest(layout, under: parent, subrequests: subrequests, file: file.cString, line: line)
        guard let request = made else { throw noMemoryForRequest() }
        Storage<State>.value(at: request.placeOfState).initialize(to: state)
        tallocHandle = TallocHandle(slot: request.slot)
    }

    /// Sets the function to call when the request ends, in place of an earlier one.
    ///
    /// The request calls it once. The callback may free the request; nearly every callback receives the result and then
    /// does so.
    ///
    /// Setting a callback on a request that has ended is a trap, because no code would ever call it, unless the request
    /// was posted: see ``RequestProtocol/post(on:)``.
    ///
    /// - Parameter callback: The function; it gets the request. The request owns it until it has been called, or the
    ///   request is freed.
    ///
    /// The corresponding C function is `tevent_req_set_callback()`.
    @inlinable
    public func setCallback(_ callback: consuming @escaping (_ request: Request) -> Void) {
        setCallbackOfRequest(requestChunk("setCallback(_:)"), TypedCallback(run: callback).erased)
    }

    /// Sets the function to call when this subrequest ends.
    ///
    /// Pass a function that takes both requests. It needs no closure around it, and therefore no allocation:
    ///
    /// ```swift
    /// func paused(_ pause: Request<Wakeup>, of owner: Request<String>) {
    ///     guard owner.attempt({ try pause.receive() }) != nil else { return }
    ///     owner.finish()
    /// }
    /// let owner = try Request("work", under: memory)
    /// let pause = try Wakeup.send(after: .seconds(1), on: events, under: owner)
    /// pause.setCallback(for: owner, paused)
    /// ```
    ///
    /// - Parameters:
    ///   - owner: The request whose work this one is a part of, mostly its parent. ``RequestProtocol/callbackData``
    ///     returns it, too.
    ///   - callback: The function; it gets the request that has ended, and the owner. The request owns it until it has
    ///     been called, or the request is freed.
    ///
    /// The corresponding C function is `tevent_req_set_callback()`.
    @inlinable @inline(__always)
    public func setCallback<Owner>(
        for owner: Request<Owner>,
        _ callback: consuming @escaping (_ request: Request, _ owner: Request<Owner>) -> Void
    ) {
        _ = owner.chunk("setCallback(for:_:)")
        setCallbackOfRequest(
            requestChunk("setCallback(for:_:)"), TypedCallbackWithOwner(run: callback).erased, data: owner.tallocHandle,
            takesData: true)
    }

    /// Sets the function to call when the request ends, and data for it.
    ///
    /// A Swift closure can capture its data; this is the form that C has.
    ///
    /// - Parameters:
    ///   - data: What ``RequestProtocol/callbackData(of:)`` and ``RequestProtocol/callbackData`` return. It stays the
    ///     caller's.
    ///   - callback: The function; it gets the request. The request owns it until it has been called, or the request is
    ///     freed.
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
        /// Every request is the same two words, whatever its state; a closure that takes one can therefore be called
        /// with another. A closure around it would be malloc's only allocation in the life of a request.
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

/// A request whose state may be of any type, for code that serves requests of every kind.
///
/// ```swift
/// var requests: [AnyRequest] = []
/// requests.append(AnyRequest(try Wakeup.send(after: .seconds(1), on: events, under: memory)))
/// requests.append(AnyRequest(try Read.send(from: descriptor, on: events, under: memory)))
/// for request in requests where request.request(of: Read.self) != nil { request.cancel() }
/// ```
///
/// The corresponding C type is `struct tevent_req`, which never knows the type of its state.
public struct AnyRequest: RequestProtocol, Equatable {
    /// The checked reference to the chunk.
    public let tallocHandle: TallocHandle

    package init(_ request: RequestPointer) { tallocHandle = request.handle }

    init(tallocHandle: TallocHandle) { self.tallocHandle = tallocHandle }

    /// The same request, without the type of its state.
    public init(_ request: some RequestProtocol) { tallocHandle = request.tallocHandle }

    /// The request that a piece of memory is, or nil if it is something else.
    ///
    /// It is for tools that walk a tree of memory in search of requests:
    ///
    /// ```swift
    /// for child in memory.children {
    ///     if let request = AnyRequest(child) { print(request) }
    /// }
    /// ```
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

    /// The point of its life that the request has reached.
    ///
    /// The corresponding C functions are `tevent_req_is_error()` and `tevent_req_is_in_progress()`.
    public var status: RequestStatus { record().pointee.status }

    /// Whether the request has not ended yet.
    ///
    /// The corresponding C function is `tevent_req_is_in_progress()`.
    public var isInProgress: Bool { record().pointee.status == .inProgress }

    /// The error that the request failed with, as ``Request/receive(_:)`` would throw it; nil unless it failed.
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

    /// The data given with the callback, as a typed chunk.
    ///
    /// It is a trap if the callback was set without data, if the data has been freed, or if it is of another type. The
    /// message names the request's origin, and both types.
    ///
    /// - Parameter type: The type of the value in the chunk.
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
    if request.waiter != 0 {
        abort(
            "a callback was set on the request made at \(request.origin) while a task waits for it; "
                + "a request has one of them, so await it, or set a callback")
    }
    let old = request.pointee.owned.callback.take()
    request.pointee.owned.callback = callback
    withExtendedLifetime(old) {}
}

// The part of the generic functions above that is the same for every type of state; it takes the chunk of an existing
// request.

/// A new request, and where its state must be initialised at once; nil when there is no memory.
///
/// Nil instead of an error, and a C string instead of a static one, since two words come and go in registers.
@usableFromInline
func makeRequest(
    _ state: StateLayout, under parent: UnsafeMutableRawPointer, file: UnsafePointer<CChar>, line: UInt32
) -> (slot: HandleSlotPointer, placeOfState: UnsafeMutableRawPointer)? {
    make(state, under: parent, room: .none, file, line)
}

/// The same for a request with room for subrequests.
@usableFromInline
func makeRequest(
    _ state: StateLayout, under parent: UnsafeMutableRawPointer, subrequests: Int, file: UnsafePointer<CChar>,
    line: UInt32
) -> (slot: HandleSlotPointer, placeOfState: UnsafeMutableRawPointer)? {
    make(state, under: parent, room: RequestRoom(subrequests: subrequests), file, line)
}

@inline(__always)
private func make(
    _ state: StateLayout, under parent: UnsafeMutableRawPointer, room: RequestRoom, _ file: UnsafePointer<CChar>,
    _ line: UInt32
) -> (slot: HandleSlotPointer, placeOfState: UnsafeMutableRawPointer)? {
    guard let request = RequestPointer.make(state, under: parent, room: room, file: file, line: line) else {
        return nil
    }
    if isRecording {
        recordMade(request, kind: .request, name: request.stateTypeName, file: file, line: line)
    }
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
