import Talloc

typealias ScheduledPointer = UnsafeMutablePointer<Scheduled>

/// The first bytes of what can wait among a context's immediates: an immediate event, or a request that was posted.
///
/// A request joins the list itself instead of making an immediate, so posting needs no memory and cannot fail.
struct Scheduled: Linked {
    /// Its context is nil unless it waits.
    var prefix: EventPrefix
    var next: ScheduledPointer?
    var previous: ScheduledPointer?

    init(prefix: EventPrefix) { self.prefix = prefix }
}

extension ScheduledPointer {
    var asImmediate: ImmediatePointer? {
        pointee.prefix.slot.isOf(.immediate) ? ImmediatePointer(OpaquePointer(self)) : nil
    }

    func append(to context: ContextPointer) {
        pointee.prefix.context = context
        context.pointee.immediates.append(self)
    }

    func remove(from context: ContextPointer) {
        context.pointee.immediates.remove(self)
        pointee.prefix.context = nil
    }

    /// Takes it out of its loop, and hands over what is to be let go once all is in order.
    func unlink() -> ImmediateJob? {
        if let immediate = asImmediate { return immediate.unlink() }
        RequestPointer(OpaquePointer(self)).leaveQueue()
        return nil
    }

    func run() {
        if let immediate = asImmediate { immediate.run() } else { RequestPointer(OpaquePointer(self)).deliver() }
    }
}
