import Talloc

/// A descriptor that is closed with the last state that holds it, unless somebody has taken it before.
///
/// States are values that a program may copy from one request to another; only one of the copies can give it away.
final class OwnedDescriptor {
    /// The number, or nil when it has been taken.
    private(set) var descriptor: Int32?

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { if let descriptor { SystemIO.close(descriptor) } }

    /// Gives the descriptor to the caller, who closes it from now on; nil the second time.
    func take() -> Int32? { descriptor.take() }
}

extension RequestProtocol {
    /// What is to be said when a request of the engine has not what its own steps have left in its state.
    func lacksItsWork() -> Never {
        let request = record()
        abort(
            "the Request<\(request.stateName)> made at \(request.origin) has not what its own work leaves in it: "
                + "somebody else finished it, at \(request.finishOrigin), or changed its state; "
                + "only fail or cancel a request that another function has made")
    }

    /// What a function that has made a request returns: posted, if it has ended already.
    func returned(on events: EventContext) -> Self {
        // A trace may have freed it, or received it, or freed the context.
        guard !isFreed, !isInProgress, status != .received, !events.isFreed else { return self }
        return post(on: events)
    }
}
