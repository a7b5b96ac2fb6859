import Talloc
import Tevent

// snippet: search
/// The requests that have not ended yet, including `memory` itself, the outermost first.
///
/// When a loop has nothing left to wait for, no code will ever end these requests.
///
/// - Parameter memory: Where to look: at this object and everything below it.
/// - Complexity: O(*n*) for *n* chunks of memory.
public func requestsInProgress(below memory: some TallocObject) -> [AnyRequest] {
    let request = AnyRequest(memory.tallocContext).flatMap { $0.isInProgress ? $0 : nil }
    return [request].compactMap(\.self) + memory.children.flatMap { requestsInProgress(below: $0) }
}
// snippet-end: search
