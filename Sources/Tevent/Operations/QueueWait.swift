import Talloc

/// Waiting for a place at the front of a queue, as a request; its state.
///
/// Whoever holds such a request that is done has the queue for itself: everybody behind it waits until the request is
/// freed. Everything added before has been freed by then, so it is a barrier as well.
///
/// The corresponding C type is hidden behind `tevent_queue_wait_send()`.
public struct QueueWait {
    private init() {}

    /// Begins to wait until all that is in the queue now is gone.
    ///
    /// - Parameters:
    ///   - queue: Where to wait.
    ///   - events: Whose loop ends the request.
    ///   - parent: What the request is freed with.
    /// - Returns: A request that can be cancelled. Freeing it lets the queue go on.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing is left behind then.
    ///
    /// The corresponding C function is `tevent_queue_wait_send()`.
    public static func send(
        in queue: RequestQueue, on events: EventContext, under parent: some TallocObject,
        file: StaticString = #fileID, line: UInt32 = #line
    ) throws(TeventError) -> Request<QueueWait> {
        let request = try Request(QueueWait(), under: parent, file: file, line: line)
        request.allowCancelling()
        do throws(TeventError) {
            try queue.add(request, on: events) { $0.finish() }
        } catch {
            request.fail(error)
            request.post(on: events)
        }
        return request
    }
}

extension Request<QueueWait> {
    /// Throws unless the turn came; the queue waits on until the request is freed.
    ///
    /// - Throws: ``RequestError/cancelled``, ``RequestError/timedOut``, or ``TeventError/outOfMemory(name:)``.
    ///
    /// The corresponding C function is `tevent_queue_wait_recv()`.
    public func receive() throws { try receive { _ in } }
}
