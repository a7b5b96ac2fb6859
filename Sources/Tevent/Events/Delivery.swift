import Glibc
import Talloc

typealias DeliveryPointer = UnsafeMutablePointer<Delivery>

/// A batch of messages, queued as one immediate.
///
/// One message runs per turn, as with immediates. A message has one link where a list would need three words: one
/// processor reads what another wrote, so every cache line counts.
struct Delivery {
    var scheduled: Scheduled
    /// The next message to run; a waiting delivery has at least one.
    fileprivate var first: MessagePointer?
    /// The process in which the messages arrived.
    fileprivate var process = Fork.generation

    fileprivate static let act: ScheduledAct = { object, leftBehind in
        let delivery = object.unsafelyUnwrapped.assumingMemoryBound(to: Delivery.self)
        guard let leftBehind else { return delivery.run() }
        let context = delivery.pointee.scheduled.prefix.context.unsafelyUnwrapped
        // Leaving may free the delivery. What was the parent's has already been disowned.
        guard let rest = delivery.leave(context) else { return }
        let process = Fork.generation
        addToLeftBehind(leftBehind) { rest.list.discardAll(of: process) }
    }

    fileprivate init(slot: HandleSlotPointer, file: StaticString = #fileID) {
        scheduled = Scheduled(prefix: EventPrefix(slot: slot, file: file.cString, line: #line))
    }
}

extension DeliveryPointer {
    /// Creates a delivery without messages.
    fileprivate static func make() -> DeliveryPointer {
        let delivery = allocate(capacity: 1)
        guard let slot = HandleSlotPointer.acquire(for: delivery, kind: .delivery) else {
            abort("out of memory: messages could not be received")
        }
        delivery.initialize(to: Delivery(slot: slot))
        return delivery
    }

    /// Frees a delivery that is not queued.
    func free() {
        pointee.scheduled.prefix.slot.release()
        deallocate()
    }

    var scheduled: ScheduledPointer { ScheduledPointer(OpaquePointer(self)) }

    /// Whether a fork has left its messages to the parent.
    var isOfParent: Bool { pointee.process != Fork.generation }

    /// Runs when the loop has come to the first message.
    func run() {
        let context = pointee.scheduled.prefix.context.unsafelyUnwrapped
        let message = pointee.first.unsafelyUnwrapped
        pointee.first = message.pointee.neighbour
        if pointee.first == nil { leave(context) }
        if isRecording { return message.openRecorded(on: context) }
        message.open(on: context.handle)
    }

    /// Takes the delivery out of its context, and returns the messages that have not run, linked in the order they
    /// arrived.
    @discardableResult
    func leave(_ context: ContextPointer) -> MessagePointer? {
        let rest = pointee.first
        pointee.first = nil
        scheduled.remove(from: context)
        // Keep it for the next messages, which will usually find it here.
        if context.pointee.spareDelivery == nil, context.pointee.channel != nil {
            context.pointee.spareDelivery = self
        } else {
            free()
        }
        return rest
    }

    /// Takes out the messages of the receiver with this slot; the delivery may be freed afterwards.
    func takeMessages(of receiver: HandleSlotPointer, from context: ContextPointer) -> [MessagePointer] {
        var taken: [MessagePointer] = []
        var (first, last): (MessagePointer?, MessagePointer?) = (nil, nil)
        var rest = pointee.first
        while let message = rest {
            rest = message.pointee.neighbour
            if message.receiver.slot == receiver {
                taken.append(message)
            } else {
                if let last { last.pointee.neighbour = message } else { first = message }
                last = message
            }
        }
        last?.pointee.neighbour = nil
        pointee.first = first
        if first == nil { leave(context) }
        return taken
    }
}

extension MessagePointer {
    @inline(never)
    fileprivate func openRecorded(on context: ContextPointer) {
        addRecord(.begin, receiver.object, of: .receiver, on: context, value: Int64(Int(bitPattern: self)))
        open(on: context.handle)
        recordEnd()
    }

    /// Records that the loop has found these messages.
    @inline(never)
    fileprivate func recordArrival(on context: ContextPointer) {
        for message in list {
            addRecord(
                .arrived, message.receiver.object, of: .receiver, on: context, value: Int64(Int(bitPattern: message)))
        }
    }
}

extension ContextPointer {
    /// Queues messages, linked in order, after all immediates.
    func deliver(_ first: MessagePointer) {
        let delivery = pointee.spareDelivery ?? .make()
        pointee.spareDelivery = nil
        delivery.pointee.first = first
        delivery.pointee.process = Fork.generation
        delivery.scheduled.append(to: self, as: .delivery, Delivery.act)
        if isRecording { first.recordArrival(on: self) }
    }
}

extension ScheduledPointer {
    /// The delivery at this place, or nil if it is something else.
    var asDelivery: DeliveryPointer? { isOf(.delivery) ? DeliveryPointer(OpaquePointer(self)) : nil }
}
