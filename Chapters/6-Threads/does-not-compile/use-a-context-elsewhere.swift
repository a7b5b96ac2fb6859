import Talloc
import Tevent

// snippet: wrong
func runOnTwoThreads(_ events: EventContext) throws {
    _ = try SystemThread(named: "b") { try events.loopWait() }  // error: passing closure as a 'sending' parameter
    try events.loopWait()
}
// snippet-end: wrong
