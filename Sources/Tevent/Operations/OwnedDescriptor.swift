/// A descriptor that is closed together with the last state that refers to it, unless the caller took it before.
///
/// A program may copy states from one request to another; only one of the copies can hand out the descriptor.
final class OwnedDescriptor {
    /// The number, or nil once it has been taken.
    private(set) var descriptor: Int32?

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { if let descriptor { SystemIO.close(descriptor) } }

    /// Gives the descriptor to the caller, who must close it; nil the second time.
    func take() -> Int32? { descriptor.take() }
}
