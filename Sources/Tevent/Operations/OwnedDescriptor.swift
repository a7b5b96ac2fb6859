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
