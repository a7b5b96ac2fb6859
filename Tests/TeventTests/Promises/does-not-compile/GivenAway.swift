import Talloc
import Tevent

// A value that was given away cannot be used any more, and a value that other code owns cannot be given away.

final class Work {
    var steps = 0
}

func useAPayloadAfterSendingIt(_ proxy: ThreadProxy) throws {
    let work = Work()
    try proxy.schedule(work) { _, work in work.steps += 1 }  // error: sending 'work' risks causing data races
    print(work.steps)
}

func sendWhatTheCallerKeeps(_ proxy: ThreadProxy, _ work: Work) throws {
    try proxy.schedule(work) { _, _ in }  // error: sending 'work' risks causing data races
}

func useMemoryAfterSendingIt(_ proxy: ThreadProxy) throws {
    let memory = try TallocContext()
    try proxy.schedule(memory: memory) { _, _ in }  // error: sending 'memory' risks causing data races
    print(memory.isFreed)
}

func useAChildAfterSendingItsParent(_ proxy: ThreadProxy) throws {
    let memory = try TallocContext()
    let chunk = try TallocChunk(1, under: memory)
    try proxy.schedule(memory: memory) { _, _ in }  // error: sending 'memory' risks causing data races
    print(chunk.value)
}

func sendMemoryBelowAParentInUse(_ proxy: ThreadProxy) throws {
    let parent = try TallocContext()
    let memory = try TallocContext(under: parent)
    try proxy.schedule(memory: memory) { _, _ in }  // error: sending 'memory' risks causing data races
    parent.free()
}

func sendMemoryBelowTheCallersParent(_ proxy: ThreadProxy, _ parent: TallocContext) throws {
    let memory = try TallocContext(under: parent)
    try proxy.schedule(memory: memory) { _, _ in }  // error: sending 'memory' risks causing data races
}

func useAPayloadAfterSendingItOn(_ proxy: ThreadProxy, _ next: ThreadProxy) throws {
    try proxy.schedule(Work()) { _, work in
        try? next.schedule(work) { _, work in work.steps += 1 }  // error: sending 'work' risks causing data races
        print(work.steps)
    }
}

func useAnUnsentPayloadAfterSendingItAgain(_ proxy: ThreadProxy) throws {
    do {
        try proxy.schedule(Work()) { _, _ in }
    } catch {
        guard let work = error.takePayload() else { return }
        try proxy.schedule(work) { _, _ in }  // error: sending 'work' risks causing data races
        print(work.steps)
    }
}

func runALoopThatTheCallerUses(_ events: EventContext) throws {
    _ = try SystemThread(named: "loop") {  // error: passing closure as a 'sending' parameter risks causing data races
        try events.loopWait()  // without
    }
}

func useALoopThatAThreadRuns() throws {
    let events = try EventContext()
    _ = try SystemThread(named: "loop") {  // error: sending value of non-Sendable type
        try events.loopWait()
    }
    events.free()  // without
}
