import Talloc
import Tevent

// snippet: wrong
func wrong(_ proxy: ThreadProxy, _ events: EventContext) throws {
    let list = try TallocChunk([1, 2, 3], under: events)
    try proxy.schedule(memory: list) { _, _ in }  // error: it is part of what the thread goes on using
    try events.loopWait()
}
// snippet-end: wrong
