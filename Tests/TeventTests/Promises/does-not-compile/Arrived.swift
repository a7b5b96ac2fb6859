import Synchronization
import Talloc
import Tevent

// Whatever has arrived on a thread belongs to it, and so does the loop on which it arrived.

final class Work { var steps = 0 }

func runTheLoopElsewhere(_ proxy: ThreadProxy) throws {
    try proxy.schedule { events in
        Task.detached { events.stop() }  // error: passing closure as a 'sending' parameter risks causing data races
    }
}

func startAThreadOnTheLoop(_ proxy: ThreadProxy) throws {
    try proxy.schedule { events in
        _ = try? SystemThread(named: "a") { events.stop() }  // error: passing closure as a 'sending' parameter risks
    }
}

func sendTheLoop(_ proxy: ThreadProxy, _ next: ThreadProxy) throws {
    try proxy.schedule { events in
        try? next.schedule(events) { _, events in events.stop() }  // error: sending 'events' risks causing data races
    }
}

func sendTheLoopAsMemory(_ proxy: ThreadProxy, _ next: ThreadProxy) throws {
    try proxy.schedule { events in
        try? next.schedule(memory: events) { _, events in events.free() }  // error: sending 'events' risks causing data
    }
}

func sendTheOwnerOfTheLoop(_ proxy: ThreadProxy, _ next: ThreadProxy) throws {
    try proxy.schedule { events in
        guard let owner = events.parent else { return }
        try? next.schedule(memory: owner) { _, owner in owner.free() }  // error: sending 'owner' risks causing data
    }
}

func putTheLoopAside(_ proxy: ThreadProxy, _ give: @escaping @Sendable (sending EventContext) -> Void) throws {
    try proxy.schedule { events in
        give(events)  // error: sending 'events' risks causing data races
    }
}

func joinWhatArrivesToTheLoopAndSendIt(_ proxy: ThreadProxy, _ next: ThreadProxy) throws {
    try proxy.schedule(memory: TallocContext()) { events, memory in
        memory.move(under: events)
        try? next.schedule(memory: memory) { _, memory in memory.free() }  // error: sending 'memory' risks causing data
    }
}

func sendWhatIsBelowWhatArrives(_ proxy: ThreadProxy, _ next: ThreadProxy) throws {
    try proxy.schedule(memory: TallocContext()) { _, memory in
        let child = memory.children[0]
        try? next.schedule(memory: child) { _, child in child.free() }  // error: sending 'child' risks causing data
        memory.free()
    }
}

func sendOnAndKeep(_ proxy: ThreadProxy, _ next: ThreadProxy) throws {
    try proxy.schedule(memory: TallocChunk(Work())) { _, chunk in
        let work = chunk.value
        try? next.schedule(memory: chunk) { _, chunk in chunk.free() }  // error: sending 'chunk' risks causing data
        work.steps += 1
    }
}

func sendOnToTwo(_ proxy: ThreadProxy, _ first: ThreadProxy, _ second: ThreadProxy) throws {
    try proxy.schedule(Work()) { _, work in
        try? first.schedule(work) { _, work in work.steps += 1 }  // error: sending 'work' risks causing data races
        try? second.schedule(work) { _, work in work.steps += 1 }
    }
}

func handAHandlerOfTheLoopWhatIsSentOn(_ proxy: ThreadProxy, _ next: ThreadProxy) throws {
    try proxy.schedule(Work()) { events, work in
        _ = try? events.addTimer(after: .zero) { _, _ in work.steps += 1 }
        try? next.schedule(work) { _, work in work.steps += 1 }  // error: sending 'work' risks causing data races
    }
}

func runATaskOnWhatArrivesAndGoOn(_ proxy: ThreadProxy) throws {
    try proxy.schedule(Work()) { _, work in
        Task { work.steps += 1 }  // error: sending value of non-Sendable type
        work.steps += 1  // without
    }
}

func sendAnEventOfTheLoop(_ events: EventContext, _ proxy: ThreadProxy) throws {
    try events.addFD(0, .read) { event, _ in
        try? proxy.schedule(event) { _, event in event.free() }  // error: sending 'event' risks causing data races
    }
}

func sendTheRequestOfACallback(_ request: Request<Int>, _ proxy: ThreadProxy) {
    request.setCallback { request in
        try? proxy.schedule(memory: request) { _, request in request.free() }  // error: sending 'request' risks causing
    }
}

func sendTheStateOfARequest(_ request: Request<Work>, _ proxy: ThreadProxy) throws {
    try proxy.schedule(request.state) { _, work in work.steps += 1 }  // error: sending value of non-Sendable type
}

func sendTheImmediateOfAThreadedOne(_ events: EventContext, _ proxy: ThreadProxy) throws {
    _ = try ThreadedImmediate(on: events) { immediate, _ in
        try? proxy.schedule(immediate) { _, immediate in immediate.free() }  // error: sending 'immediate' risks causing
    }
}

func sendWhatADestructorGets(_ memory: TallocContext, _ proxy: ThreadProxy) {
    memory.setDestructor { memory in
        try? proxy.schedule(memory: memory) { _, _ in }  // error: sending 'memory' risks causing data races
        return .refuse
    }
}

func keepAnUnsentPayloadInTwoPlaces(_ error: LoopEndedError<Work>) {
    guard let work = error.takePayload() else { return }
    let box = Mutex(work)  // error: sending 'work' risks causing data races
    work.steps += 1
    box.withLock { $0.steps += 1 }  // without
}
