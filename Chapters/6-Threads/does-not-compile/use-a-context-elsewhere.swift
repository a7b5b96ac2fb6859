import Talloc
import Tevent

// snippet: wrong
func wrong(_ events: EventContext) throws {
    let thread = try SystemThread(named: "other") {
        try events.loopWait()  // error: the context belongs to another thread
    }
    try events.loopWait()
    try thread.join()
}
// snippet-end: wrong
