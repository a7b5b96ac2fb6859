import CChildProcess
import Glibc

/// Runs a function in the child of a fork, and waits for it.
///
/// The child ends without flushing or releasing anything.
///
/// - Parameters:
///   - seconds: After this time the system kills the child.
///   - body: What the child does; its result is the exit code.
/// - Returns: How the child ended; nil if there could be none.
public func inForkedChild(limitedTo seconds: UInt32, _ body: () -> Int32) -> Ending? {
    let child = child_fork(seconds)
    guard child != 0 else { _exit(body()) }
    return child > 0 ? Ending(ofChild: child) : nil
}
