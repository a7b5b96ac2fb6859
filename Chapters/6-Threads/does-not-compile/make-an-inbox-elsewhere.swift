import Talloc
import Tevent

// snippet: wrong
func makeInboxInChild(_ master: EventContext) throws {
    _ = try SystemThread(named: "child") { try ThreadInbox(on: master).proxy }  // error: passing closure as a 'sending'
    try master.loopWait()
}
// snippet-end: wrong
