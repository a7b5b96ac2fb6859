import Chapter1ContextAndLoops
import Chapter2Events
import Chapter3AccessingData
import Chapter4Requests
import Chapter5Queues
import Chapter6Threads
import Talloc
import Tevent
import TeventExtras

// The chapters' types belong to one thread as well, except for those made to be shared.

func take<T: Sendable>(_: T.Type) {}

func takeTypesThatHoldHandles() {
    take(EventLog.self)  // error: type 'EventLog' does not conform to the 'Sendable' protocol
    take(EventLists.self)  // error: type 'EventLists' does not conform to the 'Sendable' protocol
    take(LineReader.self)  // error: type 'LineReader' does not conform to the 'Sendable' protocol
    take(Ticker.self)  // error: type 'Ticker' does not conform to the 'Sendable' protocol
    take(Witness.self)  // error: type 'Witness' does not conform to the 'Sendable' protocol
    take(Echo.self)  // error: type 'Echo' does not conform to the 'Sendable' protocol
    take(EchoServer.self)  // error: type 'EchoServer' does not conform to the 'Sendable' protocol
    take(CallTrace.self)  // error: conformance of 'CallTrace' to 'Sendable' is unavailable
    take(QueuedWrite.self)  // error: type 'QueuedWrite' does not conform to the 'Sendable' protocol
    take(SlowReader.self)  // error: conformance of 'SlowReader' to 'Sendable' is unavailable
    take(EchoCores.self)  // error: type 'EchoCores' does not conform to the 'Sendable' protocol
    take(Answer<Int>.self)  // error: type 'Answer<Int>' does not conform to the 'Sendable' protocol
    take(Request<Echo>.self)  // error: conformance of 'Request<State>' to 'Sendable' is unavailable
}

func makeWhatNeedsSendable(_ events: EventContext, _ worker: Worker<Int>) throws {
    _ = try Answer<EventContext>.expect(on: events, under: events)  // error: conformance of 'EventContext' to
    let _: Reply<AnyRequest>?  // error: conformance of 'AnyRequest' to 'Sendable' is unavailable
    _ = Mailbox<Int>.self  // error: cannot find 'Mailbox' in scope
    _ = try worker.askAndWait { events, _ in events }  // error: conformance of 'EventContext' to 'Sendable' is
    _ = try worker.askAndWait { _, state in state }  // error: conformance of 'TallocChunk<Value>' to 'Sendable'
}

func captureWhatIsTheCallers(_ events: EventContext, _ worker: Worker<Int>, _ reader: LineReader) throws {
    try worker.schedule { _, _ in events.stop() }  // error: capture of 'events' with non-Sendable type 'EventContext'
    try worker.schedule { _, _ in reader.free() }  // error: capture of 'reader' with non-Sendable type 'LineReader'
    try worker.askAndWait { _, _ in events.stop() }  // error: capture of 'events' with non-Sendable type 'EventContext'
    let _: Request<Answer<Int>> = try worker.ask(on: events, under: events) { _, _, reply in
        reply.send(events.hasEvents ? 1 : 0)  // error: capture of 'events' with non-Sendable type 'EventContext'
    }
    _ = try Worker<Int>(named: "a") { _ in events.totalBlocks }  // error: capture of 'events' with non-Sendable type
}
