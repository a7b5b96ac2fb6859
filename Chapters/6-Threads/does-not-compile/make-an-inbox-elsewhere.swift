import Talloc
import Tevent

// snippet: wrong
func wrong(_ mastersEvents: EventContext) throws {
    let child = try SystemThread(named: "child") {
        try ThreadInbox(on: mastersEvents).proxy  // error: the master's context, in the child's thread
    }
    _ = try child.join()
    try mastersEvents.loopWait()
}
// snippet-end: wrong
