import Talloc
import Tevent

/// What the threads of a program share: the ways to send each other messages, and how many there were.
final class Board: Sendable {
    private struct State {
        var proxies = [(proxy: ThreadProxy, inbox: Int)?](repeating: nil, count: 8)
        var triggers = [ThreadTrigger?](repeating: nil, count: 8)
        /// By the numbers of their inboxes.
        var counts: [Int: Counts] = [:]
        var inboxes = 0
        var parcelsAlive = 0
    }

    /// What became of the messages to an inbox.
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

    // What is replaced is released outside of the lock: it may be the last that knows a channel.

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

/// What is given away with a message; it is counted until it is released.
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

    /// Notes that its handler has been called, or that its sender has got it back.
    func receive(isBack: Bool = false) {
        guard !isReceived else { return }
        isReceived = true
        if !isBack { board.note(inbox) { $0.received += 1 } }
    }

    var isSound: Bool { contents == Array(0..<8) }
}

/// How a handler of a message, which may know nothing of this thread, finds the program of its loop.
struct Signpost {
    let world: World
}

extension World {
    /// The program whose context this is.
    static func of(_ events: EventContext) -> World? {
        events.children.lazy.compactMap { $0.chunk(of: Signpost.self) }.first?.value.world
    }
}
