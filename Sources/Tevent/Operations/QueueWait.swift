import Talloc

/// Waits for a place at the front of a queue, as a request; this is its state.
///
/// When the request is done, everything added to the queue before it has been freed, and everything added after it
/// waits until you free it. It is therefore both a barrier and a lock.
///
/// ```swift
/// let barrier = try QueueWait.send(in: queue, on: events, under: memory)
/// barrier.setCallback { barrier in
///     if (try? barrier.receive()) != nil { print("all earlier requests are freed") }
///     barrier.free()  // the queue continues
/// }
/// ```
///
/// The corresponding C type is hidden inside `tevent_queue_wait_send()`.
public struct QueueWait {
    private init() {}

    /// Begins to wait until everything that is in the queue now has been freed.
    ///
    /// - Parameters:
    ///   - queue: The queue to wait in. Freeing it leaves the request in progress.
    ///   - events: The context whose loop ends the request.
    ///   - parent: The owner of the request: freeing it frees the request, and the queue continues.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: A request in progress, which can be cancelled.
    /// - Throws: ``TeventError/outOfMemory(name:)``; nothing was made then.
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
        }
        // A trace may have run the loop, and that may have ended the request.
        return request.postIfEnded(on: events)
    }
}

extension Request<QueueWait> {
    /// Returns if the request reached the front of the queue, and throws otherwise.
    ///
    /// The request keeps its place in the queue until you free it.
    ///
    /// - Throws: ``RequestError/cancelled``, ``RequestError/timedOut``, or ``TeventError/outOfMemory(name:)``.
    ///
    /// The corresponding C function is `tevent_queue_wait_recv()`.
    public func receive() throws { try receive { _ in } }
}

extension QueueWait: ReceivableState {
    /// Takes the result, as the request's own `receive()` does.
    @inlinable
    public static func receive(_ request: Request<QueueWait>) throws { try request.receive() }
}
