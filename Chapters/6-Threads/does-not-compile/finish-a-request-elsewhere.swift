import Talloc
import Tevent

// snippet: wrong
func wrong(_ proxy: ThreadProxy, _ request: Request<Int>) throws {
    try proxy.schedule { _ in
        request.finish()  // error: the request belongs to the thread that made it
    }
}
// snippet-end: wrong
