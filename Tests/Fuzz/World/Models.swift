import Talloc
import Tevent

/// What a program knows of an immediate.
final class ImmediateModel {
    let event: ImmediateEvent
    /// What it was last scheduled with.
    var job: ForeignModel?

    init(_ event: ImmediateEvent) { self.event = event }
}

/// What a program knows of a signal event.
final class SignalModel {
    /// Nil while it is being added.
    var event: SignalEvent?
    let signal: Signal
    /// How often the signal had been raised when the event was added.
    let start: Int
    /// How many arrivals it has been told.
    var told = 0

    init(_ signal: Signal, start: Int) {
        self.signal = signal
        self.start = start
    }
}

/// What a program knows of a request whose state is one of its own.
final class RequestModel {
    let request: AnyRequest
    /// Which of ``World/valueTypes`` its state is of.
    let type: Int
    /// What was last set as its callback, before it ended.
    var callback: ForeignModel?
    /// The contexts whose loops may have to call it.
    var loops: [EventContext] = []
    /// The chunk that the state has moved to, if that was asked for.
    var stateChunk: TallocContext?

    init(_ request: AnyRequest, type: Int) {
        self.request = request
        self.type = type
    }

    /// Whether its state is there to be used.
    var hasState: Bool { request.status != .received && stateChunk?.isFreed != true }
}

/// What a program knows of an inbox, or of a threaded immediate.
final class InboxModel {
    let object: TallocContext
    let context: EventContext
    /// Its messages are counted under this number.
    let number: Int

    init(_ object: TallocContext, context: EventContext, number: Int) {
        self.object = object
        self.context = context
        self.number = number
    }
}
