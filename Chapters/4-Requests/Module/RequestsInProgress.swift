import Talloc
import Tevent

// snippet: search
/// The requests that have not ended yet, `memory` included and the outermost first.
///
/// When a loop has nothing left to wait for, these are the ones that nobody will ever end.
///
/// - Parameter memory: Where to look: all that is below it is looked at.
/// - Complexity: O(*n*) for *n* chunks of memory.
public func requestsInProgress(below memory: some TallocObject) -> [AnyRequest] {
    let request = AnyRequest(memory.tallocContext).flatMap { $0.isInProgress ? $0 : nil }
    return [request].compactMap(\.self) + memory.children.flatMap { requestsInProgress(below: $0) }
}
// snippet-end: search
