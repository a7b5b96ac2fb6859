import Synchronization
import Talloc
import Tevent

// A box that any thread may open takes only what its owner gives away, and gives out only what it releases.

func putAsideWhatIsKept(_ events: EventContext) {
    _ = Mutex(events)  // error: sending 'events' risks causing data races
}

func putAsideAndGoOn() throws {
    let memory = try TallocContext()
    let box = Mutex(memory)  // error: sending 'memory' risks causing data races
    memory.free()
    box.withLock { _ = $0.free() }  // without
}

func putIntoABox(_ box: borrowing Mutex<EventContext?>, _ events: EventContext) {
    box.withLock { $0 = events }  // error: 'inout sending' parameter '$0' cannot be task-isolated at end of function
}

func takeOutOfABox(_ box: borrowing Mutex<TallocContext?>) {
    var memory: TallocContext?
    box.withLock { memory = $0 }  // error: 'inout sending' parameter '$0' cannot be task-isolated at end of function
    _ = memory?.free()
}

func takeOutIntoAnObject(_ box: borrowing Mutex<TallocContext?>) {
    final class Holder { var memory: TallocContext? }
    let holder = Holder()
    box.withLock { holder.memory = $0 }  // error: 'inout sending' parameter '$0' cannot be task-isolated at end of
    _ = holder.memory?.free()
}

func putAFunctionAside(_ events: EventContext) {
    _ = Mutex({ events.stop() })  // error: sending value of non-Sendable type '() -> ()' risks causing data races
}

// MARK: Parameters that are given away

func give(_: sending EventContext) {}
func giveFunction(_: sending @escaping () -> Void) {}
func giveGeneric<Value>(_: sending Value) {}

func giveWhatIsKept(_ events: EventContext) {
    give(events)  // error: sending 'events' risks causing data races
}

func giveTwice() throws {
    let events = try EventContext()
    give(events)  // error: sending 'events' risks causing data races
    give(events)
}

func giveAPart(_ events: EventContext) throws {
    giveGeneric(try events.addTimer(after: .zero) { _, _ in })  // error: sending value of non-Sendable
}

func giveAPartAndGoOn() throws {
    let events = try EventContext()
    let timer = try events.addTimer(after: .zero) { _, _ in }
    giveGeneric(timer)  // error: sending 'timer' risks causing data races
    events.free()
}

func giveWhatAHandlerUses() throws {
    let events = try EventContext()
    let memory = try TallocContext()
    try events.addTimer(after: .zero) { _, _ in memory.free() }
    give(events)  // error: sending 'events' risks causing data races
    memory.free()
}

func giveAFunction(_ events: EventContext) {
    giveFunction { events.stop() }  // error: passing closure as a 'sending' parameter risks causing data races
}

func giveTheParent(_ request: Request<Int>) {
    giveGeneric(request.parent)  // error: sending 'request.parent' risks causing data races
}

func giveTheState(_ request: Request<TallocContext>) {
    giveGeneric(request.state)  // error: sending value of non-Sendable type 'TallocContext' risks causing data races
}

func giveTheValue(_ chunk: TallocChunk<[TallocContext]>) {
    giveGeneric(chunk.value)  // error: sending value of non-Sendable type '[TallocContext]' risks causing data races
}

func returnWhatIsKept(_ events: EventContext) -> sending EventContext { events }  // error: sending 'events' risks
