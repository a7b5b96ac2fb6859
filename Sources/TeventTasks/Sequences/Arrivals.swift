import Talloc
import Tevent

/// What has arrived for a sequence, and the task that waits for more.
final class Arrivals<Element> {
    /// The elements that have arrived and will be taken next, the first one last.
    private var first: [Element] = []
    /// Those that have arrived after them, the latest one last.
    private var rest: [Element] = []
    private var waiting: Request<Arrival>?

    /// Adds an element after the others.
    func add(_ element: Element) {
        rest.append(element)
        announce()
    }

    /// Combines an element with the one that waits, if there is one.
    func add(_ element: Element, combine: (_ earlier: Element, _ new: Element) -> Element) {
        rest = [rest.first.map { combine($0, element) } ?? element]
        announce()
    }

    private func take() -> Element? {
        if first.isEmpty {
            first = rest.reversed()
            rest = []
        }
        return first.popLast()
    }

    private func announce() {
        guard let request = waiting.take(), !request.isFreed, request.isInProgress else { return }
        request.finish()
    }

    /// Waits for the next element.
    ///
    /// - Parameter event: What makes the elements; when it is freed, the wait ends.
    func next(under event: some TallocObject) async throws -> Element {
        while true {
            guard !event.isFreed else { throw TaskError.freed }
            if let element = take() { return element }
            if let waiting, !waiting.isFreed, waiting.isInProgress {
                abort(
                    "two tasks iterate over one sequence of a loop; make one for each, or let one task pass elements on"
                )
            }
            let request = try Request(Arrival(), under: event)
            waiting = request
            try await request.value
        }
    }
}

/// The state of a request that ends when an element arrives.
private struct Arrival: ReceivableState, CancellableState {
    static func receive(_ request: Request<Arrival>) throws { try request.receive { _ in } }

    static func cancel(_ request: AnyRequest) -> Bool {
        request.fail(RequestError.cancelled)
        return true
    }
}
