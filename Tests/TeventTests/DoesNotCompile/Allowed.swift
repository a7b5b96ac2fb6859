import Talloc
import Tevent

// What nobody else uses can be given away.

final class Work {
    var steps = 0
}

func sendARoot(_ proxy: ThreadProxy) throws {
    let memory = try TallocContext()
    _ = try TallocChunk(Work(), under: memory)
    try proxy.schedule(memory: memory) { _, memory in memory.free() }
}

func sendWithAParentThatNobodyUsesAnyMore(_ proxy: ThreadProxy) throws {
    let parent = try TallocContext()
    let memory = try TallocContext(under: parent)
    try proxy.schedule(memory: memory) { _, memory in memory.free() }
}

func sendOn(_ proxy: ThreadProxy, _ next: ThreadProxy) throws {
    try proxy.schedule(Work()) { _, work in
        try? next.schedule(work) { _, work in work.steps += 1 }
    }
    try proxy.schedule(memory: TallocChunk(Work())) { _, chunk in
        try? next.schedule(memory: chunk) { _, chunk in chunk.value.steps += 1 }
    }
}

func sendWhatCouldNotBeSent(_ proxy: ThreadProxy, _ other: ThreadProxy) throws {
    do {
        try proxy.schedule(Work()) { _, _ in }
    } catch {
        guard let work = error.takePayload() else { return }
        try other.schedule(work) { _, work in work.steps += 1 }
    }
}

func giveALoopToAThread() throws {
    let events = try EventContext()
    let inbox = try ThreadInbox(on: events)
    let proxy = inbox.proxy
    let thread = try SystemThread(named: "loop") {
        defer { events.free() }
        return try events.loopWait()
    }
    try proxy.schedule { $0.stop() }
    print(try thread.join())
}
