import Talloc

package typealias ScheduledPointer = UnsafeMutablePointer<Scheduled>

/// The first bytes of what can wait among a context's immediates.
///
/// That is an immediate event, a request that was posted, a queue whose first entry is to be started, or messages from
/// other threads. Each joins the list itself instead of making an immediate, so joining needs no memory and cannot fail.
package struct Scheduled: Linked {
    /// Its context is nil unless it waits.
    package var prefix: EventPrefix
    package var next: ScheduledPointer?
    package var previous: ScheduledPointer?

    init(prefix: EventPrefix) { self.prefix = prefix }
}

extension ScheduledPointer {
    private var slot: HandleSlotPointer { pointee.prefix.slot }

    package var asImmediate: ImmediatePointer? { slot.isOf(.immediate) ? ImmediatePointer(OpaquePointer(self)) : nil }
    private var asRequest: RequestPointer? { slot.isOf(.request) ? RequestPointer(OpaquePointer(self)) : nil }
    private var asQueue: QueuePointer? { slot.isOf(.queue) ? QueuePointer(OpaquePointer(self)) : nil }
    var asDelivery: DeliveryPointer? { slot.isOf(.receiver) ? DeliveryPointer(OpaquePointer(self)) : nil }

    func append(to context: ContextPointer) {
        pointee.prefix.context = context
        context.pointee.immediates.append(self)
    }

    func remove(from context: ContextPointer) {
        context.pointee.immediates.remove(self)
        pointee.prefix.context = nil
    }

    /// Runs what has waited, when the loop has come to it.
    func run() {
        if let immediate = asImmediate {
            immediate.run()
        } else if let request = asRequest {
            request.deliver()
        } else if let queue = asQueue {
            queue.run()
        } else {
            DeliveryPointer(OpaquePointer(self)).run()
        }
    }

    /// Takes it out of a context that ends, and hands over what is to be let go once all is in order.
    func leave(_ context: ContextPointer) -> LeftBehind? {
        if let immediate = asImmediate { return immediate.unlink().map(LeftBehind.job) }
        if let request = asRequest {
            request.leaveQueue()
            return nil
        }
        if let delivery = asDelivery { return delivery.leave(context).map(LeftBehind.messages) }
        remove(from: context)
        return nil
    }
}

/// What waited in a context that has ended.
enum LeftBehind {
    case job(ImmediateJob)
    /// The first of some that are linked.
    case messages(MessagePointer)
}
