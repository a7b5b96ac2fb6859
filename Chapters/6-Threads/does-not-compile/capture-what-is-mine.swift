import Talloc
import Tevent

// snippet: wrong
func waitForAVariable(_ proxy: ThreadProxy, _ events: EventContext) throws {
    var isFinished = false
    try proxy.schedule { _ in isFinished = true }  // error: mutation of captured var 'isFinished'
    try events.loop { isFinished }
}
// snippet-end: wrong
