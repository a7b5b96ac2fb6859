import Talloc
import Tevent

// None of these may be taken to another thread.

struct State {}

func share(_ events: EventContext, _ memory: TallocContext, _ proxy: ThreadProxy) throws {
    let chunk = try TallocChunk(1, under: memory)
    let inbox = try ThreadInbox(on: events)
    let immediate = try ImmediateEvent(under: memory)
    let threaded = try ThreadedImmediate(on: events) { _, _ in }
    let timer = try events.addTimer(after: .zero) { _, _ in }
    let queue = try RequestQueue(label: "queue", under: memory)
    let request = try Request(State(), under: memory)

    try proxy.schedule { _ in print(events) }  // error: capture of 'events'
    try proxy.schedule { _ in print(memory) }  // error: capture of 'memory'
    try proxy.schedule { _ in print(chunk) }  // error: capture of 'chunk'
    try proxy.schedule { _ in print(inbox) }  // error: capture of 'inbox'
    try proxy.schedule { _ in print(immediate) }  // error: capture of 'immediate'
    try proxy.schedule { _ in print(threaded) }  // error: capture of 'threaded'
    try proxy.schedule { _ in print(timer) }  // error: capture of 'timer'
    try proxy.schedule { _ in print(queue) }  // error: capture of 'queue'
    try proxy.schedule { _ in print(request) }  // error: capture of 'request'
}

// MARK: Functions that run elsewhere

func call(_ body: @Sendable () -> Void) {}

func captureInFunctions(_ events: EventContext, _ chunk: TallocChunk<Int>) {
    call { events.stop() }  // error: capture of 'events' with non-Sendable type 'EventContext'
    call { [chunk] in chunk.value = 1 }  // error: capture of 'chunk' with non-Sendable type 'TallocChunk<Int>'
    call(events.stop)  // error: converting non-Sendable function value to '@Sendable () -> Void'
    let stop = { events.stop() }
    call(stop)  // error: converting non-Sendable function value to '@Sendable () -> Void'
    @Sendable func free() { events.free() }  // error: capture of 'events' with non-Sendable type 'EventContext' in a
}

func captureAVariable(_ proxy: ThreadProxy) throws {
    var proxies: [ThreadProxy] = []
    try proxy.schedule { _ in print(proxies) }  // error: reference to captured var 'proxies' in concurrently-executing
    proxies.append(proxy)
}

func captureTheLoopOfAMessage(_ proxy: ThreadProxy, _ next: ThreadProxy) throws {
    try proxy.schedule { events in
        try? next.schedule { _ in events.stop() }  // error: capture of 'events' with non-Sendable type 'EventContext'
    }
}

func captureAGenericState<State>(_ proxy: ThreadProxy, _ state: State) throws {
    try proxy.schedule { _ in print(state) }  // error: capture of 'state' with non-Sendable type 'State'
}

func setAnAbortHook(_ events: EventContext) {
    TallocLibrary.setAbortHook { _ in events.stop() }  // error: capture of 'events' with non-Sendable
}

func returnFromAThread() throws {
    _ = try SystemThread(named: "a") { try EventContext() }  // error: conformance of 'EventContext' to 'Sendable'
}

// MARK: What isolated objects keep

actor Keeper {
    var events: EventContext?
    let queue: RequestQueue

    init(_ queue: sending RequestQueue) { self.queue = queue }
    nonisolated var name: String { queue.name }  // error: actor-isolated property 'queue' can not be referenced
}

@MainActor final class Window { var events: EventContext? }

func readFromAnActor(_ keeper: Keeper) async {
    _ = await keeper.events  // error: non-Sendable type 'EventContext?' of property 'events' cannot exit
}

func readAConstantFromAnActor(_ keeper: Keeper) async {
    _ = await keeper.queue  // error: non-Sendable type 'RequestQueue' of property 'queue' cannot exit
}

func readFromTheMainActor(_ window: Window) async {
    _ = await window.events  // error: non-Sendable type 'EventContext?' of property 'events' cannot exit
}
