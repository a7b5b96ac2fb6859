import Talloc
import Tevent

extension RequestQueue {
    /// Waits for a turn in the queue: everything added before has been freed, and everything added after it waits.
    ///
    /// ```swift
    /// func log(_ line: [UInt8], to descriptor: Int32, in queue: RequestQueue, on events: EventContext) async throws {
    ///     let turn = try await queue.turn(on: events, under: queue)
    ///     defer { turn.free() }
    ///     _ = try await WriteAll.send(line, to: descriptor, on: events, under: turn).value
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - events: The context of the calling task.
    ///   - parent: The owner of the turn: freeing it ends the turn.
    ///   - file: The source file named in reports; by default the caller's.
    ///   - line: The line named in reports; by default the caller's.
    /// - Returns: The turn, which lasts until you free it; it can be a parent. A task that is cancelled after that
    ///   keeps it.
    /// - Throws: ``/Tevent/RequestError/cancelled`` if the task is cancelled while it waits, ``TaskError``,
    ///   ``/Tevent/TeventError/outOfMemory(name:)``. There is no turn then.
    ///
    /// The corresponding C function is `tevent_queue_wait_send()`.
    public func turn(
        on events: EventContext, under parent: some TallocObject, file: StaticString = #fileID, line: UInt32 = #line
    ) async throws -> Request<QueueWait> {
        let turn = try QueueWait.send(in: self, on: events, under: parent, file: file, line: line)
        do {
            try await turn.ended()
            try turn.receive()
            return turn
        } catch {
            if !turn.isFreed, error as? TaskError != .freed { turn.free() }
            throw error
        }
    }

    /// Calls a function while the caller has a turn in the queue.
    ///
    /// ```swift
    /// func log(_ line: [UInt8], to descriptor: Int32, in queue: RequestQueue, on events: EventContext) async throws {
    ///     try await queue.withTurn(on: events, under: queue) { turn in
    ///         _ = try await WriteAll.send(line, to: descriptor, on: events, under: turn).value
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - events: The context of the calling task.
    ///   - parent: The owner of the turn.
    ///   - body: The function; it gets the turn, as a parent for what it makes. The turn ends when it returns.
    /// - Returns: What the function returned.
    /// - Throws: What ``Tevent/RequestQueue/turn(on:under:file:line:)`` throws, or what the function threw.
    ///
    /// C has no counterpart.
    public func withTurn<Value>(
        on events: EventContext, under parent: some TallocObject,
        _ body: (_ turn: Request<QueueWait>) async throws -> Value
    ) async throws -> Value {
        let turn = try await turn(on: events, under: parent)
        defer { if !turn.isFreed { turn.free() } }
        return try await body(turn)
    }
}
