import Talloc
import Tevent

// snippet: wrong
func sendTheInbox(_ inbox: ThreadInbox, to other: ThreadProxy) throws {
    try other.schedule(inbox) { _, inbox in try? inbox.proxy.schedule { _ in } }  // error: sending 'inbox' risks
    inbox.free()
}
// snippet-end: wrong
