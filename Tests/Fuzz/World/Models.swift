import Talloc
import Tevent

/// What a program knows about an immediate.
final class ImmediateModel {
    let event: ImmediateEvent
    /// What it was last scheduled with.
    var job: ForeignModel?

    init(_ event: ImmediateEvent) { self.event = event }
}

/// What a program knows about a signal event.
final class SignalModel {
    /// Nil while it is being added.
    var event: SignalEvent?
    let signal: Signal
    /// How often the signal had been raised when the event was added.
    var start: Int
    /// How many arrivals it has been notified of.
    var told = 0

    init(_ signal: Signal, start: Int) {
        self.signal = signal
        self.start = start
    }
}

/// What a program knows about a request with a state of the program's own.
final class RequestModel {
    let request: AnyRequest
    /// The type of its state, as an index into ``World/valueTypes``.
    let type: Int
    /// The callback that was last set before it ended.
    var callback: ForeignModel?
    /// The contexts whose loops may have to call it.
    var loops: [EventContext] = []
    /// The chunk to which the state has moved, if that was requested.
    var stateChunk: TallocContext?

    init(_ request: AnyRequest, type: Int) {
        self.request = request
        self.type = type
    }

    /// Whether its state can be used.
    var hasState: Bool { request.status != .received && stateChunk?.isFreed != true }
}

/// What a program knows about an inbox, or a threaded immediate.
final class InboxModel {
    let object: TallocContext
    let context: EventContext
    /// The number under which its messages are counted.
    let number: Int

    init(_ object: TallocContext, context: EventContext, number: Int) {
        self.object = object
        self.context = context
        self.number = number
    }
}
