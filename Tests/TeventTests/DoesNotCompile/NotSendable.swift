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
