import Tevent

// What the model knows. Whatever an operation will end is doomed from its beginning on, and gone when nothing is under
// way; in between, things go one after the other.

final class ModelRequest {
    struct State {
        var id: Int
        let token: Token
    }

    let request: Request<State>
    let id: Int
    let parent: ModelRequest?
    var hasEnded = false
    var hasCallback = false
    var isReceived = false
    var isBeingReceived = false
    var isDoomed = false

    init(_ request: Request<State>, id: Int, parent: ModelRequest?) {
        self.request = request
        self.id = id
        self.parent = parent
    }

    func isBelow(_ other: ModelRequest) -> Bool { sequence(first: self, next: \.parent).contains { $0 === other } }
}

final class ModelQueue {
    let queue: RequestQueue
    let owner: ModelRequest?
    var isRunning = true
    /// In the order added; those that have left are taken out when nothing is under way.
    var places: [ModelPlace] = []
    /// Whom the loop was told to start.
    var scheduled: ModelPlace?
    var isDoomed = false

    init(_ queue: RequestQueue, owner: ModelRequest?) {
        self.queue = queue
        self.owner = owner
    }

    /// Who is first now, also in the middle of an operation.
    var first: ModelPlace? { places.first(where: \.isThere) }

    /// Who is to be started, if anybody.
    var next: ModelPlace? {
        guard !queue.isFreed, isRunning, let first, !first.isTriggered, !first.events.isFreed else { return nil }
        return first
    }
}

final class ModelPlace {
    let id: Int
    let request: ModelRequest
    let queue: ModelQueue
    let events: EventContext
    let hasTrigger: Bool
    /// What it belongs to: its request, unless it was moved; nil for memory that stays.
    var owner: ModelRequest?
    /// Nil until it has joined.
    var entry: RequestQueue.Entry?
    /// It is added in the way that may start it at once.
    var isOptimized = false
    /// It must be started before adding it returns.
    var startsAtOnce = false
    var isTriggered = false
    /// Its trigger must be called next.
    var isDue = false
    var isDoomed = false

    init(id: Int, _ request: ModelRequest, in queue: ModelQueue, on events: EventContext, hasTrigger: Bool) {
        self.id = id
        self.request = request
        self.queue = queue
        self.events = events
        self.hasTrigger = hasTrigger
        owner = request
    }

    /// Whether it is in its queue now, also in the middle of an operation.
    var isThere: Bool {
        guard let entry, !entry.isFreed else { return false }
        return entry.queue != nil
    }
}
