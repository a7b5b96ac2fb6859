import CLinux
import Talloc

package typealias ScheduledPointer = UnsafeMutablePointer<Scheduled>

/// What stands in a loop's queue of immediates, whose turn comes first after signals.
///
/// Immediates, deliveries of messages, posted requests and queues begin their records with it.
package struct Scheduled: Linked {
    /// Its context is the one in whose queue it is, nil when it is in none.
    package var prefix: EventPrefix
    package var next: ScheduledPointer?
    package var previous: ScheduledPointer?

    init(prefix: EventPrefix) { self.prefix = prefix }
}

/// What a kind of scheduled object does: it runs, or, if it gets a list, it leaves the queue of a context that is being
/// freed, and adds to the list what is to be released when that context has gone.
package typealias ScheduledAct =
    @convention(c) (
        _ object: UnsafeMutableRawPointer?, _ leftBehind: UnsafeMutableRawPointer?
    ) -> Void

/// What is to be released when a context has gone.
typealias LeftBehind = () -> Void

extension ScheduledPointer {
    package var asImmediate: ImmediatePointer? { isOf(.immediate) ? ImmediatePointer(OpaquePointer(self)) : nil }

    func isOf(_ kind: ObjectKind) -> Bool { pointee.prefix.slot.isOf(kind) }

    @inline(__always)
    func append(to context: ContextPointer) {
        pointee.prefix.context = context
        context.pointee.immediates.append(self)
    }

    /// Puts an object of another kind than an immediate into the queue of a context.
    ///
    /// The loop cannot name the kinds of the rooms after it, so each says here what it does. It is written down by kind, not
    /// by object, where it would take eight bytes of each request.
    @inline(__always)
    func append(to context: ContextPointer, as kind: ObjectKind, _ act: ScheduledAct) {
        clinux_set_scheduled_act(kind.rawValue, act)
        append(to: context)
    }

    @inline(__always)
    func remove(from context: ContextPointer) {
        context.pointee.immediates.remove(self)
        pointee.prefix.context = nil
    }

    /// Does what its turn is for; it is out of the queue before anything else happens.
    func run() {
        if let immediate = asImmediate { return immediate.run() }
        act(nil)
    }

    /// Leaves the queue of a context that is being freed.
    func leave(_ leftBehind: inout [LeftBehind]) {
        if let immediate = asImmediate {
            if let job = immediate.unlink() { leftBehind.append { withExtendedLifetime(job) {} } }
        } else {
            withUnsafeMutablePointer(to: &leftBehind) { act($0) }
        }
    }

    @inline(__always)
    private func act(_ leftBehind: UnsafeMutableRawPointer?) {
        let kind = UInt8(truncatingIfNeeded: pointee.prefix.slot.pointee.stamp)
        clinux_scheduled_act(kind).unsafelyUnwrapped(UnsafeMutableRawPointer(self), leftBehind)
    }
}

/// The list that a ``ScheduledAct`` gets, as what it is.
func addToLeftBehind(_ list: UnsafeMutableRawPointer, _ release: @escaping LeftBehind) {
    list.assumingMemoryBound(to: [LeftBehind].self).pointee.append(release)
}
