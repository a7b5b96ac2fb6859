import Tevent

/// What a load client shall do.
public struct LoadPlan: Sendable {
    /// How many connections are open at the same time.
    public var connections: Int
    /// How many messages each connection sends, one after the other; nil means as many as time allows.
    public var messages: Int?
    /// How long the connections begin new messages; nil means until all have been sent.
    public var duration: Duration?
    /// How long a message is, in bytes; one at least.
    public var sizes: ClosedRange<Int>
    /// What the messages are made from: the same seed, the same messages.
    public var seed: UInt64
    /// How long a connection waits for an answer before it gives up.
    public var patience: Duration

    /// Makes a plan.
    public init(
        connections: Int = 10, messages: Int? = 1000, duration: Duration? = nil, sizes: ClosedRange<Int> = 64...64,
        seed: UInt64 = 1, patience: Duration = .seconds(10)
    ) {
        self.connections = connections
        self.messages = messages
        self.duration = duration
        self.sizes = sizes
        self.seed = seed
        self.patience = patience
    }
}

/// What a server did that an echo server does not.
public enum LoadError: Error, Equatable, CustomStringConvertible {
    /// The answer differs from the message, or goes on behind its end.
    case wrongBytes
    /// The connection was closed before the whole answer had come.
    case closed
    /// The whole answer had not come in time.
    case noAnswer(after: Duration)

    /// A sentence for people.
    public var description: String {
        switch self {
        case .wrongBytes: "what came back is not what was sent"
        case .closed: "the server closed the connection before all had come back"
        case .noAnswer(let patience): "no complete answer within \(patience)"
        }
    }
}

/// What a load client has seen.
public struct LoadSummary: Sendable {
    /// How many connections were made.
    public internal(set) var connected = 0
    /// How many messages came back as they were sent.
    public internal(set) var messages = 0
    /// How many bytes those had.
    public internal(set) var bytes = 0
    /// How long each of them took, from its first byte going to its last one coming.
    public internal(set) var latencies = Latencies()
    /// How long all of it took.
    public internal(set) var elapsed = Duration.zero
    /// How many connections failed for each reason.
    public internal(set) var failures: [String: Int] = [:]

    /// How many connections failed.
    public var failed: Int { failures.values.reduce(0, +) }

    /// Messages in a second, on average.
    public var messagesPerSecond: Double { perSecond(messages) }

    /// Bytes in a second, on average, counted once though each goes there and back.
    public var bytesPerSecond: Double { perSecond(bytes) }

    private func perSecond(_ count: Int) -> Double { elapsed > .zero ? Double(count) / (elapsed / .seconds(1)) : 0 }
}
