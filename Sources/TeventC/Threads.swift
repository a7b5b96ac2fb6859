// swift-format-ignore-file: NoLeadingUnderscores
import CTalloc
import CTevent
import Talloc
import Tevent

// MARK: Thread proxies

/// What a proxy sends: a chunk of this type without a parent, with the immediate and the private data below it.
private struct Parcel {
    var im: OpaquePointer?
    var data: UnsafeMutableRawPointer?
    let handler: tevent_immediate_handler_t
    let wrapper: TallocHandle?

    /// The name that libtevent uses.
    static let name: StaticString = "struct tevent_immediate_list"

    /// Calls the handler as if the immediate had been scheduled.
    ///
    /// The handler may send the immediate on, so nothing may read it afterwards.
    func deliver(on events: EventContext) {
        guard im != nil else { abort("tevent_thread_proxy_schedule was called without an immediate") }
        let context = context(OpaquePointer(events.tallocHandle))
        if let trace = context.extras.pointee.traces.immediates {
            for point in [TEVENT_EVENT_TRACE_ATTACH, TEVENT_EVENT_TRACE_BEFORE_HANDLER, TEVENT_EVENT_TRACE_DETACH] {
                trace.function(im, point, trace.data)
                guard !events.isFreed else { return }
            }
        }
        Caller(wrapper: wrapper, Parcel.name.cString, nil).callImmediate(im, on: events, handler, data)
    }
}

@c @implementation
package func tevent_thread_proxy_create(_ ev: OpaquePointer?) -> OpaquePointer? {
    guard let ev else { abort("tevent_thread_proxy_create was called with NULL instead of a context") }
    return SenderPointer.make(on: ev, under: ev.chunk, name: "struct tevent_thread_proxy", keepsLoopGoing: true)
        .map { OpaquePointer($0) }
}

@c @implementation
package func tevent_thread_proxy_schedule(
    _ proxy: OpaquePointer?, _ im_place: UnsafeMutablePointer<OpaquePointer?>?,
    _ handler: tevent_immediate_handler_t?, _ private_data_place: UnsafeMutableRawPointer?
) {
    let sender: SenderPointer = record(proxy, .threadSender)
    guard let im_place else {
        abort("tevent_thread_proxy_schedule was called with NULL instead of an immediate's place")
    }
    // If it was scheduled, it was on a loop of this thread. As in C, a missing immediate shows only on arrival.
    let im = im_place.pointee
    if im != nil { (record(im, .immediate) as ImmediatePointer).detach() }
    // If there is no memory, take nothing.
    let size = MemoryLayout<Parcel>.size
    guard let parcel = talloc_named_const(nil, size, Parcel.name.cString) else { return }
    _talloc_move(parcel, im_place)
    let data = private_data_place.flatMap { _talloc_move(parcel, $0) }
    var isSent = false
    // Without a handler, only free what was passed in.
    if let handler {
        sender.visit {
            guard let receiver = sender.pointee.receiver else {
                abort("tevent_thread_proxy_schedule was called with a threaded context")
            }
            parcel.initializeMemory(
                as: Parcel.self, to: Parcel(im: im, data: data, handler: handler, wrapper: sender.pointee.wrapper))
            isSent = send(parcel, to: receiver, through: sender.pointee.channel)
        }
    }
    if !isSent { freeChunk(parcel) }
}

private let parcelMessageSize = MemoryLayout<UnsafeMutableRawPointer>.size

/// Sends a parcel; returns false if there is no receiver any more.
private func send(
    _ parcel: UnsafeMutableRawPointer, to receiver: TallocHandle, through channel: Channel
) -> Bool {
    let opening = MessageOpening { message, events in
        let parcel = message.content.load(as: UnsafeMutableRawPointer.self)
        message.freeMessage(contentSize: parcelMessageSize)
        if let events { parcel.load(as: Parcel.self).deliver(on: EventContext(tallocHandle: events)) }
        freeChunk(parcel)
    }
    let message = MessagePointer.make(for: receiver, contentSize: parcelMessageSize, opening: opening)
    message.content.storeBytes(of: parcel, as: UnsafeMutableRawPointer.self)
    guard !channel.send(message) else { return true }
    message.forgetOpening()
    message.freeMessage(contentSize: parcelMessageSize)
    return false
}

// MARK: Threaded contexts

/// What a threaded context sends: how to schedule an immediate on the loop's thread.
private struct ThreadedCall {
    let immediate: TallocHandle
    let handler: tevent_immediate_handler_t
    let data: UnsafeMutableRawPointer?
    let handlerName: UnsafePointer<CChar>?
    let location: UnsafePointer<CChar>?
    let wrapper: TallocHandle?

    static let size = MemoryLayout<ThreadedCall>.size

    func message(for sender: SenderPointer) -> MessagePointer {
        let opening = MessageOpening { message, events in
            let call = message.content.load(as: ThreadedCall.self)
            call.arrive(in: message, on: events.map(EventContext.init(tallocHandle:)))
            message.freeMessage(contentSize: ThreadedCall.size)
        }
        let message = MessagePointer.make(
            for: TallocHandle(slot: sender.pointee.slot), contentSize: ThreadedCall.size, isCall: true,
            isOpenedWhenDisowned: true, opening: opening)
        message.content.storeBytes(of: self, as: ThreadedCall.self)
        return message
    }

    /// Runs on the loop's thread: schedules the immediate, if it still exists and has not been cancelled.
    private func arrive(in message: MessagePointer, on events: EventContext?) {
        guard let im = immediate.object.map({ OpaquePointer($0) }), ImmediatePointer(im).takeAnnouncement(message),
            let events, let ev = (wrapper ?? events.tallocHandle).object
        else { return }
        _tevent_schedule_immediate(im, OpaquePointer(ev), handler, data, handlerName, location)
    }
}

@c @implementation
package func tevent_threaded_context_create(
    _ mem_ctx: UnsafeMutableRawPointer?, _ ev: OpaquePointer?
) -> OpaquePointer? {
    SenderPointer.make(on: ev, under: mem_ctx, name: "struct tevent_threaded_context", keepsLoopGoing: false)
        .map { OpaquePointer($0) }
}

@c @implementation
package func _tevent_threaded_schedule_immediate(
    _ threaded: OpaquePointer?, _ im: OpaquePointer?, _ handler: tevent_immediate_handler_t?,
    _ private_data: UnsafeMutableRawPointer?, _ handler_name: UnsafePointer<CChar>?,
    _ location: UnsafePointer<CChar>?
) {
    let sender: SenderPointer = record(threaded, .threadSender)
    sender.visit {
        // The immediate may have been freed together with the loop.
        guard !sender.pointee.channel.isClosed else { return }
        let immediate: ImmediatePointer = record(im, .immediate, "_tevent_threaded_schedule_immediate")
        guard let handler else { abort("tevent_threaded_schedule_immediate was called without a handler") }
        let call = ThreadedCall(
            immediate: immediate.handle, handler: handler, data: private_data, handlerName: handler_name,
            location: location, wrapper: sender.pointee.wrapper)
        let message = call.message(for: sender)
        guard immediate.announce(message) else {
            abort("an immediate was scheduled by a thread while it is scheduled already")
        }
        if !sender.pointee.channel.send(message) { message.open(on: nil) }
    }
}

@c @implementation
package func tevent_common_threaded_activate_immediate(_ ev: OpaquePointer?) { _ = context(ev).receiveMessages() }
