import Talloc
import Tevent

// snippet: wrong
func wrong(_ inbox: ThreadInbox) throws {
    let thread = try SystemThread(named: "sender") {
        try inbox.proxy.schedule { _ in }  // error: the inbox stays at home, the proxy travels
    }
    try thread.join()
    inbox.free()
}
// snippet-end: wrong
