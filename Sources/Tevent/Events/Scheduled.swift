import CLinux
import Talloc

package typealias ScheduledPointer = UnsafeMutablePointer<Scheduled>

/// An entry of a loop's queue of immediates, which is served right after signals.
///
/// The records of immediates, deliveries of messages, posted requests and queues begin with it.
package struct Scheduled: Linked {
    /// Its context is the one whose queue it is in; nil if it is in none.
    package var prefix: EventPrefix
    package var next: ScheduledPointer?
    package var previous: ScheduledPointer?

    package init(prefix: EventPrefix) { self.prefix = prefix }
}

/// The action of one kind of scheduled object.
///
/// Normally it runs the object. If it receives a list, it takes the object out of the queue of a context that is being
/// freed, and adds to the list what to release once that context is freed.
package typealias ScheduledAct =
    @convention(c) (
        _ object: UnsafeMutableRawPointer?, _ leftBehind: UnsafeMutableRawPointer?
    ) -> Void

/// What to release once a context is freed.
typealias LeftBehind = () -> Void

extension ScheduledPointer {
    package var asImmediate: ImmediatePointer? { isOf(.immediate) ? ImmediatePointer(OpaquePointer(self)) : nil }

    func isOf(_ kind: ObjectKind) -> Bool { pointee.prefix.slot.isOf(kind) }

    @inline(__always)
    func append(to context: ContextPointer) {
        pointee.prefix.context = context
        context.pointee.immediates.append(self)
    }

    /// Adds an object of another kind than an immediate to the queue of a context.
    ///
    /// The loop cannot name the kinds of later rooms, so each kind registers its action here. The action is stored per
    /// kind, not per object, where it would take eight bytes in each request.
    @inline(__always)
    package func append(to context: ContextPointer, as kind: ObjectKind, _ act: ScheduledAct) {
        clinux_set_scheduled_act(kind.rawValue, act)
        append(to: context)
    }

    @inline(__always)
    package func remove(from context: ContextPointer) {
        context.pointee.immediates.remove(self)
        pointee.prefix.context = nil
    }

    /// Runs the object, which takes itself out of the queue; a delivery does so with its last message.
    func run() {
        if let immediate = asImmediate { return immediate.run() }
        act(nil)
    }

    /// Takes the object out of the queue of a context that is being freed.
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

/// The list that a ``ScheduledAct`` receives, with its type restored.
func addToLeftBehind(_ list: UnsafeMutableRawPointer, _ release: @escaping LeftBehind) {
    list.assumingMemoryBound(to: [LeftBehind].self).pointee.append(release)
}
