import Talloc
import Tevent

// snippet: wrong
func finishElsewhere(_ request: Request<Int>, _ proxy: ThreadProxy) throws {
    try proxy.schedule { _ in request.finish() }  // error: capture of 'request' with non-Sendable type 'Request<Int>'
}
// snippet-end: wrong
