import Tevent

// What the model knows. Whatever an operation will end is doomed from the beginning of that operation, and ends when
// nothing is running; in between, things end one after another.

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
    /// In the order of adding; those that have left are removed when nothing is running.
    var places: [ModelPlace] = []
    /// The entry that the loop was told to start.
    var scheduled: ModelPlace?
    var isDoomed = false

    init(_ queue: RequestQueue, owner: ModelRequest?) {
        self.queue = queue
        self.owner = owner
    }

    /// The first entry now, even in the middle of an operation.
    var first: ModelPlace? { places.first(where: \.isThere) }

    /// The entry to start next, if any.
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
    /// Its parent: its request, unless it was moved; nil for memory that stays.
    var owner: ModelRequest?
    /// Nil until it has joined.
    var entry: RequestQueue.Entry?
    /// Whether it was added in the way that may start it immediately.
    var isOptimized = false
    /// Whether it must be started before the call that adds it returns.
    var startsAtOnce = false
    var isTriggered = false
    /// Whether its trigger must be called next.
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

    /// Whether it is in its queue now, even in the middle of an operation.
    var isThere: Bool {
        guard let entry, !entry.isFreed else { return false }
        return entry.queue != nil
    }
}
