import Synchronization
import Talloc
import Tevent

// An object that no other code uses can be given away, and an object made to be shared can be shared.

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

// MARK: What is made to be shared

struct Message: Sendable {
    let proxy: ThreadProxy
    let trigger: ThreadTrigger
    let address: SocketAddress
    let due: EventInstant
    let signal: Signal
}

struct Unsent: Error { let proxy: ThreadProxy }

enum Directory {
    static let proxies = Mutex<[String: ThreadProxy]>([:])
    @TaskLocal static var proxy: ThreadProxy?
}

actor Sender {
    var proxy: ThreadProxy?
    func keep(_ proxy: ThreadProxy) { self.proxy = proxy }
    func send() throws { try proxy?.schedule { $0.stop() } }
}

func shareProxies(_ proxy: ThreadProxy, _ trigger: ThreadTrigger, _ sender: Sender) async throws {
    Directory.proxies.withLock { $0["main"] = proxy }
    await sender.keep(proxy)
    try await sender.send()
    async let isClosed = proxy.isClosed
    Task.detached { try trigger.schedule() }
    await withDiscardingTaskGroup { group in
        for _ in 0..<2 { group.addTask { try? proxy.schedule { $0.stop() } } }
    }
    if await isClosed { throw Unsent(proxy: proxy) }
}

func shareAThread(_ proxy: ThreadProxy) throws {
    let thread = try SystemThread(named: "a") { try proxy.schedule { $0.stop() } }
    _ = try SystemThread(named: "b") { try thread.join() }
}

func sendAny(_: any Sendable) {}

func sendTypes(_ memory: TallocContext) {
    sendAny(EventContext.self)
    sendAny(\Signal.rawValue)
    sendAny(memory.isFreed)
    Task.detached { print(TallocChunk<Int>.self) }
}

// MARK: What belongs to one thread, on that thread

func useArrivedMemory(_ proxy: ThreadProxy) throws {
    try proxy.schedule(memory: TallocChunk(Work())) { events, chunk in
        chunk.move(under: events)
        chunk.value.steps += 1
        _ = try? events.addTimer(after: .zero) { _, _ in chunk.free() }
    }
}

func useTheLoopOfAMessage(_ proxy: ThreadProxy) throws {
    try proxy.schedule { events in
        _ = try? ImmediateEvent(under: events).schedule(on: events) { immediate, _ in immediate.free() }
        _ = try? Request(Work(), under: events).setCallback { $0.free() }
    }
}

func runALoopInATask() {
    Task {
        let events = try EventContext()
        defer { events.free() }
        return try events.loopWait()
    }
}

@MainActor final class Window {
    let events: EventContext
    init() throws { events = try EventContext() }
    func run() throws { try events.loopWait() }
    isolated deinit { events.free() }
}

actor Keeper {
    private let memory: TallocContext
    init() throws { memory = try TallocContext() }
    func count() -> Int { memory.totalBlocks }
}

func putMemoryAside() throws {
    let box = Mutex<TallocContext?>(try TallocContext())
    box.withLock { memory in
        _ = memory?.free()
        memory = nil
    }
}
