import Talloc
import Tevent

extension EventContext {
    /// What comes from a descriptor, piece by piece, until its end.
    ///
    /// ```swift
    /// func count(_ descriptor: Int32, on events: EventContext, under memory: TallocContext) async throws -> Int {
    ///     _ = try events.hold(descriptor, under: memory)
    ///     var count = 0
    ///     for try await bytes in events.bytes(from: descriptor, under: memory) { count += bytes.count }
    ///     return count
    /// }
    /// ```
    ///
    /// Hold the descriptor, as above: each piece then waits without a system call.
    ///
    /// - Parameters:
    ///   - descriptor: An open descriptor, which should not block; it stays the caller's.
    ///   - count: The most bytes of a piece.
    ///   - parent: The owner of the requests that read: freeing it ends the iteration with ``TaskError/freed``.
    ///
    /// The corresponding C function is `read_packet_send()`.
    public func bytes(
        from descriptor: Int32, upTo count: Int = 65_536, under parent: some TallocObject
    ) -> LoopSequence<[UInt8]> {
        let parent = parent.tallocContext
        return LoopSequence {
            try parent.checkExists()
            return try await Read.send(from: descriptor, upTo: count, on: self, under: parent).value
        }
    }

    /// The lines that come from a descriptor, without their line breaks, until its end.
    ///
    /// ```swift
    /// func shout(_ descriptor: Int32, on events: EventContext, under memory: TallocContext) async throws {
    ///     for try await line in events.lines(from: descriptor, under: memory) { print(line.uppercased()) }
    /// }
    /// ```
    ///
    /// A last line without a line break counts. Bytes that are not UTF-8 appear as "\u{FFFD}". What was read after the
    /// line break stays in the sequence for its next line.
    ///
    /// - Parameters:
    ///   - descriptor: An open descriptor, which should not block; it stays the caller's.
    ///   - limit: The most bytes of a line. A longer one ends the iteration with ``LineTooLongError``.
    ///   - parent: The owner of the requests that read: freeing it ends the iteration with ``TaskError/freed``.
    ///
    /// The corresponding C function is `read_packet_send()`.
    public func lines(
        from descriptor: Int32, limit: Int = 65_536, under parent: some TallocObject
    ) -> LoopSequence<String> {
        let parent = parent.tallocContext
        let buffer = LineBuffer(limit: limit)
        return LoopSequence {
            try parent.checkExists()
            while true {
                if let line = try buffer.takeLine() { return line }
                if buffer.isAtEnd { return nil }
                buffer.append(try await Read.send(from: descriptor, upTo: 65_536, on: self, under: parent).value)
            }
        }
    }

    /// The clients that connect to a listening socket, one after the other; there is no end.
    ///
    /// ```swift
    /// func serve(_ listener: Int32, on events: EventContext, under memory: TallocContext) async throws {
    ///     for try await (socket, peer) in events.connections(to: listener, under: memory) {
    ///         print("\(peer) has connected")
    ///         SystemIO.close(socket)
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - listener: A listening socket that does not block; it stays the caller's.
    ///   - parent: The owner of the requests that accept: freeing it ends the iteration with ``TaskError/freed``.
    /// - Returns: For each client, the descriptor of its connection, which is yours to close, and its address.
    ///
    /// The corresponding C function is `accept_send()`.
    public func connections(
        to listener: Int32, under parent: some TallocObject
    ) -> LoopSequence<(descriptor: Int32, peer: SocketAddress)> {
        let parent = parent.tallocContext
        return LoopSequence {
            try parent.checkExists()
            return try await Accept.send(from: listener, on: self, under: parent).value
        }
    }

    /// What a descriptor is ready for, each time that it is, for code that makes its own system calls.
    ///
    /// ```swift
    /// func drain(_ descriptor: Int32, on events: EventContext, under memory: TallocContext) async throws {
    ///     for try await _ in try events.readiness(of: descriptor, for: .read, under: memory) {
    ///         guard case .bytes = try SystemIO.read(descriptor) else { return }
    ///     }
    /// }
    /// ```
    ///
    /// The descriptor is watched only while a task waits for the next element.
    ///
    /// - Parameters:
    ///   - descriptor: An open descriptor; it stays the caller's.
    ///   - flags: What to wait for.
    ///   - parent: The owner of the event: freeing it ends the iteration with ``TaskError/freed``.
    /// - Throws: ``/Tevent/TeventError/outOfMemory(name:)``, or ``/Tevent/TeventError/badDescriptor(_:)`` for a number
    ///   that cannot be a descriptor.
    ///
    /// The corresponding C function is `tevent_add_fd()`.
    public func readiness(
        of descriptor: Int32, for flags: FDEvent.Flags, under parent: some TallocObject
    ) throws(TeventError) -> LoopSequence<FDEvent.Flags> {
        let arrivals = Arrivals<FDEvent.Flags>()
        let event = try addFD(descriptor, [], under: parent) { event, ready in
            event.flags = []
            arrivals.add(ready)
        }
        return LoopSequence {
            if !event.isFreed { event.flags = flags }
            defer { if !event.isFreed { event.flags = [] } }
            return try await arrivals.next(under: event)
        }
    }
}

extension TallocContext {
    /// Throws if the memory of a sequence is freed, instead of trapping at the next use.
    func checkExists() throws(TaskError) { if isFreed { throw .freed } }
}

/// A line was longer than the limit of its sequence.
public struct LineTooLongError: Error, Equatable, CustomStringConvertible {
    /// The most bytes that the sequence accepts in a line.
    public let limit: Int

    /// A readable sentence.
    public var description: String {
        "a line is longer than \(limit) bytes; give lines(from:limit:under:) a higher limit"
    }
}

/// What was read and is not a whole line yet.
private final class LineBuffer {
    private let limit: Int
    private var bytes: [UInt8] = []
    /// Where the next line begins.
    private var start = 0
    /// Up to where there is no line break.
    private var searched = 0
    private(set) var isAtEnd = false

    init(limit: Int) { self.limit = limit }

    /// Adds a piece; nil is the end.
    func append(_ piece: [UInt8]?) {
        bytes.removeSubrange(..<start)
        searched -= start
        start = 0
        if let piece { bytes += piece } else { isAtEnd = true }
    }

    /// The next whole line; the last one needs no line break.
    func takeLine() throws(LineTooLongError) -> String? {
        if let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            defer { (start, searched) = (end + 1, end + 1) }
            return try line(upTo: end)
        }
        searched = bytes.count
        guard bytes.count - start <= limit else { throw LineTooLongError(limit: limit) }
        guard isAtEnd, start < bytes.count else { return nil }
        defer { start = bytes.count }
        return try line(upTo: bytes.count)
    }

    private func line(upTo end: Int) throws(LineTooLongError) -> String {
        guard end - start <= limit else { throw LineTooLongError(limit: limit) }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }
}
