import Talloc
import Tevent

// snippet: wrong
func sendPartOfATree(_ proxy: ThreadProxy, _ events: EventContext) throws {
    let list = try TallocChunk([1, 2, 3], under: events)
    try proxy.schedule(memory: list) { _, _ in }  // error: sending 'list' risks causing data races
    try events.loopWait()
}
// snippet-end: wrong
