import Talloc
import Tevent

// No type that gives access to a thread's memory is Sendable, and no type built from one is.

func take<T: Sendable>(_: T.Type) {}

func takeTypesOfMemory() {
    take(TallocHandle.self)  // error: conformance of 'TallocHandle' to 'Sendable' is unavailable
    take(TallocContext.self)  // error: conformance of 'TallocContext' to 'Sendable' is unavailable
    take(TallocPool.self)  // error: conformance of 'TallocPool' to 'Sendable' is unavailable
    take(TallocChunk<Int>.self)  // error: conformance of 'TallocChunk<Value>' to 'Sendable' is unavailable
    take((any TallocObject).self)  // error: type 'any TallocObject' does not conform to the 'Sendable' protocol
}

func takeTypesOfTheLoop() {
    take(EventContext.self)  // error: conformance of 'EventContext' to 'Sendable' is unavailable
    take(FDEvent.self)  // error: conformance of 'FDEvent' to 'Sendable' is unavailable
    take(TimerEvent.self)  // error: conformance of 'TimerEvent' to 'Sendable' is unavailable
    take(SignalEvent.self)  // error: conformance of 'SignalEvent' to 'Sendable' is unavailable
    take(ImmediateEvent.self)  // error: conformance of 'ImmediateEvent' to 'Sendable' is unavailable
    take(ThreadInbox.self)  // error: conformance of 'ThreadInbox' to 'Sendable' is unavailable
    take(ThreadedImmediate.self)  // error: conformance of 'ThreadedImmediate' to 'Sendable' is unavailable
    take(ManualClock.self)  // error: conformance of 'ManualClock' to 'Sendable' is unavailable
    take((any Event).self)  // error: type 'any Event' does not conform to the 'Sendable' protocol
}

func takeTypesOfRequests() {
    take(Request<Int>.self)  // error: conformance of 'Request<State>' to 'Sendable' is unavailable
    take(AnyRequest.self)  // error: conformance of 'AnyRequest' to 'Sendable' is unavailable
    take(RequestQueue.self)  // error: conformance of 'RequestQueue' to 'Sendable' is unavailable
    take(RequestQueue.Entry.self)  // error: conformance of 'RequestQueue.Entry' to 'Sendable' is unavailable
    take(RequestProfile.self)  // error: conformance of 'RequestProfile' to 'Sendable' is unavailable
    take((any RequestProtocol).self)  // error: type 'any RequestProtocol' does not conform to the 'Sendable' protocol
}

func takeStates() {
    take(Read.self)  // error: type 'Read' does not conform to the 'Sendable' protocol
    take(Write.self)  // error: type 'Write' does not conform to the 'Sendable' protocol
    take(WriteAll.self)  // error: type 'WriteAll' does not conform to the 'Sendable' protocol
    take(Accept.self)  // error: type 'Accept' does not conform to the 'Sendable' protocol
    take(Connect.self)  // error: type 'Connect' does not conform to the 'Sendable' protocol
    take(Wakeup.self)  // error: type 'Wakeup' does not conform to the 'Sendable' protocol
    take(QueueWait.self)  // error: type 'QueueWait' does not conform to the 'Sendable' protocol
}

func takeHandlers() {
    take(ImmediateHandler.self)  // error: does not conform to the 'Sendable' protocol
    take(TimerHandler.self)  // error: does not conform to the 'Sendable' protocol
    take(FDHandler.self)  // error: does not conform to the 'Sendable' protocol
    take(SignalHandler.self)  // error: does not conform to the 'Sendable' protocol
    take(ThreadedImmediateHandler.self)  // error: does not conform to the 'Sendable' protocol
    take(NestingHook.self)  // error: does not conform to the 'Sendable' protocol
}

func takeWhatIsMadeOfThem() {
    take([EventContext].self)  // error: conformance of 'EventContext' to 'Sendable' is unavailable
    take(EventContext?.self)  // error: conformance of 'EventContext' to 'Sendable' is unavailable
    take([String: TimerEvent].self)  // error: conformance of 'TimerEvent' to 'Sendable' is unavailable
    take(Result<AnyRequest, any Error>.self)  // error: conformance of 'AnyRequest' to 'Sendable' is unavailable
    take((Int, ThreadInbox).self)  // error: conformance of 'ThreadInbox' to 'Sendable' is unavailable
    take(KeyPath<EventContext, Bool>.self)  // error: does not conform to the 'Sendable' protocol
    _ = TaskLocal<EventContext?>.self  // error: conformance of 'EventContext' to 'Sendable' is unavailable
    take(Mirror.self)  // error: conformance of 'Mirror' to 'Sendable' is unavailable
}

// MARK: Values, where something Sendable is asked for

func send<T: Sendable>(_: T) {}
func sendAny(_: any Sendable) {}

struct Key: Hashable {
    let events: EventContext
    func hash(into hasher: inout Hasher) {}
}

func sendValues(_ events: EventContext, _ object: any TallocObject, _ some: some TallocObject) {
    send(events)  // error: conformance of 'EventContext' to 'Sendable' is unavailable
    sendAny(events)  // error: conformance of 'EventContext' to 'Sendable' is unavailable
    send(events.tallocHandle)  // error: conformance of 'TallocHandle' to 'Sendable' is unavailable
    send(events.children)  // error: conformance of 'TallocContext' to 'Sendable' is unavailable
    send(object)  // error: type 'any TallocObject' does not conform to the 'Sendable' protocol
    send(some)  // error: type 'some TallocObject' does not conform to the 'Sendable' protocol
    let box: any Sendable = events  // error: conformance of 'EventContext' to 'Sendable' is unavailable
    if let cast = object as? any Sendable { send(cast) }  // error: marker protocol 'Sendable' cannot be used in a
    let path: KeyPath<[Key: Int], Int?> & Sendable = \.[Key(events: events)]  // error: does not conform to the
    let function: @Sendable () -> Bool = events.free  // error: converting non-Sendable function value
}
