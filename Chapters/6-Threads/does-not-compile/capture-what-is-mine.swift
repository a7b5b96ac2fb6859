import Talloc
import Tevent

// snippet: wrong
func wrong(_ proxy: ThreadProxy, _ events: EventContext) throws {
    var isFinished = false
    try proxy.schedule { _ in
        isFinished = true  // error: it would run on the other thread
    }
    try events.loop { isFinished }
}
// snippet-end: wrong
