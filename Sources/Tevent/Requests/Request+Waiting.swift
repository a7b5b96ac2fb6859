import Talloc

// What the requests that wait for a descriptor share. Each stops waiting in its cleanup function, so however it ends,
// its event is out of the loop before anybody hears of it.

/// The state of a request that waits for a descriptor.
protocol DescriptorWork {
    /// What it waits with, a child of the request; nil when it does not wait.
    var event: FDEvent? { get set }
}

extension Request where State: DescriptorWork {
    /// Takes the next step of the work each time the descriptor is ready, until the request stops waiting.
    func wait(
        for flags: FDEvent.Flags, of descriptor: Int32, on events: EventContext, _ step: @escaping (Request) -> Void
    ) throws(TeventError) {
        state.event = try events.addFD(descriptor, flags, under: self) { _, _ in step(self) }
    }

    /// Begins to wait, or ends the request if that fails: the last step of a function that makes one.
    func waitOrFail(
        for flags: FDEvent.Flags, of descriptor: Int32, on events: EventContext, _ step: @escaping (Request) -> Void
    ) -> Request {
        do throws(TeventError) { try wait(for: flags, of: descriptor, on: events, step) } catch {
            fail(error)
            post(on: events)
        }
        return self
    }

    /// Frees the event; without effect if it does not wait.
    func stopWaiting() {
        if let event = state.event.take(), !event.isFreed { event.free() }
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
