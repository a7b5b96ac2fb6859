import CTalloc
import Talloc

// What the requests that wait for a descriptor share. The record knows the event they wait with, a child or one that
// holds the descriptor and is lent, and frees it or gives it back before anything else when the request ends, however it
// ends: it is out of the loop before anybody hears of it.

extension Request {
    /// Takes the next step of the work each time the descriptor is ready, until the request ends.
    ///
    /// Meanwhile somebody may cancel it, which ends it at once.
    func wait(
        for flags: FDEvent.Flags, of descriptor: Int32, on events: EventContext, _ step: @escaping FDHandler
    ) throws(TeventError) {
        let request = record("wait(for:)")
        if let lent = events.record("wait(for:)").lendHolder(of: descriptor, to: request, flags, step) {
            request.pointee.event = lent
            return
        }
        let event = try events.addFDForRequest(descriptor, flags, under: self, step)
        // A trace may have freed the event, or the request, or ended that: then there is nothing to wait for.
        guard !event.isFreed else { return }
        guard let request = tallocHandle.record(as: RequestRecord.self), request.pointee.status == .inProgress else {
            event.free()
            return
        }
        request.pointee.event = event
    }

    /// Begins to wait, or ends the request if that fails: the last step of a function that makes one.
    func waitOrFail(
        for flags: FDEvent.Flags, of descriptor: Int32, on events: EventContext, _ step: @escaping FDHandler
    ) -> Request {
        do throws(TeventError) { try wait(for: flags, of: descriptor, on: events, step) } catch {
            fail(error)
            post(on: events)
        }
        return self
    }

    /// The request that waits with an event.
    ///
    /// It is found as the event's borrower or its parent, so that the handler needs no closure, and no allocation, to hold it. Only the
    /// request itself knows the event: under another one, whose state may be of another type, it is as lost as elsewhere.
    init(waitingWith event: FDEvent) {
        let record = event.record("init(waitingWith:)")
        if let borrower = record.pointee.borrower {
            tallocHandle = borrower.handle
            return
        }
        let parent = talloc_parent(record)
        guard let parent, case let slot = parent.load(as: HandleSlotPointer.self), slot.isOf(.request),
            parent.assumingMemoryBound(to: RequestRecord.self).pointee.event == event
        else {
            abort("the event made at \(event.origin) was moved away from the request that waits with it")
        }
        tallocHandle = TallocHandle(slot: slot)
    }
}

extension Request {
    /// Lets the request end at once when somebody cancels it.
    func allowCancelling() {
        setCancel { request in
            request.fail(RequestError.cancelled)
            return true
        }
    }
}
