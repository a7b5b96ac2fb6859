import Talloc
import Tevent

extension Request {
    /// Frees all that is below the request except its state: what it began is not to go on when it has ended.
    ///
    /// The youngest goes first, so a request goes before what holds its descriptor.
    func freeSubrequests() {
        freeChildren()
    }
}
