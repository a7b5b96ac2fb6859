import Tevent

/// What the model knows about a request.
final class Entry {
    struct State {
        var id: Int
        let token: Token
    }

    let request: Request<State>
    let id: Int
    let parent: Entry?
    var status = RequestStatus.inProgress
    var isGone = false
    /// Whether it is being received or freed.
    var isEnding = false
    var isNotifying = false

    var hasCallback = false
    var calls = 0
    var hasCleanup = false
    var heard: [RequestStatus] = []

    var deferral: EventContext?
    /// Where it was posted.
    var queue: EventContext?
    /// Whether it was posted on a context that was freed.
    var isLost = false
    var deadline: (events: EventContext, at: EventInstant)?

    init(_ request: Request<State>, id: Int, parent: Entry?) {
        self.request = request
        self.id = id
        self.parent = parent
    }

    var hasEnded: Bool { status != .inProgress }
    var ancestors: some Sequence<Entry> { sequence(first: self, next: \.parent) }

    func isBelow(_ other: Entry) -> Bool { ancestors.contains { $0 === other } }
}
