import Talloc
import Tevent

/// What the threads of a program share: the receivers of their messages, and the numbers of messages.
final class Board: Sendable {
    private struct State {
        var proxies = [(proxy: ThreadProxy, inbox: Int)?](repeating: nil, count: 8)
        var triggers = [ThreadTrigger?](repeating: nil, count: 8)
        /// The counts, by the numbers of the inboxes.
        var counts: [Int: Counts] = [:]
        var inboxes = 0
        var parcelsAlive = 0
    }

    /// What happened to the messages to an inbox.
    struct Counts {
        var accepted = 0
        var received = 0
        var dropped = 0
    }

    // The thread sanitizer does not understand Swift's Mutex, see `Locked`.
    private let state = Locked(State())

    var parcelsAlive: Int { state.withLock { $0.parcelsAlive } }

    /// A number for a new inbox.
    func makeNumber() -> Int {
        state.withLock { state in
            state.inboxes += 1
            return state.inboxes
        }
    }

    func counts(of inbox: Int) -> Counts { state.withLock { $0.counts[inbox] ?? Counts() } }

    /// Forgets all messages so far, in the child of a fork.
    func forgetCounts() { state.withLock { $0.counts = [:] } }

    func note(_ inbox: Int, _ change: @Sendable (inout Counts) -> Void) {
        state.withLock { change(&$0.counts[inbox, default: Counts()]) }
    }

    func parcelBegan() { state.withLock { $0.parcelsAlive += 1 } }

    func parcelEnded(_ inbox: Int, wasReceived: Bool) {
        state.withLock { state in
            state.parcelsAlive -= 1
            if !wasReceived { state.counts[inbox, default: Counts()].dropped += 1 }
        }
    }

    // MARK: Ways to send

    // Release what is replaced outside the lock: it may hold the last reference to a channel.

    func post(_ proxy: ThreadProxy, inbox: Int, at place: Int) {
        let old = state.withLock { state in
            defer { state.proxies[place % 8] = (proxy, inbox) }
            return state.proxies[place % 8]
        }
        withExtendedLifetime(old) {}
    }

    func proxy(at place: Int) -> (proxy: ThreadProxy, inbox: Int)? { state.withLock { $0.proxies[place % 8] } }

    func post(_ trigger: ThreadTrigger, at place: Int) {
        let old = state.withLock { state in
            defer { state.triggers[place % 8] = trigger }
            return state.triggers[place % 8]
        }
        withExtendedLifetime(old) {}
    }

    func trigger(at place: Int) -> ThreadTrigger? { state.withLock { $0.triggers[place % 8] } }
}

/// A payload of a message; it is counted until it is released.
final class Parcel {
    let board: Board
    private let inbox: Int
    private var isReceived = false
    private var contents = Array(0..<8)

    init(board: Board, inbox: Int) {
        self.board = board
        self.inbox = inbox
        board.parcelBegan()
    }

    deinit { board.parcelEnded(inbox, wasReceived: isReceived) }

    /// Notes that its handler was called, or that its sender got it back.
    func receive(isBack: Bool = false) {
        guard !isReceived else { return }
        isReceived = true
        if !isBack { board.note(inbox) { $0.received += 1 } }
    }

    var isSound: Bool { contents == Array(0..<8) }
}

/// Leads a message's handler, which may know nothing of this thread, to the program of its loop.
struct Signpost {
    let world: World
}

extension World {
    /// The program that owns this context.
    static func of(_ events: EventContext) -> World? {
        events.children.lazy.compactMap { $0.chunk(of: Signpost.self) }.first?.value.world
    }
}
