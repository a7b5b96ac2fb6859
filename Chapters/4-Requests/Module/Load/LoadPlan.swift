import Tevent

/// What a load client should do.
public struct LoadPlan: Sendable {
    /// How many connections are open at the same time.
    public var connections: Int
    /// How many messages each connection sends, one after another; nil means as many as time allows.
    public var messages: Int?
    /// For how long the connections start new messages; nil means until all have been sent.
    public var duration: Duration?
    /// The lengths of the messages, in bytes; at least one.
    public var sizes: ClosedRange<Int>
    /// The seed for the messages: the same seed gives the same messages.
    public var seed: UInt64
    /// How long a connection waits for an answer before it gives up.
    public var patience: Duration

    /// Creates a plan.
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

/// How a server failed to behave like an echo server.
public enum LoadError: Error, Equatable, CustomStringConvertible {
    /// The answer differs from the message, or continues after its end.
    case wrongBytes
    /// The connection was closed before the whole answer had arrived.
    case closed
    /// The whole answer did not arrive in time.
    case noAnswer(after: Duration)

    /// A readable sentence.
    public var description: String {
        switch self {
        case .wrongBytes: "what came back is not what was sent"
        case .closed: "the server closed the connection before all had come back"
        case .noAnswer(let patience): "no complete answer within \(patience)"
        }
    }
}

/// What a load client has measured.
public struct LoadSummary: Sendable {
    /// How many connections were established.
    public internal(set) var connected = 0
    /// How many messages came back as they were sent.
    public internal(set) var messages = 0
    /// How many bytes these messages had.
    public internal(set) var bytes = 0
    /// How long each of them took, from sending its first byte to receiving its last.
    public internal(set) var latencies = Latencies()
    /// How long the whole run took.
    public internal(set) var elapsed = Duration.zero
    /// How many connections failed for each reason.
    public internal(set) var failures: [String: Int] = [:]

    /// How many connections failed.
    public var failed: Int { failures.values.reduce(0, +) }

    /// Messages per second, on average.
    public var messagesPerSecond: Double { perSecond(messages) }

    /// Bytes per second, on average, counted once although each goes both ways.
    public var bytesPerSecond: Double { perSecond(bytes) }

    private func perSecond(_ count: Int) -> Double { elapsed > .zero ? Double(count) / (elapsed / .seconds(1)) : 0 }
}
