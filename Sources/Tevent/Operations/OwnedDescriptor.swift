import Talloc

/// A descriptor that is closed with the last state that refers to it, unless it was taken before.
///
/// States are values that a program may copy from one request to another; only one of the copies can hand it out.
final class OwnedDescriptor {
    /// The number, or nil when it has been taken.
    private(set) var descriptor: Int32?

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { if let descriptor { SystemIO.close(descriptor) } }

    /// Gives the descriptor to the caller, who closes it from now on; nil the second time.
    func take() -> Int32? { descriptor.take() }
}

extension RequestProtocol {
    /// Traps when a request of the engine's is missing what its own steps leave in its state.
    func lacksItsWork() -> Never {
        let request = record()
        abort(
            "the Request<\(request.stateName)> made at \(request.origin) is missing the result of its own work: "
                + "other code finished it, at \(request.finishOrigin), or replaced its state; "
                + "fail or cancel a request that another function made, but do not finish it")
    }

    /// The request, posted if it has ended already: what a function that makes requests returns.
    func returned(on events: EventContext) -> Self {
        // A trace may have freed it, or received it, or freed the context.
        guard !isFreed, !isInProgress, status != .received, !events.isFreed else { return self }
        return post(on: events)
    }
}
